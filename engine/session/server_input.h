#ifndef PRESENCE_SESSION_SERVER_INPUT_H_
#define PRESENCE_SESSION_SERVER_INPUT_H_

// Everything that can happen to a server: a closed set, so that a log of inputs replays without a
// clock. Inputs are views; the server copies what it keeps, and they need to live only as long as
// the call that takes them.
//
// A transport is what the owner has of a client: a socket. A connection is what the client has of
// the server: it outlives its transports, if the client resumes it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "presence/error.h"
#include "presence/flags.h"
#include "presence/wire/frame.h"

namespace presence {

// The owner's number for a transport: any that it likes, from TransportAccepted until the owner has
// said TransportGone of it. It decides nothing, not even an order.
using TransportHandle = uint64_t;

// What a client may do on one channel, or on all whose names begin so. Several that apply to a
// channel add up.
struct Permission {
  std::string_view channel;  // empty and a prefix: every channel
  bool is_prefix = false;
  uint64_t modes = kFlagModes;  // of kFlagModes; other bits do not matter
};

// --- Transports ---

// Somebody has come, and the owner has found his credentials good. Answered with CONNECTED; beyond
// Options::max_connections with DISCONNECTED 42910, and so while the server shuts down with 80003;
// then the transport is ended.
//
// InvalidArgument: the handle is in use; the id or the key has a form that it must not have
// (Server::IsId); the client id is longer than Server::kMaxIdentity; there are too many permissions
// (Permissions: 1024, and 64 KiB of names); a format that there is not. AlreadyExists: the id or the
// key is in use: make others. Refused so, the transport is not the server's: close the socket or try
// again; no TransportGone is due.
struct TransportAccepted {
  TransportHandle transport = 0;
  // For the connection, if it is a new one. Ids are never used twice; a key must not be guessed.
  std::string_view connection_id;
  std::string_view connection_key;
  // Who it is: nullopt or empty: nobody, so it may only look on; "*": it may act for any client.
  std::optional<std::string_view> client_id = std::nullopt;
  std::span<const Permission> permissions = {};
  wire::Format format = wire::Format::kJson;
  // It wants HEARTBEAT when nothing else was sent for Options::max_idle_interval. Without, the
  // owner sends pings, as WebSockets have them, more often than that.
  bool heartbeats = false;
  // The key of the connection that it wants to go on with; empty: none.
  std::string_view resume_key = {};
  // How long its members stay when it is lost, at most Options::max_grace_period; nullopt: as the
  // options of rooms say.
  std::optional<std::chrono::milliseconds> grace_period = std::nullopt;
};

// The transport is gone, whoever ended it. Its connection, if it still has one, is lost. Every
// transport that was accepted comes to this in the end, once; then its handle may be used again.
struct TransportGone {
  TransportHandle transport = 0;
};

// The transport has passed on so many of the bytes of messages that it was given, what WebSockets
// and TLS put around them not counted. InvalidArgument: more than that.
struct BytesTaken {
  TransportHandle transport = 0;
  size_t bytes = 0;
};

// --- What a client says ---

// A frame, of a message of so many bytes (server_reader.h makes this of a message).
struct FrameReceived {
  TransportHandle transport = 0;
  const wire::Frame* frame = nullptr;  // not null
  size_t bytes = 0;
};
// A message that is no frame, or larger than Options::max_frame_size, which need not be read.
struct FrameUnreadable {
  TransportHandle transport = 0;
  std::string_view reason;  // for people
  size_t bytes = 0;
};

// --- Credentials ---

// The answer to a CredentialsOffered: they are good, for this. Unasked it changes what the client
// may do. Another client id than the connection's ends the transport, as a refusal does.
// InvalidArgument: too many permissions.
struct CredentialsGranted {
  TransportHandle transport = 0;
  std::optional<std::string_view> client_id = std::nullopt;
  std::span<const Permission> permissions = {};
};
// They are not good: ERROR, and the transport is ended.
struct CredentialsRefused {
  TransportHandle transport = 0;
  const ErrorInfo* error = nullptr;  // null: 40102
};
// The time of those that it has is over: DISCONNECTED 40142, and the transport is ended. The client
// may get others and resume.
struct CredentialsEnded {
  TransportHandle transport = 0;
};

// --- The owner's decisions ---

// Ends a connection for good, lost or not: its members leave at once. NotFound: there is none of
// this id.
struct CloseConnection {
  std::string_view connection_id;
  const ErrorInfo* error = nullptr;  // sent as ERROR; null: CLOSED is sent
};
// From now on operations are refused for this reason, such as a full disk; null: no longer. Not
// part of what is exported.
struct RefuseOperations {
  const ErrorInfo* error = nullptr;
};
// The server goes away: everybody is sent DISCONNECTED 80003 with status 503, all transports are
// ended, and whoever still comes is told the same. Members stay for their grace period.
struct ShutDown {};

// Inputs of a transport that the server does not know, or has ended, are counted and ignored: they
// were on their way.
using ServerInput = std::variant<TransportAccepted, TransportGone, BytesTaken, FrameReceived,
                                 FrameUnreadable, CredentialsGranted, CredentialsRefused,
                                 CredentialsEnded, CloseConnection, RefuseOperations, ShutDown>;

}  // namespace presence

#endif  // PRESENCE_SESSION_SERVER_INPUT_H_
