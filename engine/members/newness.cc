#include "presence/members/newness.h"

#include <cstddef>
#include <limits>

#include "engine/base/bytes.h"

namespace presence {
namespace {

// Reads ":<unsigned decimal, up to 2^63-1>" at `at`. Returns where it ends; null: it is not there.
const char* ReadNumber(const char* at, const char* end, int64_t& value) {
  if (end - at < 2 || *at != ':') return nullptr;
  const char* const first = ++at;
  const auto digit = [&at] { return static_cast<uint64_t>(*at) - '0'; };
  // As many digits fit whatever they are.
  constexpr std::ptrdiff_t kSafe = std::numeric_limits<int64_t>::digits10;
  const char* const safe = end - first > kSafe ? first + kSafe : end;
  uint64_t number = 0;
  for (; at != safe && digit() <= 9; ++at) number = number * 10 + digit();
  if (at == first) return nullptr;
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  for (; at != end && digit() <= 9; ++at) {
    if (number > (kMax - digit()) / 10) return nullptr;
    number = number * 10 + digit();
  }
  value = static_cast<int64_t>(number);
  return at;
}

}  // namespace

Version VersionOf(std::string_view id, std::string_view connection_id, Timestamp timestamp) {
  Version version;
  version.timestamp = timestamp;
  if (id.empty() || !EqualBytes(id.substr(0, connection_id.size()), connection_id)) return version;
  const char* const end = id.data() + id.size();
  const char* at = ReadNumber(id.data() + connection_id.size(), end, version.msg_serial);
  if (at != nullptr) at = ReadNumber(at, end, version.index);
  const bool parsed = at == end;
  version.kind = parsed ? Version::Kind::kSerial : Version::Kind::kUnparsed;
  return version;
}

}  // namespace presence
