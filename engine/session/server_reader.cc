#include "presence/session/server_reader.h"

namespace presence {

ServerInput ServerReader::Read(TransportHandle transport, std::string_view message,
                               wire::Format format) {
  if (message.size() > max_frame_size_) {
    return FrameUnreadable{transport, "the frame is too large", message.size()};
  }
  frame_ =
      format == wire::Format::kMessagePack ? packed_reader_.Read(message) : reader_.Read(message);
  if (frame_.ok()) return FrameReceived{transport, &*frame_, message.size()};
  const auto reason = frame_.status().message();
  return FrameUnreadable{transport, {reason.data(), reason.size()}, message.size()};
}

}  // namespace presence
