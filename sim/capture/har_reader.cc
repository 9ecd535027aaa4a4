#include "sim/capture/har_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/piece_reader.h"
#include "sim/capture/clock.h"
#include "sim/capture/comet_reading.h"
#include "sim/capture/line_counter.h"
#include "sim/capture/socket_reading.h"

namespace presence::sim {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// One element of _webSocketMessages. Pieces of the HAR, or of what lies beside it.
struct RawMessage {
  std::string_view type;
  std::string_view time;
  std::string_view opcode;
  std::string_view data;
  uint64_t line = 0;
  bool is_object = false;
};

// What an entry of a HAR says that is of use here.
struct Entry {
  std::string url;
  std::string resource_type;
  std::string file;  // beside the HAR, with the messages
  std::optional<int64_t> started;
  double milliseconds = -1;  // that it took
  double status = 0;
  // Texts of JSON strings: what was sent, and the answer, whose text may be in base64.
  std::string_view sent;
  std::string_view answer;
  bool is_base64 = false;
  bool has_messages = false;
  std::vector<RawMessage> messages;
  uint64_t line = 0;
};

RawMessage ReadMessage(std::string_view piece, uint64_t line) {
  RawMessage message;
  message.line = line;
  json::PieceReader reader(piece);
  message.is_object = reader.EnterObject();
  std::string key;
  while (message.is_object && reader.TakeKey(key)) {
    std::string_view value;
    if (!reader.TakeValue(value)) break;
    if (key == "type") message.type = value;
    if (key == "time") message.time = value;
    if (key == "opcode") message.opcode = value;
    if (key == "data") message.data = value;
  }
  return message;
}

// Calls `take` with the key and the value's piece for each field of an object; for nothing else.
template <typename Take>
void ForEachField(std::string_view piece, const Take& take) {
  json::PieceReader reader(piece);
  if (!reader.EnterObject()) return;
  std::string key;
  std::string_view value;
  while (reader.TakeKey(key) && reader.TakeValue(value)) take(key, value);
}

// Milliseconds since the epoch: of seconds, milliseconds, or a text, for writers differ.
std::optional<int64_t> TimeOf(std::string_view piece) {
  if (piece.starts_with('"')) return ParseInstant(json::StringOf(piece).value_or(""));
  return InstantOf(json::NumberOf(piece).value_or(-1));
}

class HarReader {
 public:
  HarReader(ReadBeside read_beside, Capture& capture)
      : read_beside_(read_beside), capture_(capture), text_(capture.text), lines_(text_) {
    if (text_.starts_with(kByteOrderMark)) mark_ = kByteOrderMark.size();
  }

  void Read() {
    json::PieceReader reader(text_.substr(mark_));
    bool has_log = false;
    if (reader.EnterObject()) {
      std::string key;
      while (reader.TakeKey(key)) {
        if (key == "log" && reader.Peek() == '{') {
          has_log = true;
          ReadLog(reader);
        } else if (!reader.PassOver()) {
          break;
        }
      }
    }
    if (!reader.ok() || (has_log && !reader.TakeEnd())) {
      LeaveOut(lines_.LineAt(mark_ + reader.position()), reader.error());
    } else if (!has_log) {
      LeaveOut(1, "not a HAR: has no \"log\"");
    }
    comet_.AddTo(texts_, capture_);
    if (capture_.sockets.empty()) capture_.why_empty = WhyEmpty();
  }

 private:
  void LeaveOut(uint64_t line, std::string_view why) {
    capture_.left_out.push_back({line, std::string(why)});
  }

  void ReadLog(json::PieceReader& reader) {
    if (!reader.EnterObject()) return;
    std::string key;
    while (reader.TakeKey(key)) {
      if (key == "entries" && reader.EnterArray()) {
        while (reader.TakeElement()) ReadEntry(reader);
        continue;
      }
      std::string_view value;
      if (!reader.TakeValue(value)) return;
      if (key == "creator") {
        ForEachField(value, [this](const std::string& field, std::string_view name) {
          if (field == "name") creator_ = json::StringOf(name).value_or("");
        });
      }
    }
  }

  void ReadEntry(json::PieceReader& reader) {
    Entry entry;
    reader.Peek();
    entry.line = lines_.LineAt(mark_ + reader.position());
    if (reader.EnterObject()) {
      std::string key;
      while (reader.TakeKey(key)) {
        if (key == "_webSocketMessages" && reader.EnterArray()) {
          entry.has_messages = true;
          entry.messages.clear();
          while (reader.TakeElement()) {
            std::string_view piece;
            if (!reader.TakeValue(piece)) break;
            const auto begin = static_cast<size_t>(piece.data() - text_.data());
            entry.messages.push_back(ReadMessage(piece, lines_.LineAt(begin)));
          }
          continue;
        }
        std::string_view value;
        if (!reader.TakeValue(value)) break;
        ReadField(key, value, entry);
      }
    } else if (!reader.PassOver()) {
      return;
    }
    FinishEntry(entry);
  }

  static void ReadField(const std::string& key, std::string_view value, Entry& entry) {
    if (key == "startedDateTime") {
      entry.started = ParseInstant(json::StringOf(value).value_or(""));
    } else if (key == "_resourceType") {
      entry.resource_type = json::StringOf(value).value_or("");
    } else if (key == "time") {
      entry.milliseconds = json::NumberOf(value).value_or(-1);
    } else if (key == "request") {
      ForEachField(value, [&entry](const std::string& field, std::string_view piece) {
        if (field == "url") entry.url = json::StringOf(piece).value_or("");
        if (field != "postData") return;
        ForEachField(piece, [&entry](const std::string& inner, std::string_view text) {
          if (inner == "text") entry.sent = text;
        });
      });
    } else if (key == "response") {
      ForEachField(value, [&entry](const std::string& field, std::string_view piece) {
        if (field == "status") entry.status = json::NumberOf(piece).value_or(0);
        if (field != "content") return;
        ForEachField(piece, [&entry](const std::string& inner, std::string_view text) {
          if (inner == "_file") entry.file = json::StringOf(text).value_or("");
          if (inner == "text") entry.answer = text;
          if (inner == "encoding") entry.is_base64 = text == "\"base64\"";
        });
      });
    }
  }

  static bool IsWebSocket(const Entry& entry) {
    return entry.has_messages || entry.resource_type == "websocket" || entry.status == 101 ||
           entry.url.starts_with("ws://") || entry.url.starts_with("wss://");
  }

  void FinishEntry(Entry& entry) {
    if (!IsWebSocket(entry)) {
      // Those that failed carried nothing.
      if (IsComet(entry.url) && entry.status >= 200 && entry.status < 300) TakeComet(entry);
      return;
    }
    ++sockets_seen_;
    if (entry.messages.empty() && entry.file.ends_with(".jsonl")) ReadFileBeside(entry);
    CapturedSocket socket;
    socket.url = std::move(entry.url);
    socket.opened = entry.started;
    socket.line = entry.line;
    SocketReading reading(std::move(socket));
    for (const RawMessage& message : entry.messages) {
      CapturedFrame frame;
      const Taken taken = Take(message, frame);
      if (taken == Taken::kPassed) continue;
      ++messages_seen_;
      if (taken == Taken::kFrame) {
        reading.Take(frame, texts_);
      } else {
        reading.LeaveOut(message.line, std::string(why_));
      }
    }
    reading.AddTo(capture_);
  }

  void TakeComet(Entry& entry) {
    CometRequest request;
    request.url = std::move(entry.url);
    request.line = entry.line;
    request.began = entry.started;
    if (entry.started.has_value() && entry.milliseconds >= 0 && entry.milliseconds < kMsPerDay) {
      request.ended = *entry.started + static_cast<int64_t>(entry.milliseconds);
    }
    request.sent = json::StringOf(entry.sent);
    request.received = json::StringOf(entry.answer);
    if (entry.is_base64 && request.received.has_value()) {
      std::string text;
      const bool decoded = absl::Base64Unescape(*request.received, &text);
      request.received = decoded ? std::optional(std::move(text)) : std::nullopt;
    }
    constexpr double kNoContent = 204;
    if (entry.status == kNoContent) request.received = "";
    comet_.Add(std::move(request));
    ++comet_requests_;
  }

  // Whether a message is to be read; what is neither is told of in why_.
  enum class Taken { kFrame, kPassed, kWrong };
  Taken Take(const RawMessage& message, CapturedFrame& frame) {
    why_ = "a message that is not an object";
    if (!message.is_object) return Taken::kWrong;
    const std::string type = json::StringOf(message.type).value_or("");
    const double opcode = json::NumberOf(message.opcode).value_or(kNoOpcode);
    constexpr double kText = 1;
    constexpr double kBinary = 2;
    constexpr double kFirstControl = 8;
    // Of an attempt that failed, or of the WebSocket itself.
    if (opcode < 0 && opcode != kNoOpcode) return Taken::kPassed;
    if (opcode >= kFirstControl || type == "error") return Taken::kPassed;
    why_ = "a message that was neither sent nor received";
    if (type != "send" && type != "receive") return Taken::kWrong;
    why_ = "a message of neither text nor bytes";
    if (opcode != kText && opcode != kBinary && opcode != kNoOpcode) return Taken::kWrong;
    why_ = "a message without its data";
    if (!message.data.starts_with('"')) return Taken::kWrong;
    // Some writers leave out the opcode; a frame's JSON begins with a brace, and base64 does not.
    const bool packed = opcode == kBinary ||
                        (opcode == kNoOpcode && message.data.substr(1).find_first_not_of(" ") !=
                                                    message.data.substr(1).find('{'));
    frame.form = packed ? CapturedFrame::Form::kPackedString : CapturedFrame::Form::kJsonString;
    frame.sent = type == "send";
    frame.line = message.line;
    frame.t = TimeOf(message.time);
    frame.text = message.data;
    return Taken::kFrame;
  }

  // One message a line. They count as being on the entry's line.
  void ReadFileBeside(Entry& entry) {
    const bool bare = entry.file.find_first_of("/\\") == std::string::npos &&
                      entry.file.find('\0') == std::string::npos && !entry.file.starts_with('.');
    if (!bare) {
      LeaveOut(entry.line, "the messages are in a file that is not beside this one");
      return;
    }
    if (!files_read_.insert(entry.file).second) {
      LeaveOut(entry.line, "the messages are in a file that another socket named");
      return;
    }
    absl::StatusOr<std::string> content = read_beside_(entry.file);
    if (!content.ok()) {
      LeaveOut(entry.line, absl::StrCat("the messages are in a file of their own: ",
                                        content.status().message()));
      return;
    }
    std::string_view rest = capture_.texts.emplace_back(*std::move(content));
    entry.has_messages = true;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      json::PieceReader reader(line);
      std::string_view piece;
      if (reader.Peek() == '\0' && line.find_first_not_of(" \t\r") == line.npos) continue;
      if (reader.TakeValue(piece) && reader.TakeEnd()) {
        entry.messages.push_back(ReadMessage(piece, entry.line));
      } else {
        LeaveOut(entry.line, absl::StrCat(AbslView(entry.file), ": ", AbslView(reader.error())));
      }
    }
  }

  std::string WhyEmpty() const {
    if (comet_requests_ > 0 && messages_seen_ == 0) {
      return "its client had no WebSocket and went over HTTP (/comet/), of which nothing could be "
             "read; capture where WebSockets are let through (of ably-js the option transports: "
             "['web_socket'] shows whether they are)";
    }
    const std::string writer = creator_.empty() ? "what wrote it" : creator_;
    constexpr std::string_view kHow =
        "capture with Chrome, Chromium or Edge (developer tools, Network, before the page is "
        "loaded; Export HAR), Playwright or mitmproxy";
    if (sockets_seen_ == 0) {
      return absl::StrCat(
          "the HAR has no WebSocket: one that was opened before the recording began "
          "is not in it, and some writers (chrome-har) leave all of them out; ",
          AbslView(kHow));
    }
    if (messages_seen_ == 0) {
      return absl::StrCat("the HAR has ", sockets_seen_,
                          sockets_seen_ == 1 ? " WebSocket" : " WebSockets",
                          " without messages: ", writer,
                          " did not write them (Firefox and Safari never do); ", AbslView(kHow));
    }
    return "none of the HAR's WebSockets carries frames of the Ably protocol";
  }

  static constexpr double kNoOpcode = -100;

  const ReadBeside read_beside_;
  Capture& capture_;
  const std::string_view text_;
  size_t mark_ = 0;  // the length of the byte order mark
  LineCounter lines_;
  FrameTexts texts_;
  std::string creator_;
  std::set<std::string> files_read_;
  std::string_view why_;
  size_t sockets_seen_ = 0;
  CometReading comet_;
  size_t comet_requests_ = 0;
  size_t messages_seen_ = 0;
};

}  // namespace

void ReadHar(ReadBeside read_beside, Capture& capture) { HarReader(read_beside, capture).Read(); }

}  // namespace presence::sim
