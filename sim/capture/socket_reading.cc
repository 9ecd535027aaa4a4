#include "sim/capture/socket_reading.h"

#include <optional>
#include <string_view>
#include <utility>

#include "presence/wire/frame.h"

namespace presence::sim {

SocketReading::SocketReading(CapturedSocket socket)
    : socket_(std::move(socket)), kind_(socket_.url) {}

void SocketReading::Take(const CapturedFrame& frame, FrameTexts& texts) {
  wire::Frame said;
  std::string_view json;
  if (std::optional<std::string> why = texts.Read(frame, json, &said)) {
    LeaveOut(frame.line, *std::move(why));
    return;
  }
  kind_.See(said, frame.sent);
  socket_.frames.push_back(frame);
}

void SocketReading::LeaveOut(uint64_t line, std::string why) {
  left_out_.push_back({line, std::move(why)});
}

void SocketReading::AddTo(Capture& capture) {
  if (!kind_.IsAbly()) {
    ++capture.sockets_passed_over;
    return;
  }
  for (LeftOut& left : left_out_) capture.left_out.push_back(std::move(left));
  if (socket_.frames.empty()) {
    ++capture.sockets_passed_over;
  } else {
    capture.sockets.push_back(std::move(socket_));
  }
}

}  // namespace presence::sim
