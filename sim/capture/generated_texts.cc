#include "sim/capture/generated_texts.h"

#include <iterator>
#include <string_view>

#include "engine/json/writer.h"
#include "sim/base/random.h"

namespace presence::sim {
namespace {

constexpr std::string_view kNames[] = {
    "ada",     "grace",   "edsger", "barbara", "donald", "leslie", "tony",    "ole-johan",
    "kristen", "frances", "alan",   "björn",   "zoë",    "jean",   "niklaus", "radia",
};
constexpr std::string_view kOwnNames[] = {"observer", "observer:phone", "observer:laptop"};

constexpr std::string_view kStatuses[] = {"online", "away", "busy", "do not disturb"};

// As they stand in JSON text: some with an escape, which the frame's text escapes once more, some
// with characters of several bytes.
constexpr std::string_view kWords[] = {
    "back",
    "in",
    "five",
    "minutes",
    "on",
    "a",
    "call",
    "lunch",
    "typing",
    "writing",
    "the",
    "report",
    "at",
    "home",
    "see",
    "you",
    "tomorrow",
    "reading",
    "train",
    "to",
    "\\\"focus\\\"",
    "50%",
    "off\\n",
    "C:\\\\work",
    "caf\xc3\xa9",
    "\xf0\x9f\x8e\x89",
    "ok",
    "with",
    "team",
    "\\u2028",
    "<b>",
    "r\xc3\xa9union",
};

constexpr std::string_view kExtras[] = {
    R"({"headers":{"device":"phone"}})",
    R"({"headers":{"device":"laptop","build":"7.31.0"}})",
    R"({"headers":{"locale":"fr-CA"},"priority":2})",
};

template <size_t N>
std::string_view Pick(const std::string_view (&from)[N], Random& random) {
  return from[random.Below(N)];
}

}  // namespace

void AppendConnectionId(uint64_t seed, uint64_t number, std::string& out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr uint64_t kMask = (uint64_t{1} << 60) - 1;
  // Each step can be undone, so that different numbers stay different.
  uint64_t x = (number + Random::Mix(seed, 1)) & kMask;
  x = (x * 0x9e3779b97f4a7c15) & kMask;
  x ^= x >> 31;
  x = (x * 0xd1342543de82ef95) & kMask;
  x ^= x >> 29;
  for (int i = 0; i < 10; ++i, x >>= 6) out += kDigits[x & 63];
}

void AppendClientId(uint32_t user, std::string& out) {
  if (user >= kFirstOwnUser) {
    out += kOwnNames[(user - kFirstOwnUser) % std::size(kOwnNames)];
    return;
  }
  out += kNames[user % std::size(kNames)];
  if (user >= std::size(kNames)) {
    out += '-';
    json::AppendInt(static_cast<int64_t>(user / std::size(kNames)), out);
  }
}

Payload MakePayload(uint64_t kind, size_t bytes, std::string& data) {
  data.clear();
  Payload payload;
  if (bytes == 0) return payload;
  Random random(kind);
  data = R"({"status":")";
  data += Pick(kStatuses, random);
  data += '"';
  constexpr std::string_view kNote = R"(,"note":")";
  constexpr std::string_view kEnd = R"("})";
  if (data.size() + kNote.size() + kEnd.size() < bytes) {
    data += kNote;
    const size_t room = bytes - kEnd.size();
    for (std::string_view word = Pick(kWords, random); data.size() + word.size() < room;
         word = Pick(kWords, random)) {
      data += word;
      data += ' ';
    }
    data.append(room - data.size(), '.');
    data += kEnd;
  } else {
    data += '}';
  }
  payload.data_kind = DataKind::kString;
  payload.data = data;
  payload.encoding = "json";
  if (random.Below(16) == 0) payload.extras = Pick(kExtras, random);
  return payload;
}

}  // namespace presence::sim
