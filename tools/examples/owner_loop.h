#ifndef TOOLS_EXAMPLES_OWNER_LOOP_H_
#define TOOLS_EXAMPLES_OWNER_LOOP_H_

// The loop of README.md: one channel on one connection, behind any transport. tests/readme keeps
// the two alike.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/client/channel.h"
#include "presence/client/connection.h"
#include "presence/client/outbox.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::examples {

// What is yours: a WebSocket, a pipe, a test.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void Send(std::string json) = 0;
};

// What is told. Views hold during the call, which must not call the loop back.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnEvent(SubscriptionId to, const MemberEvent& event) = 0;
  virtual void OnResult(const CallResult& result, std::span<const Message> members) = 0;
  virtual void OnOther(const Effect& effect) = 0;  // states, syncs, updates, diagnostics
};

// README: begin
class OwnerLoop {  // one thread at a time
 public:
  OwnerLoop(std::string channel, Transport& transport, Listener& listener,
            const Channel::Options& options = Channel::Options())
      : name_(std::move(channel)),
        transport_(transport),
        listener_(listener),
        channel_(options, connection_) {
    ConnectionIs(Timestamp::min(), ConnectionState::kDisconnected).IgnoreError();
  }
  // (1) Hand in every frame, in the order received, with the time. An error: it was no frame.
  absl::Status Receive(Timestamp now, std::string_view json) {
    const absl::StatusOr<wire::Frame> frame = reader_.Read(json);
    if (!frame.ok()) return frame.status();
    if (frame->action == wire::kAck || frame->action == wire::kNack) return Settle(now, *frame);
    const auto update = wire::ConnectionUpdateOf(*frame, connection_.Current());
    if (update.has_value()) return Connect(now, *update);
    if (frame->channel != name_) return absl::OkStatus();
    return Apply(now, wire::ChannelInputOf(*frame));
  }
  // (2) Say what no frame says: the transport is lost (kDisconnected) or given up (kSuspended).
  absl::Status ConnectionIs(Timestamp now, ConnectionState state) {
    ConnectionUpdate update = connection_.Current();
    update.state = state;
    update.reason = nullptr;
    return Connect(now, update);
  }
  // (3) Hand in calls: SubscribeCall, GetCall, OperationCall and so on.
  // (4) Carry out all effects, in order, before the next input.
  absl::Status Apply(Timestamp now, const ChannelInput& input) {
    const absl::Status status = channel_.Apply(now, input, effects_);
    for (const Effect& effect : effects_) {
      if (const auto* event = std::get_if<MemberEvent>(&effect)) {
        for (const auto& [id, events] : channel_.subscriptions()) {
          if ((events & MaskOf(event->type)) != 0) listener_.OnEvent(id, *event);
        }
      } else if (const auto* result = std::get_if<CallResult>(&effect)) {
        listener_.OnResult(*result, effects_.members(*result));
      } else if (const auto* send = std::get_if<SendPresence>(&effect)) {
        Send(outbox_.Send(0, send->token), send->item);  // (5) Number it.
      } else if (std::holds_alternative<SendAttach>(effect)) {
        Send(wire::AppendAttach);
      } else if (std::holds_alternative<SendDetach>(effect)) {
        Send(wire::AppendDetach);
      } else {
        listener_.OnOther(effect);
      }
    }
    return status;
  }
  absl::Status Detach(Timestamp now) {  // by hand; attaching is what the calls ask for
    Send(wire::AppendDetach);
    return Apply(now, OwnerMove{ChannelState::kDetaching, nullptr});
  }

 private:
  // (6) Bring ACKs and NACKs back to the operations that they settle.
  absl::Status Settle(Timestamp now, const wire::Frame& frame) {
    std::vector<AcknowledgedOperation> settled;
    if (!frame.msg_serial) return absl::OkStatus();
    for (const auto& entry : outbox_.Acknowledge(*frame.msg_serial, frame.count.value_or(1))) {
      settled.push_back({entry.token, entry.msg_serial});
    }
    if (frame.action == wire::kAck) return Apply(now, OperationsAcked{settled});
    return Apply(now, OperationsNacked{settled, frame.error ? &*frame.error : nullptr});
  }
  // (7) Numbers begin at 0 with a new connection id; what fails with the connection is not answered
  // any more; on a new transport, what is not acknowledged goes out again as it was, after ATTACH.
  absl::Status Connect(Timestamp now, const ConnectionUpdate& update) {
    const Connection::Transition transition = connection_.Apply(update);
    if (transition.new_id) outbox_.Restart();
    const absl::Status status = Apply(now, connection_.Current());
    if (transition.lost) {
      outbox_.ForgetIf([this](auto& sent) { return !channel_.Unacknowledged(sent.token); });
    }
    if (!transition.reconnected) return status;
    for (const auto& [serial, channel, token] : outbox_.unacknowledged()) {
      Send(serial, *channel_.Unacknowledged(token));
    }
    return status;
  }
  void Send(void (*append)(std::string_view channel, std::string& out)) {
    std::string json;
    append(name_, json);
    if (connection_.connected()) transport_.Send(std::move(json));  // else asked for again then
  }
  void Send(int64_t msg_serial, const OutgoingItem& item) {
    std::string json;
    wire::AppendPresence(name_, msg_serial, item, json);
    transport_.Send(std::move(json));  // only ever asked for while connected
  }

  const std::string name_;
  Transport& transport_;
  Listener& listener_;
  wire::FrameReader reader_;
  Connection connection_;
  Outbox outbox_;  // shared, if there are several channels on the connection
  Channel channel_;
  Effects effects_;
};
// README: end

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_OWNER_LOOP_H_
