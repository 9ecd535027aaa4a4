#include "tools/examples/loopback.h"

#include <cstdio>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace presence::examples {
namespace {

constexpr Timestamp kTime = TimestampFromMs(1'754'000'000'000);

}  // namespace

Loopback::Loopback(std::string_view room_name, std::string_view client_id)
    : room_name_(room_name), client_id_(client_id), room_(RoomOptions(), *this) {
  wire::Frame connected;
  connected.action = wire::kConnected;
  connected.connection_id = "connection-1";
  connected.details_client_id = client_id_;
  Reply(connected);
}

// --- The client's side ---

Timestamp Loopback::Now() { return kTime; }
void Loopback::SendAttach() { wire::AppendAttach(room_name_, to_server_.emplace_back()); }
void Loopback::SendDetach() { wire::AppendDetach(room_name_, to_server_.emplace_back()); }
void Loopback::SendPresence(OperationToken token, const OutgoingItem& item) {
  const int64_t serial = outbox_.Send(/*channel=*/0, token);
  wire::AppendPresence(room_name_, serial, item, to_server_.emplace_back());
}

void Loopback::ReceiveAtClient(std::string_view text) {
  const absl::StatusOr<wire::Frame> frame = client_reader_.Read(text);
  if (!frame.ok()) Fail(std::string(frame.status().message()));
  absl::Status status;
  if (frame->action == wire::kAck) {
    std::vector<AcknowledgedOperation> done;
    for (const Outbox::Entry& entry :
         outbox_.Acknowledge(frame->msg_serial.value_or(0), frame->count.value_or(1))) {
      done.push_back({entry.token, entry.msg_serial});
    }
    status = room_.Apply(OperationsAcked{done});
  } else if (const auto update = wire::ConnectionUpdateOf(*frame, ConnectionUpdate())) {
    status = room_.Apply(*update);
  } else {
    status = room_.Apply(wire::ChannelInputOf(*frame));
  }
  if (!status.ok()) Fail(std::string(status.message()));
}

// Hands on the oldest frame on its way; false if there is none.
bool Loopback::HandleFrame() {
  if (!to_client_.empty()) {
    const std::string text = std::move(to_client_.front());
    to_client_.pop_front();
    ReceiveAtClient(text);
    return true;
  }
  if (to_server_.empty()) return false;
  const std::string text = std::move(to_server_.front());
  to_server_.pop_front();
  ReceiveAtServer(text);
  return true;
}

// --- The server's side ---

void Loopback::Reply(const wire::Frame& frame) {
  wire::AppendFrame(frame, to_client_.emplace_back());
}

void Loopback::ReceiveAtServer(std::string_view text) {
  const absl::StatusOr<wire::Frame> frame = server_reader_.Read(text);
  if (!frame.ok()) Fail(std::string(frame.status().message()));
  wire::Frame reply;
  reply.channel = room_name_;
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
    reply.channel = room_name_;
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
    reply = {};
    reply.channel = room_name_;
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

void Loopback::Fail(std::string_view why) {
  std::fprintf(stderr, "presence_example: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

}  // namespace presence::examples
