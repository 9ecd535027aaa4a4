#ifndef PRESENCE_SESSION_SERVER_READER_H_
#define PRESENCE_SESSION_SERVER_READER_H_

#include <cstddef>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "presence/session/server_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "presence/wire/packed_frame.h"

namespace presence {

// Makes inputs of what transports receive. It stands in front of the server, perhaps one on each of
// several threads that read sockets: a message that is read where it arrives costs the server's own
// thread nothing but what it asks for. One thread at a time.
class ServerReader {
 public:
  // A message larger than this is not read; the server's own limit, Options::max_frame_size.
  explicit ServerReader(size_t max_frame_size) : max_frame_size_(max_frame_size) {}
  ServerReader(const ServerReader&) = delete;
  ServerReader& operator=(const ServerReader&) = delete;

  // One message of a transport, of which the format is that with which it was accepted:
  // FrameReceived, or FrameUnreadable. The input views the reader and `message`, until the next
  // Read.
  ServerInput Read(TransportHandle transport,
                   std::string_view message ABSL_ATTRIBUTE_LIFETIME_BOUND,
                   wire::Format format = wire::Format::kJson) ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  const size_t max_frame_size_;
  wire::FrameReader reader_;
  wire::PackedFrameReader packed_reader_;
  absl::StatusOr<wire::Frame> frame_;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_SERVER_READER_H_
