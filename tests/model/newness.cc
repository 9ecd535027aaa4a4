#include "tests/model/newness.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace presence {
namespace {

// An unsigned decimal number up to 2^63-1.
std::optional<int64_t> Number(const std::string& text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (uint64_t{INT64_MAX} - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return static_cast<int64_t>(value);
}

// msgSerial and index of an id that begins with its connection id.
std::optional<std::pair<int64_t, int64_t>> SerialOf(const Message& message) {
  const std::string tail(message.id.substr(message.connection_id.size()));
  if (tail.empty() || tail[0] != ':') return std::nullopt;
  const size_t colon = tail.find(':', 1);
  if (colon == std::string::npos) return std::nullopt;
  const auto serial = Number(tail.substr(1, colon - 1));
  const auto index = Number(tail.substr(colon + 1));
  if (!serial || !index) return std::nullopt;
  return std::make_pair(*serial, *index);
}

}  // namespace

// RTP2b1.
bool IsSynthesized(const Message& message) {
  return message.id.empty() ||
         message.id.substr(0, message.connection_id.size()) != message.connection_id;
}

bool ComparedByTimestamp(const Message& incoming, const Message& stored) {
  return IsSynthesized(incoming) || IsSynthesized(stored) || !SerialOf(incoming) ||
         !SerialOf(stored);
}

bool IsNewer(const Message& incoming, const Message& stored) {
  // RTP2b1a: equal timestamps, the incoming one wins.
  if (ComparedByTimestamp(incoming, stored)) return incoming.timestamp >= stored.timestamp;
  // RTP2b2: equal serials, the incoming one loses.
  return *SerialOf(incoming) > *SerialOf(stored);
}

}  // namespace presence
