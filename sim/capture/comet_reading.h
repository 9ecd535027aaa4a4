#ifndef SIM_CAPTURE_COMET_READING_H_
#define SIM_CAPTURE_COMET_READING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/capture/capture.h"

namespace presence::sim {

// One HTTP request of a client that has no WebSocket: it connects by one, sends by others, and
// waits in further ones for what it is to receive, each answered once there is something.
struct CometRequest {
  std::string url;
  uint64_t line = 0;             // of the file
  std::optional<int64_t> began;  // ms since the epoch
  std::optional<int64_t> ended;
  std::optional<std::string> sent;      // the body; nullopt: none, or it was not kept
  std::optional<std::string> received;  // that of the answer
};

// Whether a URL is one of those requests.
bool IsComet(std::string_view url);

// Puts the requests of clients together: what each connection carried becomes a socket.
class CometReading {
 public:
  void Add(CometRequest request);
  // After the last. Answers that were streamed are named and left out: what of them came before
  // another request, and what after, nothing says.
  void AddTo(FrameTexts& texts, Capture& capture);

 private:
  struct Message {
    std::optional<int64_t> t;
    CapturedFrame frame;
  };
  struct Connection {
    std::vector<size_t> requests;
    std::string key;  // in the URLs of all but the first
    bool streams = false;
  };
  std::vector<Connection> Connections(FrameTexts& texts) const;
  void Read(const Connection& connection, FrameTexts& texts, Capture& capture);

  std::vector<CometRequest> requests_;  // in the order of the file
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_COMET_READING_H_
