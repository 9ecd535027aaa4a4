#ifndef PRESENCE_SESSION_SESSION_INPUT_H_
#define PRESENCE_SESSION_SESSION_INPUT_H_

// Everything that can happen to a client session: a closed set, so that a log of inputs replays
// without a clock. Inputs are views; the session copies what it keeps, but effects may view the
// input, so its bytes must live until the effects are used up.

#include <cstdint>
#include <string_view>
#include <variant>

#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"

namespace presence {

// --- The connection, by the user ---

// connect (RTN11): nothing if connecting or connected.
struct ConnectCall {};
// close (RTN12): nothing if closing, closed or failed.
struct CloseCall {};

// --- Transports ---

// The number that an OpenTransport gave. An input of a transport that is not the session's latest,
// or that it has closed or lost, is ignored.
using TransportId = uint64_t;

// It is open: CONNECTED may come.
struct TransportOpened {
  TransportId transport = 0;
};
// It could not be opened, or was closed by somebody else. The session says nothing of it any more.
struct TransportFailed {
  TransportId transport = 0;
  const ErrorInfo* error = nullptr;  // why, or null
};
struct TransportClosed {
  TransportId transport = 0;
  const ErrorInfo* error = nullptr;  // why, or null
};
// One message of the transport: one frame.
struct TransportReceived {
  TransportId transport = 0;
  std::string_view bytes;
};
// The other end lives, as a ping shows, though it said nothing (RTN23b).
struct TransportActive {
  TransportId transport = 0;
};

// --- Tokens ---

// There is a new token, asked for or not. The session sends it if connected, and keeps none: the
// owner puts it into what it opens transports with.
struct TokenRenewed {
  std::string_view token;
};
// None could be got (RSA4c).
struct TokenFailed {
  const ErrorInfo* error = nullptr;  // why, or null; status code 403: for good (RSA4d)
};

// --- Channels ---

struct ChannelOptions {
  Channel::Options channel;
  // The modes to ask for in ATTACH, of kFlagModes (RTL4l); 0: those that the server gives anyway.
  uint64_t modes = 0;
};

// Makes a channel with options of its own. Without it, the first call that names a channel makes it
// with the session's. AlreadyExists if there is one of this name, InvalidArgument without one. Has
// no effects, and disturbs none: applied with effects of its own, it leaves those of the input
// before it good.
struct AddChannel {
  std::string_view channel;
  ChannelOptions options;
};
// attach (RTL4) and detach (RTL5): each answered once, by an AttachmentResult. A channel without a
// name is none: 40010, here and below.
struct AttachCall {
  std::string_view channel;
  RequestId request = 0;
};
struct DetachCall {
  std::string_view channel;
  RequestId request = 0;
};
// A call of the channel: one of GetCall, IsUserPresentCall, SubscribeCall, UnsubscribeCall,
// OperationCall; answered once, by a CallResult among the channel's effects.
struct ChannelCall {
  std::string_view channel;
  std::variant<GetCall, IsUserPresentCall, SubscribeCall, UnsubscribeCall, OperationCall> call;
};

using SessionInput = std::variant<ConnectCall, CloseCall, TransportOpened, TransportFailed,
                                  TransportClosed, TransportReceived, TransportActive, TokenRenewed,
                                  TokenFailed, AddChannel, AttachCall, DetachCall, ChannelCall>;

}  // namespace presence

#endif  // PRESENCE_SESSION_SESSION_INPUT_H_
