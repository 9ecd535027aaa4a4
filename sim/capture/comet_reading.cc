#include "sim/capture/comet_reading.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/json/piece_reader.h"
#include "presence/wire/frame.h"
#include "sim/capture/socket_kind.h"
#include "sim/capture/socket_reading.h"

namespace presence::sim {
namespace {

constexpr std::string_view kComet = "/comet/";
constexpr std::string_view kConnect = "connect";

// What stands behind "/comet/" in the path: "connect", or a connection's key and "/send" or so.
std::string_view RestOfPath(std::string_view url) {
  const std::string_view path = url.substr(0, url.find('?'));
  const size_t at = path.find(kComet);
  return at == path.npos ? std::string_view() : path.substr(at + kComet.size());
}

std::string KeyInPath(std::string_view url) {
  const std::string_view rest = RestOfPath(url);
  return rest == kConnect ? "" : Decoded(rest.substr(0, rest.find('/')));
}

// Calls `take` for each message of a body: arrays of messages, mostly one. What is wrong, if it is
// no such thing.
template <typename Take>
std::string ForEachMessage(std::string_view body, const Take& take) {
  for (;;) {
    json::PieceReader reader(body);
    if (reader.Peek() == '\0') {
      return reader.position() == body.size() ? "" : "not valid JSON";
    }
    if (!reader.EnterArray()) return "not an array of messages";
    std::string_view piece;
    while (reader.TakeElement() && reader.TakeValue(piece)) take(piece);
    if (!reader.ok()) return std::string(reader.error());
    body.remove_prefix(reader.position());
  }
}

}  // namespace

bool IsComet(std::string_view url) { return !RestOfPath(url).empty(); }

void CometReading::Add(CometRequest request) { requests_.push_back(std::move(request)); }

std::vector<CometReading::Connection> CometReading::Connections(FrameTexts& texts) const {
  std::vector<Connection> connections;
  std::map<std::string, size_t> by_key;
  for (size_t i = 0; i < requests_.size(); ++i) {
    const CometRequest& request = requests_[i];
    if (RestOfPath(request.url) != kConnect) continue;
    Connection& connection = connections.emplace_back();
    connection.requests.push_back(i);
    connection.streams = QueryParameter(request.url, "stream").value_or("true") != "false";
    const std::string body = request.received.value_or("");
    ForEachMessage(body, [&](std::string_view message) {
      CapturedFrame captured;
      captured.text = message;
      wire::Frame frame;
      std::string_view json;
      if (texts.Read(captured, json, &frame).has_value()) return;
      if (frame.action == wire::kConnected) connection.key = ConnectionKeyOf(frame, json);
    });
    if (!connection.key.empty()) by_key[connection.key] = connections.size() - 1;
  }
  for (size_t i = 0; i < requests_.size(); ++i) {
    const std::string key = KeyInPath(requests_[i].url);
    if (key.empty()) continue;
    // Of one that connected before the capture began its requests still know the key.
    const auto [known, is_new] = by_key.try_emplace(key, connections.size());
    if (is_new) connections.emplace_back().key = key;
    connections[known->second].requests.push_back(i);
  }
  return connections;
}

void CometReading::AddTo(FrameTexts& texts, Capture& capture) {
  for (const Connection& connection : Connections(texts)) Read(connection, texts, capture);
}

void CometReading::Read(const Connection& connection, FrameTexts& texts, Capture& capture) {
  const CometRequest& first = requests_[connection.requests[0]];
  if (connection.streams) {
    capture.left_out.push_back(
        {first.line,
         "a client had no WebSocket, and what it received over HTTP (/comet/) was streamed: when "
         "what of it came is not in the capture"});
    return;
  }
  CapturedSocket socket;
  socket.url = first.url;
  socket.opened = first.began;
  socket.line = first.line;
  SocketReading reading(std::move(socket));
  std::vector<Message> messages;
  const auto read_body = [&](const CometRequest& request, std::optional<std::string> body,
                             bool sent) {
    const std::optional<int64_t> t = sent ? request.began : request.ended;
    const std::string& kept = capture.texts.emplace_back(*std::move(body));
    const std::string wrong = ForEachMessage(kept, [&](std::string_view piece) {
      Message& message = messages.emplace_back();
      message.t = t;
      message.frame.sent = sent;
      message.frame.line = request.line;
      message.frame.t = t;
      message.frame.text = piece;
    });
    if (!wrong.empty()) reading.LeaveOut(request.line, "a request over HTTP (/comet/): " + wrong);
  };
  for (const size_t i : connection.requests) {
    CometRequest& request = requests_[i];
    const std::string_view rest = RestOfPath(request.url);
    if (request.sent.has_value()) {
      read_body(request, std::exchange(request.sent, std::nullopt), true);
    } else if (rest.ends_with("/send")) {
      reading.LeaveOut(request.line, "a request over HTTP (/comet/) whose body was not kept");
    }
    if (request.received.has_value()) {
      read_body(request, std::exchange(request.received, std::nullopt), false);
    } else {
      reading.LeaveOut(request.line, "an answer over HTTP (/comet/) whose body was not kept");
    }
  }
  const bool timed = std::all_of(messages.begin(), messages.end(),
                                 [](const Message& message) { return message.t.has_value(); });
  if (timed) {
    std::stable_sort(messages.begin(), messages.end(),
                     [](const Message& a, const Message& b) { return *a.t < *b.t; });
  }
  for (const Message& message : messages) reading.Take(message.frame, texts);
  reading.AddTo(capture);
}

}  // namespace presence::sim
