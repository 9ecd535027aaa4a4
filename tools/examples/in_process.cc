#include "tools/examples/in_process.h"

#include <cstdio>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace presence::examples {
namespace {

constexpr Timestamp kTime = TimestampFromMs(1'754'000'000'000);

}  // namespace

// --- The client's side ---

Timestamp InProcess::Now() { return kTime; }

void InProcess::Open(TransportId transport, std::string_view /*resume_key*/) {
  transport_ = transport;
  wire::Frame connected;
  connected.action = wire::kConnected;
  connected.connection_id = "connection-1";
  connected.details_client_id = client_id_;
  Reply(connected);
}

void InProcess::Send(TransportId /*transport*/, std::string_view message) {
  to_server_.emplace_back(message);
}

void InProcess::Close(TransportId /*transport*/) { transport_ = 0; }

// Hands on the oldest message on its way; false if there is none.
bool InProcess::HandOn() {
  if (!to_client_.empty() && transport_ != 0) {
    const std::string message = std::move(to_client_.front());
    to_client_.pop_front();
    const absl::Status status = client_->Apply(TransportReceived{transport_, message});
    if (!status.ok()) Fail(std::string(status.message()));
    return true;
  }
  if (to_server_.empty()) return false;
  const std::string message = std::move(to_server_.front());
  to_server_.pop_front();
  Hear(message);
  return true;
}

// --- The server's side ---

void InProcess::Reply(const wire::Frame& frame) {
  wire::AppendFrame(frame, to_client_.emplace_back());
}

void InProcess::Hear(std::string_view message) {
  const absl::StatusOr<wire::Frame> frame = reader_.Read(message);
  if (!frame.ok()) Fail(std::string(frame.status().message()));
  wire::Frame reply;
  reply.channel = frame->channel;
  if (frame->action == wire::kAttach) {
    reply.action = wire::kAttached;
    reply.flags = static_cast<int64_t>(kFlagHasPresence);
    Reply(reply);
    IncomingItem carol;
    carol.action = static_cast<int64_t>(PresenceAction::kPresent);
    carol.client_id = "carol-789";
    carol.connection_id = "connection-2";
    carol.id = "connection-2:0:0";
    carol.timestamp = kTime;
    const std::vector<IncomingItem> members = {carol};
    reply = {};
    reply.channel = frame->channel;
    reply.action = wire::kSync;
    reply.channel_serial = "sync-1:";  // nothing after the colon: the last page
    reply.presence = members;
    Reply(reply);
  } else if (frame->action == wire::kDetach) {
    reply.action = wire::kDetached;
    Reply(reply);
  } else if (frame->action == wire::kPresence) {
    // The echo, to everybody in the room, the sender included.
    std::vector<IncomingItem> items(frame->presence.begin(), frame->presence.end());
    for (IncomingItem& item : items) {
      if (item.client_id.empty()) item.client_id = client_id_;
    }
    const std::string id = "connection-1:" + std::to_string(frame->msg_serial.value_or(0));
    reply.action = wire::kPresence;
    reply.id = id;
    reply.connection_id = "connection-1";
    reply.timestamp = ToMs(kTime);
    reply.presence = items;
    Reply(reply);
    reply = {};
    reply.action = wire::kAck;
    reply.msg_serial = frame->msg_serial;
    reply.count = 1;
    Reply(reply);
  }
}

void InProcess::Fail(std::string_view why) {
  std::fprintf(stderr, "presence_example: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

}  // namespace presence::examples
