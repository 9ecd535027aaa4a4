#ifndef PRESENCE_MEMBERS_NEWNESS_H_
#define PRESENCE_MEMBERS_NEWNESS_H_

// Which of two messages of the same member is the newer one (RTP2a, RTP2b). Knows nothing of sets.

#include <cstdint>
#include <string_view>

#include "presence/message.h"

namespace presence {

// What of a message decides its newness, read from its id once, when it arrives.
struct Version {
  enum class Kind : uint8_t {
    kSerial,       // the id is connectionId:msgSerial:index
    kSynthesized,  // the id is empty or does not begin with the connectionId (RTP2b1)
    kUnparsed,     // the id begins with the connectionId, but what follows is not :msgSerial:index
  };
  Kind kind = Kind::kSynthesized;
  int64_t msg_serial = 0;  // kSerial only, 0 to 2^63-1
  int64_t index = 0;       // kSerial only, 0 to 2^63-1
  Timestamp timestamp{};
};

// The version of a message. Any bytes are a valid id.
Version VersionOf(std::string_view id, std::string_view connection_id, Timestamp timestamp);
inline Version VersionOf(const Message& message) {
  return VersionOf(message.id, message.connection_id, message.timestamp);
}

// The rule that decided a comparison.
enum class NewnessRule : uint8_t {
  kNothingStored,  // there was nothing to compare with
  kTimestamp,      // RTP2b1: one is synthesized; the later timestamp wins
  kSerial,         // RTP2b2: msgSerial, then index
  kUnparsedId,     // one id does not parse: as RTP2b1
};

struct NewnessVerdict {
  bool newer = true;
  NewnessRule rule = NewnessRule::kNothingStored;
};

// Whether `incoming` is newer than `stored`. Equal timestamps: the incoming one wins (RTP2b1a).
// Equal serials: it loses, being a duplicate. Not a total order where clocks disagree: a is newer
// than b by serial, b newer than c and c newer than a by timestamp can all hold at once.
inline NewnessVerdict CompareNewness(const Version& incoming, const Version& stored) {
  using Kind = Version::Kind;
  if (incoming.kind == Kind::kSerial && stored.kind == Kind::kSerial) {  // RTP2b2
    const bool newer = incoming.msg_serial > stored.msg_serial ||
                       (incoming.msg_serial == stored.msg_serial && incoming.index > stored.index);
    return {newer, NewnessRule::kSerial};
  }
  const bool synthesized = incoming.kind == Kind::kSynthesized || stored.kind == Kind::kSynthesized;
  return {incoming.timestamp >= stored.timestamp,  // RTP2b1, RTP2b1a
          synthesized ? NewnessRule::kTimestamp : NewnessRule::kUnparsedId};
}

}  // namespace presence

#endif  // PRESENCE_MEMBERS_NEWNESS_H_
