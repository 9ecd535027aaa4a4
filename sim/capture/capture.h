#ifndef SIM_CAPTURE_CAPTURE_H_
#define SIM_CAPTURE_CAPTURE_H_

// What a file holds that somebody captured: the sockets of its clients with their frames, and what
// could not be read of it.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/wire/frame.h"

namespace presence::sim {

// A longer message is left out. No service sends one that is nearly as long.
inline constexpr size_t kMaxMessageBytes = size_t{8} << 20;

// One frame, as the file has it.
struct CapturedFrame {
  // How `text` says the frame.
  enum class Form : uint8_t {
    kJson,          // as JSON
    kJsonString,    // as JSON, in the text of a JSON string, quotes and all
    kPackedString,  // as MessagePack, in base64, in the text of a JSON string
    kPacked,        // as MessagePack, in base64
  };
  Form form = Form::kJson;
  bool sent = false;         // by the client
  uint64_t line = 0;         // of the file
  std::optional<int64_t> t;  // ms since the epoch
  std::string_view text;     // of the file, or kept by the capture
};

// One WebSocket, or as much of one as the file has, with at least one frame.
struct CapturedSocket {
  std::string url;                    // empty: not known
  std::optional<int64_t> opened;      // ms since the epoch
  uint64_t line = 0;                  // of the file, where it begins
  std::vector<CapturedFrame> frames;  // in the order of the file
  // The socket that came before it in the same client's session, by its place among the sockets.
  std::optional<size_t> follows;
};

// Something of the file that is not in the sockets, and should have been.
struct LeftOut {
  uint64_t line = 0;
  std::string why;
};

struct Capture {
  std::string text;               // all of the file; what follows views it
  std::deque<std::string> texts;  // of frames that do not stand in it as such
  std::vector<CapturedSocket> sockets;
  std::vector<LeftOut> left_out;  // in the order of the file
  // Sockets that carry something else than frames, or nothing.
  size_t sockets_passed_over = 0;
  // If no socket was found: what may be the reason, and what to do, for people.
  std::string why_empty;
};

// The frame's JSON form, on one line.
//
// With one set of buffers for many frames. One thread at a time.
class FrameTexts {
 public:
  FrameTexts();
  FrameTexts(const FrameTexts&) = delete;
  FrameTexts& operator=(const FrameTexts&) = delete;
  ~FrameTexts();

  // `json` becomes the text, and `frame`, if not null, what it says. Both hold until the next call.
  // If there is no such form, it is no frame, or it is too long, returns why, which fits after
  // "FILE:LINE: ".
  std::optional<std::string> Read(const CapturedFrame& captured, std::string_view& json,
                                  wire::Frame* frame);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_CAPTURE_H_
