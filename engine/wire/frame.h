#ifndef PRESENCE_WIRE_FRAME_H_
#define PRESENCE_WIRE_FRAME_H_

// Frames of the Ably realtime protocol in their JSON form: structs, and structs to text.
// frame_reader.h reads them.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"

namespace presence::wire {

// What the bytes of a frame are: JSON in text messages, MessagePack in binary ones.
enum class Format : uint8_t {
  kJson,
  kMessagePack,
};

// The actions that the engine knows (TR2).
enum FrameAction : int64_t {
  kHeartbeat = 0,
  kAck = 1,
  kNack = 2,
  kConnect = 3,
  kConnected = 4,
  kDisconnect = 5,
  kDisconnected = 6,
  kClose = 7,
  kClosed = 8,
  kError = 9,
  kAttach = 10,
  kAttached = 11,
  kDetach = 12,
  kDetached = 13,
  kPresence = 14,
  kMessage = 15,
  kSync = 16,
  kAuth = 17,
  kObject = 19,
  kAnnotation = 21,
};

// What a frame says, whatever its action. Absent, null and empty fields are alike: empty or
// nullopt. Views hold as long as the reader that made them says.
struct Frame {
  int64_t action = 0;  // a FrameAction, or a number of no use to us
  std::string_view channel;
  std::string_view channel_serial;
  std::string_view id;
  std::string_view connection_id;
  std::optional<int64_t> timestamp;  // ms since the epoch
  std::optional<int64_t> msg_serial;
  std::optional<int64_t> count;
  std::optional<int64_t> flags;
  std::optional<ErrorInfo> error;
  // connectionDetails, as far as we use them (CD2).
  std::string_view details_client_id;
  std::string_view details_connection_key;  // with it, a connection is resumed (CD2b)
  std::optional<int64_t> details_max_message_size;
  std::optional<int64_t> details_max_idle_interval;     // ms; 0: no limit (CD2h)
  std::optional<int64_t> details_connection_state_ttl;  // ms (CD2f)
  std::string_view auth_access_token;                   // of AUTH (AD2)
  std::span<const IncomingItem> presence;
};

// What the frame means to the channel it names: ATTACHED, DETACHED, ERROR, PRESENCE and SYNC; for
// all other frames an OtherFrame. The input views the frame.
ChannelInput ChannelInputOf(const Frame& frame ABSL_ATTRIBUTE_LIFETIME_BOUND);

// Whether a frame says something of the connection, and so ConnectionUpdateOf has an update.
inline bool SpeaksOfConnection(const Frame& frame) {
  return frame.action == kConnected || frame.action == kDisconnected || frame.action == kClosed ||
         (frame.action == kError && frame.channel.empty());
}

// What a frame says of the connection: CONNECTED (whole: what it lacks is none), DISCONNECTED,
// CLOSED, and ERROR without a channel, which keep what `current` says of ids and limits; nullopt
// for all other frames. The update views what the frame and `current` view.
std::optional<ConnectionUpdate> ConnectionUpdateOf(const Frame& frame,
                                                   const ConnectionUpdate& current);

// Appends the error in the protocol's form: {"code", "statusCode", "message", "cause"?}, with
// kMaxCauses at most.
void AppendError(const ErrorInfo& error, std::string& out);

// Appends ,"data":… ,"encoding":… ,"extras":… as far as they are there.
void AppendPayload(const Payload& payload, std::string& out);

// Appends the frame as one JSON object, without a line end.
void AppendFrame(const Frame& frame, std::string& out);
// AUTH with a new token, and CLOSE.
void AppendAuth(std::string_view access_token, std::string& out);
void AppendClose(std::string& out);
// The frames that a channel asks to send.
void AppendAttach(std::string_view channel, std::string& out);
void AppendDetach(std::string_view channel, std::string& out);
void AppendPresence(std::string_view channel, int64_t msg_serial, const OutgoingItem& item,
                    std::string& out);

}  // namespace presence::wire

#endif  // PRESENCE_WIRE_FRAME_H_
