#include "sim/capture/frame_text_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/json/piece_reader.h"
#include "presence/wire/frame.h"
#include "sim/capture/clock.h"
#include "sim/capture/socket_kind.h"

namespace presence::sim {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

bool IsBase64(std::string_view text) {
  return text.size() >= 8 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '+' || c == '/' || c == '=';
         });
}

// Whether one of the words, or arrows, stands in the text by itself.
bool Says(std::string_view text, std::initializer_list<std::string_view> words) {
  const auto is_letter = [&](size_t at) {
    const char c = at < text.size() ? text[at] : ' ';
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
      const bool letters = word.front() >= 'a' && word.front() <= 'z';
      if (!letters || ((at == 0 || !is_letter(at - 1)) && !is_letter(at + word.size())))
        return true;
    }
    return false;
  });
}

// Whether the words around a frame say that it was sent; nullopt: they say nothing, or both.
std::optional<bool> SentByWords(std::string_view around) {
  std::string words(around);
  for (char& c : words) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool sent = Says(words, {"send", "sends", "sent", "sending", "outgoing", "->", ">>",
                                 "\u2191", "\u2192", "\u2B06"});
  const bool received = Says(words, {"recv", "receive", "receives", "received", "receiving",
                                     "incoming", "<-", "<<", "\u2193", "\u2190", "\u2B07"});
  if (sent == received) return std::nullopt;
  return sent;
}

bool OnlyServersSend(const wire::Frame& frame) {
  switch (frame.action) {
    case wire::kAck:
    case wire::kNack:
    case wire::kConnected:
    case wire::kDisconnected:
    case wire::kClosed:
    case wire::kError:
    case wire::kAttached:
    case wire::kDetached:
      return true;
    default:
      return false;
  }
}

// What a socket is known by.
struct Known {
  std::string connection_id;
  std::string client_id;
  bool goes_on = false;      // the server says that it could not go on with another connection
  bool had_channel = false;  // the client attaches to where it was
  bool new_token = false;    // and no CONNECTED since
  std::vector<std::string> seen_ids;  // connections that frames and items speak of
};

class FrameTextReader {
 public:
  explicit FrameTextReader(Capture& capture) : capture_(capture), text_(capture.text) {}

  void Read() {
    for (size_t begin = 0; begin < text_.size();) {
      ++line_;
      const size_t end = std::min(text_.find('\n', begin), text_.size());
      begin = ReadLine(begin, end);
    }
    SetTimes();
    Link();
    if (capture_.sockets.empty()) {
      capture_.why_empty = "nothing in it is a frame of the Ably protocol";
    }
  }

 private:
  // Reads what stands on a line, which may be the first of an indented frame. Returns where the
  // next line begins.
  size_t ReadLine(size_t begin, size_t end) {
    const uint64_t line = line_;
    std::string_view whole = text_.substr(begin, end - begin);
    if (begin == 0 && whole.starts_with("\xEF\xBB\xBF")) whole.remove_prefix(3);
    if (const std::string_view packed = Trimmed(whole); IsBase64(packed)) {
      CapturedFrame frame;
      frame.form = CapturedFrame::Form::kPacked;
      frame.text = packed;
      frame.line = line;
      static_cast<void>(Take(frame, "", ""));  // other words are like base64, too
      return end + 1;
    }
    size_t next = end + 1;
    std::string_view rest = whole;
    std::string_view broken;
    bool found = false;
    int failed = 0;
    constexpr int kTries = 16;  // words may have braces, too
    while (failed < kTries) {
      const size_t brace = rest.find('{');
      if (brace == rest.npos) break;
      // As a text with its quotes escaped, or as such.
      const bool quoted =
          brace > 0 && rest[brace - 1] == '"' && rest.substr(brace).starts_with("{\\\"");
      const size_t first = quoted ? brace - 1 : brace;
      const std::string_view before = rest.substr(0, first);
      const auto at = static_cast<size_t>(rest.data() - text_.data()) + first;
      const bool indented = Trimmed(rest.substr(brace + 1)).empty();
      json::PieceReader reader(indented ? text_.substr(at) : rest.substr(first));
      std::string_view piece;
      if (!reader.TakeValue(piece)) {
        ++failed;
        // What begins a line, or like a frame, was to be one.
        if (quoted || Trimmed(before).empty() || HasAction(rest.substr(brace))) {
          if (broken.empty()) broken = reader.error();
        }
        rest.remove_prefix(brace + 1);
        continue;
      }
      const size_t after = at + piece.size();
      if (after > end) {
        line_ += static_cast<uint64_t>(std::count(piece.begin(), piece.end(), '\n'));
        end = std::min(text_.find('\n', after), text_.size());
        next = end + 1;
      }
      rest = text_.substr(after, end - after);
      found = true;
      ReadPiece(piece, line, before, rest.substr(0, rest.find('{')));
    }
    const bool gave_up = failed == kTries && HasAction(rest);
    if (!broken.empty() && (!found || gave_up)) {
      capture_.left_out.push_back({line, std::string(broken) + ": the message was cut or changed"});
    }
    return next;
  }

  static bool HasAction(std::string_view text) { return text.find("\"action\"") != text.npos; }

  // An object, or the text of one as a JSON string, with the words around it.
  void ReadPiece(std::string_view piece, uint64_t line, std::string_view before,
                 std::string_view after) {
    CapturedFrame frame;
    frame.text = piece;
    frame.line = line;
    if (piece.starts_with('"')) frame.form = CapturedFrame::Form::kJsonString;
    std::optional<std::string> why = Take(frame, before, after);
    if (!why.has_value()) return;
    if (piece.starts_with('"')) {
      if (LooksLikeFrame(json::StringOf(piece).value_or(""))) {
        capture_.left_out.push_back({line, *std::move(why)});
      }
      return;
    }
    if (LooksLikeFrame(piece)) {
      capture_.left_out.push_back({line, *std::move(why)});
      return;
    }
    // What was logged of a message may hold it as a text, beside when and whose it was.
    json::PieceReader reader(piece);
    std::string key;
    std::string_view value;
    if (!reader.EnterObject()) return;
    while (reader.TakeKey(key) && reader.TakeValue(value)) {
      if (!value.starts_with("\"{\\\"")) continue;
      const auto begin = static_cast<size_t>(value.data() - piece.data());
      ReadPiece(value, line, std::string(before) + std::string(piece.substr(0, begin)),
                std::string(piece.substr(begin + value.size())) + std::string(after));
      return;
    }
  }

  static bool LooksLikeFrame(std::string_view piece) {
    json::PieceReader reader(piece);
    std::string key;
    std::string_view value;
    if (!reader.EnterObject()) return false;
    while (reader.TakeKey(key) && reader.TakeValue(value)) {
      if (key == "action" && !value.starts_with('"')) return true;
    }
    return false;
  }

  // Why it could not be taken; nullopt if it was.
  std::optional<std::string> Take(CapturedFrame& captured, std::string_view before,
                                  std::string_view after) {
    wire::Frame frame;
    std::string_view json;
    if (std::optional<std::string> why = texts_.Read(captured, json, &frame)) return why;
    const std::optional<bool> by_words =
        SentByWords(std::string(before) + " " + std::string(after));
    captured.sent = OnlyClientsSend(frame) || (!OnlyServersSend(frame) && by_words.value_or(false));
    if (frame.action == wire::kConnected && !IsUpdate(frame)) BeginSocket(captured.line);
    if (capture_.sockets.empty()) BeginSocket(captured.line);
    Learn(frame, captured.sent);

    std::optional<ClockReading> reading = FindTime(before);
    if (!reading.has_value()) reading = FindTime(after);
    if (reading.has_value()) {
      clock_.Add(*reading, captured.sent ? std::nullopt : frame.timestamp);
      timed_.emplace_back(capture_.sockets.size() - 1, capture_.sockets.back().frames.size());
    }
    capture_.sockets.back().frames.push_back(captured);
    return std::nullopt;
  }

  // Whether CONNECTED tells of changes of the same connection, on the same socket.
  bool IsUpdate(const wire::Frame& frame) const {
    return !known_.empty() && known_.back().new_token &&
           known_.back().connection_id == frame.connection_id;
  }

  void BeginSocket(uint64_t line) {
    capture_.sockets.emplace_back().line = line;
    known_.emplace_back();
  }

  void Learn(const wire::Frame& frame, bool sent) {
    Known& known = known_.back();
    if (frame.action == wire::kConnected) {
      known.connection_id = frame.connection_id;
      known.client_id = frame.details_client_id;
      known.goes_on |= frame.error.has_value();
      known.new_token = false;
    }
    if (sent && frame.action == wire::kAuth) known.new_token = true;
    if (sent && frame.action == wire::kAttach) known.had_channel |= !frame.channel_serial.empty();
    constexpr size_t kMostIds = 10'000;
    if (known.connection_id.empty() && known.seen_ids.size() < kMostIds &&
        !frame.connection_id.empty()) {
      known.seen_ids.emplace_back(frame.connection_id);
    }
  }

  void SetTimes() {
    const std::vector<std::optional<int64_t>> times = clock_.Times();
    for (size_t i = 0; i < times.size(); ++i) {
      capture_.sockets[timed_[i].first].frames[timed_[i].second].t = times[i];
    }
  }

  void Link() {
    std::vector<size_t> ends;             // the last socket of each client so far
    std::map<std::string, size_t> by_id;  // clients by the connections that they had
    for (size_t i = 0; i < known_.size(); ++i) {
      const auto found = by_id.find(known_[i].connection_id);
      std::optional<size_t> client;
      if (!known_[i].connection_id.empty() && found != by_id.end()) {
        client = found->second;
      } else if (ends.size() == 1 && GoesOn(i, ends[0])) {
        client = 0;
      }
      if (client.has_value()) {
        capture_.sockets[i].follows = ends[*client];
        ends[*client] = i;
      } else {
        client = ends.size();
        ends.push_back(i);
      }
      by_id[known_[i].connection_id] = *client;
      // Of a socket whose beginning was not captured nothing else tells which connection it has.
      if (!known_[i].connection_id.empty()) continue;
      for (const std::string& id : known_[i].seen_ids) by_id[id] = *client;
    }
  }

  // It says of itself that it follows another, and may follow this one.
  bool GoesOn(size_t socket, size_t earlier) const {
    const Known& known = known_[socket];
    const bool same_client = known.client_id.empty() || known_[earlier].client_id.empty() ||
                             known.client_id == known_[earlier].client_id;
    return same_client && (known.goes_on || known.had_channel);
  }

  Capture& capture_;
  const std::string_view text_;
  uint64_t line_ = 0;
  FrameTexts texts_;
  std::vector<Known> known_;  // of each socket
  ClockLine clock_;
  std::vector<std::pair<size_t, size_t>> timed_;  // socket and frame of each reading of the clock
};

}  // namespace

void ReadFrameTexts(Capture& capture) { FrameTextReader(capture).Read(); }

}  // namespace presence::sim
