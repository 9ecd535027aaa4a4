#include "sim/capture/log_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/wire/frame.h"
#include "sim/capture/clock.h"
#include "sim/capture/log_message.h"
#include "sim/capture/logged_reading.h"
#include "sim/capture/wrapped_log.h"

namespace presence::sim {
namespace {

constexpr std::string_view kAbly = "Ably: ";
constexpr std::string_view kReceived = "received on ";
constexpr std::string_view kSent = "sending msg; ";
constexpr std::string_view kFrame = "[ProtocolMessage";
constexpr std::string_view kDataLength = "data received; length = ";

// Where in a line the logged frame begins, and whose it is; nullopt: it has none that counts. The
// same frame may be logged on its way, when it is queued: those are passed over.
struct FramePlace {
  size_t at = 0;
  bool received = false;
};
std::optional<FramePlace> FindFrame(std::string_view line) {
  const size_t at = line.find(kFrame);
  if (at == line.npos) return std::nullopt;
  const std::string_view before = line.substr(0, at);
  if (before.ends_with(kSent)) return FramePlace{at, false};
  const size_t received = before.rfind(kReceived);
  if (received == before.npos || !before.ends_with(": ")) return std::nullopt;
  // The name of the transport is between.
  const std::string_view transport =
      before.substr(received + kReceived.size(), before.size() - received - kReceived.size() - 2);
  if (transport.find(' ') != transport.npos) return std::nullopt;
  return FramePlace{at, true};
}

// Whether a line begins a message of the log, rather than going on with one that has a line's end
// in it: it says so, or names what speaks, as in "Protocol.send(): ".
bool BeginsMessage(std::string_view line) {
  constexpr size_t kLookedAt = 200;
  const std::string_view head = line.substr(0, kLookedAt);
  return head.find(kAbly) != head.npos || head.find("(): ") != head.npos;
}

// Takes ":12" off the end of a text, if it ends so.
bool TakeNumber(std::string_view& text, std::string_view before = ":") {
  const size_t at = text.rfind(before);
  const size_t digits = at + before.size();
  if (at == text.npos || digits == text.size()) return false;
  if (text.find_first_not_of("0123456789", digits) != text.npos) return false;
  text = text.substr(0, at);
  return true;
}

// What a line says before what some consoles append: where in a program it was logged, as in
// " app.js:2:345", " (app.js:2:345)" or " (app.js, line 2)".
std::string_view WithoutPlace(std::string_view line) {
  std::string_view place = line;
  const bool in_brackets = place.ends_with(')');
  if (in_brackets) place.remove_suffix(1);
  const bool in_words = in_brackets && TakeNumber(place, ", line ");
  const size_t begin = place.rfind(in_brackets ? std::string_view(" (") : std::string_view(" "));
  if (begin == place.npos) return line;
  place.remove_prefix(begin + (in_brackets ? 2 : 1));
  const bool numbered = in_words || TakeNumber(place);
  if (!in_words) TakeNumber(place);
  return numbered && !place.empty() ? line.substr(0, begin) : line;
}

// Where a sequence that colours a terminal's text ends, if one begins here; else where it would.
size_t EndOfColour(std::string_view text, size_t at) {
  constexpr std::string_view kBegin = "\x1b[";
  if (!text.substr(at).starts_with(kBegin)) return at;
  const size_t end = text.find_first_not_of("0123456789;", at + kBegin.size());
  return end != text.npos && text[end] == 'm' ? end + 1 : at;
}

std::string WithoutColours(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const size_t end = EndOfColour(text, at);
    if (end == at) plain += text[at++];
    at = std::max(at, end);
  }
  return plain;
}

// The time that was printed before a message: that of ably-js itself, right before its name, unless
// another says more.
std::optional<ClockReading> TimeBefore(std::string_view before) {
  std::optional<ClockReading> first = FindTime(before);
  const size_t name = before.find(kAbly);
  constexpr size_t kClock = std::string_view("23:59:59.999 ").size();
  if (!first.has_value() || first->has_zone || name == before.npos || name < kClock) return first;
  std::optional<ClockReading> own = FindTime(before.substr(name - kClock, kClock));
  return own.has_value() && !first->has_date ? own : first;
}

// A frame, before it is known whose it is.
struct LogFrame {
  CapturedFrame captured;
  std::optional<size_t> client;  // of a received one; nullopt: sent
  bool connects = false;         // CONNECTED, on a new socket
  std::optional<ClockReading> clock;
  std::optional<int64_t> stamp;
  int64_t action = 0;
  bool length_agrees = false;
  bool length_differs = false;
  bool left_out = false;
  bool usual_order = true;
  std::vector<std::vector<uint8_t>> item_keys;
};

// In which order the fields of items come. Those who make them mostly make all of them alike, so in
// a log that has values which look like fields, another order is a sign of one more.
class KeyOrder {
 public:
  void Add(const std::vector<std::vector<uint8_t>>& items) {
    ForEachPair(items, [this](size_t first, size_t second) { ++before_[first][second]; });
  }
  // Whether no two fields come in an order in which most items do not have them.
  bool IsUsual(const std::vector<std::vector<uint8_t>>& items) const {
    bool usual = true;
    ForEachPair(items, [&](size_t first, size_t second) {
      usual = usual && before_[first][second] >= before_[second][first];
    });
    return usual;
  }

 private:
  template <typename Take>
  static void ForEachPair(const std::vector<std::vector<uint8_t>>& items, const Take& take) {
    for (const std::vector<uint8_t>& keys : items) {
      for (size_t first = 0; first < keys.size(); ++first) {
        for (size_t second = first + 1; second < keys.size(); ++second) {
          take(keys[first], keys[second]);
        }
      }
    }
  }

  std::array<std::array<uint32_t, kItemKeyCount>, kItemKeyCount> before_{};
};

struct LogClient {
  size_t first_frame = 0;        // its first among all frames
  bool seen_from_start = false;  // that is a CONNECTED, and it had no connection before
};

class LogReader {
 public:
  explicit LogReader(Capture& capture) : capture_(capture), text_(capture.text) {}

  void Read() {
    LookForLevels();
    std::string_view line;
    while (NextLine(line)) {
      const std::optional<FramePlace> place = FindFrame(line);
      if (!place.has_value()) {
        if (BeginsMessage(line)) length_ = LengthSaid(line);
        continue;
      }
      ReadFrame(line, *place);
      length_.reset();
    }
    LeaveOutDeceptions();
    SetTimes();
    MakeSockets();
    if (capture_.sockets.empty()) {
      capture_.why_empty =
          "the log has no frames: it needs level 4 (logLevel: 4, or logHandler and level), where "
          "\"received on web_socket: [ProtocolMessage; ...\" appears";
    }
  }

 private:
  bool NextLine(std::string_view& line) {
    if (at_ >= text_.size()) return false;
    line = LineAt(at_);
    at_ += line.size() + 1;
    ++line_number_;
    return true;
  }
  std::string_view LineAt(size_t at) const {
    return text_.substr(at, std::min(text_.find('\n', at), text_.size()) - at);
  }
  // What a line says, without its CR, and what some loggers put behind it: the end of a colour, the
  // level.
  std::string_view WithoutTail(std::string_view line) const {
    if (line.ends_with('\r')) line.remove_suffix(1);
    for (;;) {
      const size_t escape = line.rfind('\x1b');
      if (escape == line.npos || EndOfColour(line, escape) != line.size()) break;
      line = line.substr(0, escape);
    }
    return levels_behind_ && EndsWithLevel(line) ? line.substr(0, line.size() - 2) : line;
  }

  static bool EndsWithLevel(std::string_view line) {
    return line.size() > 2 && line[line.size() - 2] == ' ' && line.back() >= '0' &&
           line.back() <= '5';
  }

  // Whether a handler of the user's wrote the level, its second argument, behind each message: then
  // nearly all end so. (Those with line ends in them do not on their first line.)
  void LookForLevels() {
    size_t messages = 0;
    size_t with_level = 0;
    std::string_view line;
    while (NextLine(line)) {
      if (!BeginsMessage(line)) continue;
      ++messages;
      with_level += EndsWithLevel(WithoutTail(line)) ? 1 : 0;
    }
    constexpr size_t kOf = 10;
    levels_behind_ = messages > 0 && with_level * kOf >= messages * (kOf - 1);
    at_ = 0;
    line_number_ = 0;
  }

  static std::optional<size_t> LengthSaid(std::string_view line) {
    const size_t at = line.find(kDataLength);
    if (at == line.npos || line.find("; type = string", at) == line.npos) return std::nullopt;
    size_t length = 0;
    const char* const begin = line.data() + at + kDataLength.size();
    if (std::from_chars(begin, line.data() + line.size(), length).ec != std::errc()) {
      return std::nullopt;
    }
    return length;
  }

  void ReadFrame(std::string_view line, const FramePlace& place) {
    const uint64_t number = line_number_;
    std::string_view logged = WithoutTail(line).substr(place.at);
    LoggedFrame read = ReadLoggedFrame(logged, place.received, length_);
    if (read.certainty == LogCertainty::kCut) {
      LoggedFrame placed = ReadLoggedFrame(WithoutPlace(logged), place.received, length_);
      if (placed.certainty != LogCertainty::kCut) read = std::move(placed);
    }
    // A value may have line ends in it: then the message goes on. (Where lines end in CR LF, what
    // the value had is not known.)
    if (read.certainty == LogCertainty::kCut && !line.ends_with('\r')) {
      const auto begin = static_cast<size_t>(logged.data() - text_.data());
      size_t at = at_;
      uint64_t lines = 0;
      constexpr uint64_t kMostLines = 1000;
      while (at < text_.size() && lines < kMostLines && at - begin < kMaxMessageBytes) {
        const std::string_view next = LineAt(at);
        if (BeginsMessage(next)) break;
        ++lines;
        at += next.size() + 1;
        const std::string_view longer = text_.substr(begin, at - 1 - begin);
        if (longer.find_last_of(']') <
            longer.size() - std::min<size_t>(next.size(), longer.size())) {
          continue;  // it cannot end on this line
        }
        LoggedFrame joined = ReadLoggedFrame(WithoutTail(longer), place.received, length_);
        if (joined.certainty == LogCertainty::kCut) continue;
        read = std::move(joined);
        at_ = at;
        line_number_ += lines;
        break;
      }
    }
    if (read.certainty == LogCertainty::kCut) {
      capture_.left_out.push_back({number, "the message was cut, or something stands behind it"});
      return;
    }
    deceives_ |= !read.plain;
    if (read.certainty == LogCertainty::kAmbiguous) {
      capture_.left_out.push_back(
          {number, "a value of the message could end in two places, or is not as it should be"});
      return;
    }
    Take(std::move(read), place, line.substr(0, place.at), number);
  }

  void Take(LoggedFrame read, const FramePlace& place, std::string_view before, uint64_t number) {
    LogFrame frame;
    frame.captured.sent = !place.received;
    frame.captured.line = number;
    frame.captured.text = capture_.texts.emplace_back(std::move(read.json));
    wire::Frame said;
    std::string_view json;
    if (std::optional<std::string> why = texts_.Read(frame.captured, json, &said)) {
      capture_.texts.pop_back();
      capture_.left_out.push_back({number, *std::move(why)});
      return;
    }
    frame.action = said.action;
    frame.length_agrees = read.length_agrees;
    frame.length_differs = read.certainty == LogCertainty::kLength;
    frame.usual_order = read.usual_order;
    frame.item_keys = std::move(read.item_keys);
    if (read.length_agrees) trusted_.insert(said.action);
    frame.clock = TimeBefore(WithoutColours(before));
    if (place.received) {
      frame.stamp = said.timestamp;
      Attribute(said, read.connection, frame);
    } else if (said.action == wire::kAuth) {
      new_token_ = true;
    }
    frames_.push_back(std::move(frame));
  }

  // Finds the client of a received frame by the id that its connection has.
  void Attribute(const wire::Frame& said, const std::string& connection, LogFrame& frame) {
    const bool none = connection == "undefined" || connection == "null";
    const auto [known, is_new] = by_connection_.try_emplace(connection, clients_.size());
    const size_t client = known->second;
    if (is_new) {
      LogClient added;
      added.first_frame = frames_.size();
      added.seen_from_start = none;
      clients_.push_back(added);
    }
    frame.client = client;
    if (said.action != wire::kConnected) return;
    const bool update = new_token_ && said.connection_id == connection;
    frame.connects = !update;
    new_token_ = false;
    by_connection_.erase(connection);
    by_connection_[std::string(said.connection_id)] = client;
  }

  // Of what looks like a frame, and is another one.
  void LeaveOutDeceptions() {
    KeyOrder orders[2];  // of what was received and sent
    for (const LogFrame& frame : frames_) {
      orders[frame.captured.sent].Add(frame.item_keys);
    }
    for (LogFrame& frame : frames_) {
      std::string_view why;
      if (frame.length_differs && trusted_.contains(frame.action)) {
        // Nothing of the others of its kind went unlogged.
        why =
            "the message is not as long as what was received: a value of it could end in two "
            "places";
      } else if (deceives_ && !frame.length_agrees &&
                 !(frame.usual_order && orders[frame.captured.sent].IsUsual(frame.item_keys))) {
        why =
            "its fields are in another order than those of the others: a value of it could end in "
            "two places";
      }
      frame.left_out = !why.empty();
      if (frame.left_out) capture_.left_out.push_back({frame.captured.line, std::string(why)});
    }
  }

  void SetTimes() {
    ClockLine clock;
    std::vector<size_t> timed;
    for (size_t i = 0; i < frames_.size(); ++i) {
      if (!frames_[i].clock.has_value()) continue;
      timed.push_back(i);
      clock.Add(*frames_[i].clock, frames_[i].stamp);
    }
    const std::vector<std::optional<int64_t>> times = clock.Times();
    for (size_t i = 0; i < timed.size(); ++i) frames_[timed[i]].captured.t = times[i];
  }

  void MakeSockets() {
    std::vector<std::optional<size_t>> socket_of(clients_.size());  // the one it has now
    std::vector<LeftOut> unowned;
    if (clients_.empty() && !frames_.empty()) {  // all were sent
      clients_.emplace_back();
      socket_of.emplace_back();
    }
    // The clients that can have been connected when a frame was sent.
    size_t senders = 0;
    size_t sender = 0;
    const auto add_sender = [&](size_t client) {
      ++senders;
      sender = client;
    };
    for (size_t client = 0; client < clients_.size(); ++client) {
      if (!clients_[client].seen_from_start) add_sender(client);
    }
    size_t next_client = 0;  // the first whose first frame is to come
    for (size_t i = 0; i < frames_.size(); ++i) {
      LogFrame& frame = frames_[i];
      for (; next_client < clients_.size() && clients_[next_client].first_frame <= i;
           ++next_client) {
        if (clients_[next_client].seen_from_start) add_sender(next_client);
      }
      std::optional<size_t> client = frame.client;
      if (!client.has_value() && senders == 1) client = sender;
      if (!client.has_value()) {
        unowned.push_back({frame.captured.line,
                           "a frame that one of several clients sent: the log does not say which"});
        continue;
      }
      if (frame.left_out) continue;
      std::optional<size_t>& socket = socket_of[*client];
      if (!socket.has_value() || frame.connects) {
        CapturedSocket next;
        next.line = frame.captured.line;
        next.follows = socket;
        socket = capture_.sockets.size();
        capture_.sockets.push_back(std::move(next));
      }
      capture_.sockets[*socket].frames.push_back(frame.captured);
    }
    for (LeftOut& left : unowned) capture_.left_out.push_back(std::move(left));
  }

  Capture& capture_;
  const std::string_view text_;
  size_t at_ = 0;
  uint64_t line_number_ = 0;
  FrameTexts texts_;
  std::optional<size_t> length_;  // of what was received, as the line before says
  std::vector<LogFrame> frames_;
  std::vector<LogClient> clients_;
  std::map<std::string, size_t> by_connection_;  // clients, by the ids that they have now
  std::set<int64_t> trusted_;                    // actions of which all is logged
  bool levels_behind_ = false;                   // each message has its level behind it
  bool deceives_ = false;                        // some value in the log looks like more than one
  bool new_token_ = false;                       // was sent, and no CONNECTED since
};

}  // namespace

void ReadAblyLog(Capture& capture) {
  std::optional<UnwrappedLog> unwrapped = Unwrapped(capture.text);
  if (unwrapped.has_value()) capture.text = std::move(unwrapped->text);
  LogReader(capture).Read();
  if (!unwrapped.has_value()) return;
  const auto to_file = [&unwrapped](uint64_t& line) {
    if (line > 0 && line <= unwrapped->lines.size()) line = unwrapped->lines[line - 1];
  };
  for (CapturedSocket& socket : capture.sockets) {
    to_file(socket.line);
    for (CapturedFrame& frame : socket.frames) to_file(frame.line);
  }
  for (LeftOut& left : capture.left_out) to_file(left.line);
}

}  // namespace presence::sim
