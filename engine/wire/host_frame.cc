#include "presence/wire/host_frame.h"

#include <cstdint>
#include <span>
#include <variant>

#include "absl/container/inlined_vector.h"
#include "engine/json/writer.h"
#include "engine/wire/object_writer.h"
#include "presence/base/internal/check.h"

namespace presence::wire {
namespace {

// Most frames have few.
using Items = absl::InlinedVector<IncomingItem, 4>;

Items ItemsOf(std::span<const OutItem> items) {
  Items written;
  written.reserve(items.size());
  for (const OutItem& item : items) {
    IncomingItem& one = written.emplace_back();
    one.action = static_cast<int64_t>(item.action);
    one.id = item.message.id;
    one.client_id = item.message.client_id;
    one.connection_id = item.message.connection_id;
    one.timestamp = item.message.timestamp;
    one.payload = item.message.payload;
  }
  return written;
}

// Gives an effect its frame and writes it, as long as what the frame views is there.
class Writer {
 public:
  Writer(std::string_view channel, std::string& out) : out_(out) { frame_.channel = channel; }

  void operator()(const AttachedReply& reply) {
    frame_.flags = static_cast<int64_t>(reply.flags);
    frame_.channel_serial = reply.channel_serial;
    Write(kAttached);
  }
  void operator()(const DetachedReply& reply) {
    if (reply.error.has_value()) frame_.error.emplace(*reply.error);
    Write(kDetached);
  }
  // Real clients tell it from an error of the connection by the channel, which so is there even if
  // it is empty.
  void operator()(const ErrorReply& reply) {
    ObjectWriter object(out_);
    object.Int("action", kError);
    json::AppendString(frame_.channel, object.Key("channel"));
    AppendError(reply.error, object.Key("error"));
    object.End();
  }
  // ACK and NACK answer the connection: they name no channel.
  void operator()(const AckReply& reply) { Settle(kAck, reply.msg_serial, reply.count); }
  void operator()(const NackReply& reply) {
    frame_.error.emplace(reply.error);
    Settle(kNack, reply.msg_serial, reply.count);
  }
  void operator()(const SyncPage& page) {
    frame_.channel_serial = page.channel_serial;
    WriteItems(kSync, page.items);
    if (page.items.empty()) {
      out_.pop_back();
      out_ += ",\"presence\":[]}";
    }
  }
  void operator()(const Broadcast& broadcast) { WriteItems(kPresence, broadcast.items); }
  void operator()(const MemberEvent&) { PRESENCE_CHECK(false); }

 private:
  void Settle(FrameAction action, int64_t msg_serial, int64_t count) {
    frame_.channel = {};
    frame_.msg_serial = msg_serial;
    frame_.count = count;
    Write(action);
  }
  void WriteItems(FrameAction action, std::span<const OutItem> items) {
    const Items written = ItemsOf(items);
    frame_.presence = written;
    Write(action);
  }
  void Write(FrameAction action) {
    frame_.action = action;
    AppendFrame(frame_, out_);
  }

  Frame frame_;
  std::string& out_;
};

}  // namespace

std::optional<HostInput> HostInputOf(ConnectionHandle connection, const Frame& frame) {
  switch (frame.action) {
    case kAttach:
      return AttachRequest{connection, static_cast<uint64_t>(frame.flags.value_or(0))};
    case kDetach:
      return DetachRequest{connection};
    case kPresence:
      return PresenceRequest{connection, frame.msg_serial.value_or(-1), frame.presence};
    case kSync:
      return SyncRequest{connection};
    default:
      return std::nullopt;
  }
}

void AppendHostFrame(std::string_view channel, const HostEffect& effect, std::string& out) {
  std::visit(Writer(channel, out), effect);
}

}  // namespace presence::wire
