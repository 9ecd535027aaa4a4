// Any bytes are read as a packed frame or refused with a message, as another implementation of
// MessagePack takes or refuses them; and what a frame says does not depend on its form.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "presence/wire/packed_frame.h"
#include "tests/fuzz/check.h"
#include "tests/wire/packed_judge.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using presence::FuzzCheck;

  const std::string_view packed(reinterpret_cast<const char*>(data), size);
  std::string json = "kept";
  const absl::Status status = presence::wire::AppendUnpacked(packed, json);
  FuzzCheck(json.starts_with("kept"), "what was there before is gone", json);
  if (!status.ok()) {
    FuzzCheck(status.code() == absl::StatusCode::kInvalidArgument && !status.message().empty() &&
                  json == "kept",
              "refused in the wrong way", status.ToString());
  }
  // A control character takes six bytes, and nothing takes more for each of its own.
  FuzzCheck(json.size() <= 4 + 25 * size, "too much is written", std::to_string(json.size()));
  const std::string disagreement = presence::wire::PackedDisagreement(packed);
  FuzzCheck(disagreement.empty(), "another implementation reads something else", disagreement);
  return 0;
}
