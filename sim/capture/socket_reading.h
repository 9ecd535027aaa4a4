#ifndef SIM_CAPTURE_SOCKET_READING_H_
#define SIM_CAPTURE_SOCKET_READING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/capture/capture.h"
#include "sim/capture/socket_kind.h"

namespace presence::sim {

// A socket while its messages are read, one after the other, of a file that says which message is
// whose. Whether it carries the Ably protocol at all only its messages tell.
class SocketReading {
 public:
  // `socket`: with all but its frames.
  explicit SocketReading(CapturedSocket socket);

  // The next message, a frame if it can be read as one.
  void Take(const CapturedFrame& frame, FrameTexts& texts);
  // The next message, which is none that could be read.
  void LeaveOut(uint64_t line, std::string why);
  // After the last: the socket, and what was left out of it, go into the capture; or it is one that
  // was passed over.
  void AddTo(Capture& capture);

 private:
  CapturedSocket socket_;
  SocketKind kind_;
  std::vector<LeftOut> left_out_;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_SOCKET_READING_H_
