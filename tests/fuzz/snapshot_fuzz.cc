// Any bytes are refused as a snapshot with a message, or read, and then written as the same bytes;
// a host is restored from it or refuses it with a message, and what it exports is the same again.
// The bytes are tried as they are and as a room with the right checksum around it, which is how the
// fuzzer gets past that.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/host/room_host.h"
#include "presence/wire/snapshot.h"
#include "tests/fuzz/check.h"

namespace {

using presence::FuzzCheck;
using presence::RoomHost;
using presence::RoomSnapshot;

void CheckRefusal(const absl::Status& status) {
  FuzzCheck(status.code() == absl::StatusCode::kInvalidArgument && !status.message().empty(),
            "refused in the wrong way", status.ToString());
}

std::string TextOf(const RoomSnapshot& snapshot) {
  std::string text;
  presence::wire::AppendSnapshot(snapshot, text);
  return text;
}

void Try(std::string_view text) {
  const absl::StatusOr<RoomSnapshot> snapshot = presence::wire::ParseSnapshot(text);
  if (!snapshot.ok()) return CheckRefusal(snapshot.status());
  const std::string written = TextOf(*snapshot);
  const absl::StatusOr<RoomSnapshot> again = presence::wire::ParseSnapshot(written);
  FuzzCheck(again.ok() && *again == *snapshot, "what was written reads as something else", written);

  const absl::StatusOr<std::unique_ptr<RoomHost>> host = RoomHost::Restore({}, *snapshot);
  if (!host.ok()) return CheckRefusal(host.status());
  FuzzCheck((*host)->Export() == *snapshot, "a restored host exports something else", written);
  presence::HostEffects effects;
  (*host)->AdvanceTo(presence::Timestamp::max(), effects);
  const std::string wrong = (*host)->CheckInvariants();
  FuzzCheck(wrong.empty(), "a restored host breaks an invariant", wrong);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Try(bytes);

  const std::string before = "{\"format\":\"presence-room\",\"version\":2,\"checksum\":\"";
  const std::string after = "\",\"room\":" + std::string(bytes) + "}";
  uint64_t sum = 0xcbf29ce484222325u;
  for (const char c : before + after) {
    sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  Try(before + digits + after);
  return 0;
}
