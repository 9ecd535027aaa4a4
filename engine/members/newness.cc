#include "presence/members/newness.h"

#include <limits>
#include <tuple>

#include "engine/base/bytes.h"

namespace presence {
namespace {

// Reads ":<unsigned decimal, up to 2^63-1>" off the front of `text`.
bool ConsumeNumber(std::string_view& text, int64_t& value) {
  if (text.size() < 2 || text[0] != ':') return false;
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  size_t at = 1;
  uint64_t number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (number > kMax / 10) return false;
    number = number * 10 + static_cast<uint64_t>(text[at] - '0');
    if (number > kMax) return false;
  }
  if (at == 1) return false;
  value = static_cast<int64_t>(number);
  text.remove_prefix(at);
  return true;
}

}  // namespace

Version VersionOf(std::string_view id, std::string_view connection_id, Timestamp timestamp) {
  Version version;
  version.timestamp = timestamp;
  if (id.empty() || !EqualBytes(id.substr(0, connection_id.size()), connection_id)) return version;
  std::string_view tail = id.substr(connection_id.size());
  const bool parsed = ConsumeNumber(tail, version.msg_serial) &&
                      ConsumeNumber(tail, version.index) && tail.empty();
  version.kind = parsed ? Version::Kind::kSerial : Version::Kind::kUnparsed;
  return version;
}

NewnessVerdict CompareNewness(const Version& incoming, const Version& stored) {
  using Kind = Version::Kind;
  if (incoming.kind == Kind::kSerial && stored.kind == Kind::kSerial) {  // RTP2b2
    return {std::tie(incoming.msg_serial, incoming.index) >
                std::tie(stored.msg_serial, stored.index),
            NewnessRule::kSerial};
  }
  const bool synthesized =
      incoming.kind == Kind::kSynthesized || stored.kind == Kind::kSynthesized;
  return {incoming.timestamp >= stored.timestamp,  // RTP2b1, RTP2b1a
          synthesized ? NewnessRule::kTimestamp : NewnessRule::kUnparsedId};
}

}  // namespace presence
