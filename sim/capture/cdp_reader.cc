#include "sim/capture/cdp_reader.h"

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
#include "sim/capture/clock.h"
#include "sim/capture/line_counter.h"
#include "sim/capture/socket_reading.h"

namespace presence::sim {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kOfSockets = "Network.webSocket";
constexpr std::string_view kPayload = "payloadData";

// One event, as far as it is of use here. Pieces of the file, or of what the capture keeps.
struct CdpEvent {
  std::string method;
  std::string session;  // of the protocol: a page, for one
  std::string request;  // the socket
  std::string url;
  std::optional<double> clock;  // the browser's, in seconds; since when, nobody says
  std::optional<double> wall;   // the same moment in seconds since the epoch
  std::optional<int64_t> t;     // when whoever logged it had it, ms since the epoch
  double opcode = 1;
  std::string_view payload;  // the text of a JSON string
  std::optional<bool> mask;  // clients mask what they send, servers never
  bool has_frame = false;
};

struct CdpMessage {
  CapturedFrame frame;
  std::optional<double> clock;
  std::string why;  // if it cannot be read
};

struct CdpSocket {
  std::string url;
  uint64_t line = 0;
  std::optional<double> opened;
  std::vector<CdpMessage> messages;
};

class CdpReader {
 public:
  explicit CdpReader(Capture& capture) : capture_(capture), text_(capture.text), lines_(text_) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  void Read() {
    json::PieceReader array(text_);
    if (array.EnterArray()) {
      std::string_view piece;
      while (array.TakeElement() && array.TakeValue(piece)) ReadPiece(piece, "");
      if (!array.ok()) LeaveOut(At(array.position()), std::string(array.error()));
    } else {
      ReadLines();
    }
    for (CdpSocket& socket : sockets_) Finish(socket);
    if (capture_.sockets.empty()) {
      capture_.why_empty =
          sockets_.empty()
              ? "its events are not of WebSockets: call Network.enable before the page is loaded, "
                "and keep Network.webSocketCreated, ...FrameSent and ...FrameReceived"
              : "none of its WebSockets carries frames of the Ably protocol";
    }
  }

 private:
  uint64_t At(size_t position) {
    return lines_.LineAt(static_cast<size_t>(text_.data() - capture_.text.data()) + position);
  }
  void LeaveOut(uint64_t line, std::string why) {
    capture_.left_out.push_back({line, std::move(why)});
  }

  // Objects one after the other, each on a line or indented on several, with words between them.
  void ReadLines() {
    for (size_t at = 0; at < text_.size();) {
      const size_t end = std::min(text_.find('\n', at), text_.size());
      at = ReadLine(at, end);
    }
  }

  // Returns where to read on: behind an object, or in the next line.
  size_t ReadLine(size_t begin, size_t end) {
    constexpr int kTries = 8;  // words may have braces, too
    size_t brace = text_.find('{', begin);
    std::string_view error;
    for (int tries = 0; tries < kTries && brace < end; ++tries) {
      const bool indented = text_.find_first_not_of(" \t\r", brace + 1) == end;
      json::PieceReader reader(indented ? text_.substr(brace) : text_.substr(brace, end - brace));
      std::string_view piece;
      if (reader.TakeValue(piece)) {
        ReadPiece(piece, text_.substr(begin, brace - begin));
        return brace + piece.size();
      }
      if (error.empty()) error = reader.error();
      brace = text_.find('{', brace + 1);
    }
    const std::string_view line = text_.substr(begin, end - begin);
    if (!error.empty() && line.find(kOfSockets) != line.npos && line.find(kPayload) != line.npos) {
      LeaveOut(At(begin), std::string(error) + ": the event was cut or changed");
    }
    return end + 1;
  }

  void ReadPiece(std::string_view piece, std::string_view before) {
    const uint64_t line = At(static_cast<size_t>(piece.data() - text_.data()));
    CdpEvent event;
    const std::optional<ClockReading> logged = FindTime(before);
    if (logged.has_value() && logged->has_zone) event.t = logged->ms;
    if (Find(piece, 0, event)) Take(event, line);
  }

  // Finds the event that an object is, or that is somewhere in it.
  bool Find(std::string_view piece, int depth, CdpEvent& event) {
    constexpr int kDeepest = 4;
    // Most of a browser's events are of something else.
    if (depth == kDeepest ||
        (piece.find(kOfSockets) == piece.npos && piece.find(kPayload) == piece.npos)) {
      return false;
    }
    if (ReadEvent(piece, event)) return true;
    bool found = false;
    json::PieceReader reader(piece);
    std::string key;
    std::string_view value;
    if (reader.EnterArray()) {
      while (!found && reader.TakeElement() && reader.TakeValue(value)) {
        found = FindIn(value, depth, event);
      }
    } else if (reader.EnterObject()) {
      while (reader.TakeKey(key) && reader.TakeValue(value)) {
        if (IsTime(key)) event.t = TimeOf(value);
        if (key == "sessionId") event.session = json::StringOf(value).value_or("");
        found = found || FindIn(value, depth, event);
      }
    }
    return found;
  }

  bool FindIn(std::string_view value, int depth, CdpEvent& event) {
    if (value.starts_with('{') || value.starts_with('[')) return Find(value, depth + 1, event);
    if (!value.starts_with('"') || value.find(kOfSockets) == value.npos) return false;
    // As a driver's log has it: the event's JSON as a text.
    const std::optional<std::string> text = json::StringOf(value);
    if (!text.has_value() || !text->starts_with('{')) return false;
    const std::string& kept = capture_.texts.emplace_back(*text);
    if (Find(kept, depth + 1, event)) return true;
    capture_.texts.pop_back();
    return false;
  }

  static bool IsTime(std::string_view key) {
    return key == "timestamp" || key == "time" || key == "t";
  }
  static std::optional<int64_t> TimeOf(std::string_view value) {
    if (value.starts_with('"')) return ParseInstant(json::StringOf(value).value_or(""));
    return InstantOf(json::NumberOf(value).value_or(-1));
  }

  // Whether the object itself is an event about a socket, or the parameters of one with a frame.
  static bool ReadEvent(std::string_view piece, CdpEvent& event) {
    json::PieceReader reader(piece);
    if (!reader.EnterObject()) return false;
    CdpEvent read = event;
    std::string_view parameters = piece;
    std::string_view time;
    std::string key;
    std::string_view value;
    while (reader.TakeKey(key) && reader.TakeValue(value)) {
      if (key == "method") read.method = json::StringOf(value).value_or("");
      if (key == "sessionId") read.session = json::StringOf(value).value_or("");
      if (key == "params" && value.starts_with('{')) parameters = value;
      if (IsTime(key)) time = value;
    }
    if (read.method.empty() ? parameters.data() != piece.data()
                            : !read.method.starts_with(kOfSockets)) {
      return false;
    }
    if (parameters.data() != piece.data() && !time.empty()) read.t = TimeOf(time);
    ReadParameters(parameters, read);
    if (read.method.empty() && !read.has_frame) return false;
    event = std::move(read);
    return true;
  }

  static void ReadParameters(std::string_view piece, CdpEvent& event) {
    json::PieceReader reader(piece);
    if (!reader.EnterObject()) return;
    std::string key;
    std::string_view value;
    while (reader.TakeKey(key) && reader.TakeValue(value)) {
      if (key == "requestId") event.request = json::StringOf(value).value_or("");
      if (key == "url") event.url = json::StringOf(value).value_or("");
      if (key == "timestamp") event.clock = json::NumberOf(value);
      if (key == "wallTime") event.wall = json::NumberOf(value);
      if (key == "response") ReadFrame(value, event);
    }
  }

  static void ReadFrame(std::string_view piece, CdpEvent& event) {
    json::PieceReader reader(piece);
    if (!reader.EnterObject()) return;
    std::string key;
    std::string_view value;
    while (reader.TakeKey(key) && reader.TakeValue(value)) {
      if (key == "opcode") event.opcode = json::NumberOf(value).value_or(event.opcode);
      if (key == "mask" && (value == "true" || value == "false")) event.mask = value == "true";
      if (key != kPayload || !value.starts_with('"')) continue;
      event.payload = value;
      event.has_frame = true;
    }
  }

  void Take(const CdpEvent& event, uint64_t line) {
    if (event.clock.has_value() && event.wall.has_value() && !since_.has_value()) {
      since_ = *event.wall - *event.clock;
    }
    if (event.method == "Network.webSocketCreated") {
      Begin(event, line).url = event.url;
      return;
    }
    if (event.method == "Network.webSocketWillSendHandshakeRequest") {
      SocketOf(event, line).opened = event.clock;
      return;
    }
    if (!event.has_frame) return;
    std::optional<bool> sent = event.mask;
    if (event.method == "Network.webSocketFrameSent") sent = true;
    if (event.method == "Network.webSocketFrameReceived") sent = false;
    constexpr double kFirstControl = 8;
    if (event.opcode >= kFirstControl) return;
    if (event.request.empty()) {
      LeaveOut(line, "a message without a requestId: nothing says of which socket it is");
      return;
    }
    CdpMessage message;
    if (!sent.has_value()) message.why = "a message that was neither sent nor received";
    message.frame.form =
        event.opcode == 1 ? CapturedFrame::Form::kJsonString : CapturedFrame::Form::kPackedString;
    message.frame.sent = sent.value_or(false);
    message.frame.line = line;
    message.frame.t = event.t;
    message.frame.text = event.payload;
    message.clock = event.clock;
    SocketOf(event, line).messages.push_back(std::move(message));
  }

  CdpSocket& Begin(const CdpEvent& event, uint64_t line) {
    by_request_[{event.session, event.request}] = sockets_.size();
    CdpSocket& socket = sockets_.emplace_back();
    socket.line = line;
    return socket;
  }
  CdpSocket& SocketOf(const CdpEvent& event, uint64_t line) {
    const auto known = by_request_.find({event.session, event.request});
    return known == by_request_.end() ? Begin(event, line) : sockets_[known->second];
  }

  // The browser's clock counts if it is known since when; else that of whoever logged.
  std::optional<int64_t> Time(std::optional<double> clock, std::optional<int64_t> t) const {
    if (!clock.has_value()) return t;
    const std::optional<int64_t> real = InstantOf(*clock + since_.value_or(0));
    return real.has_value() ? real : t;
  }

  void Finish(CdpSocket& socket) {
    CapturedSocket captured;
    captured.url = std::move(socket.url);
    captured.line = socket.line;
    captured.opened = Time(socket.opened, std::nullopt);
    SocketReading reading(std::move(captured));
    for (CdpMessage& message : socket.messages) {
      message.frame.t = Time(message.clock, message.frame.t);
      if (message.why.empty()) {
        reading.Take(message.frame, texts_);
      } else {
        reading.LeaveOut(message.frame.line, std::move(message.why));
      }
    }
    reading.AddTo(capture_);
  }

  Capture& capture_;
  std::string_view text_;
  LineCounter lines_;
  FrameTexts texts_;
  std::vector<CdpSocket> sockets_;  // in the order of their first events
  std::map<std::pair<std::string, std::string>, size_t> by_request_;  // by session and request
  std::optional<double> since_;  // when the browser's clock began, in seconds since the epoch
};

}  // namespace

void ReadCdpEvents(Capture& capture) { CdpReader(capture).Read(); }

}  // namespace presence::sim
