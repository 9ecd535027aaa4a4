#include "tests/host/room_world.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/wire/host_frame.h"

namespace presence {
namespace {

constexpr std::string_view kRoom = "room";

std::string Line(const Message& message) {
  std::string line = std::string(message.connection_id) + " | " + std::string(message.client_id) +
                     " | " + std::string(message.id) + " | " +
                     std::to_string(ToMs(message.timestamp)) + " | " +
                     std::to_string(static_cast<int>(message.payload.data_kind)) + " | " +
                     std::string(message.payload.data);
  if (message.payload.encoding) line += " | encoding " + std::string(*message.payload.encoding);
  if (message.payload.extras) line += " | extras " + std::string(*message.payload.extras);
  return line;
}

}  // namespace

RoomWorld::RoomWorld(const RoomHost::Options& options)
    : host_(std::make_unique<RoomHost>(options)) {}

void RoomWorld::ReplaceHost(std::unique_ptr<RoomHost> host) {
  host_ = std::move(host);
  syncs_.clear();
  announced_.clear();
  paused_.clear();
  for (const auto& client : clients_) {
    if (client->online) GoOffline(*client);
  }
}

RoomWorld::Client& RoomWorld::Add(std::string_view identity, uint64_t modes) {
  Client& client = *clients_.emplace_back(std::make_unique<Client>());
  client.identity = identity;
  client.modes = modes;
  GoOnline(client);
  return client;
}

void RoomWorld::Fail(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
}

// --- The host ---

void RoomWorld::ApplyToHost(const HostInput& input) {
  const absl::Status status = host_->Apply(TimestampFromMs(now), input, host_effects_);
  if (!status.ok()) Fail("the host refused an input: " + status.ToString());
  Carry();
}

void RoomWorld::Advance() {
  host_->AdvanceTo(TimestampFromMs(now), host_effects_);
  Carry();
}

// Puts the host's frames on their links.
void RoomWorld::Carry() {
  if (std::string wrong = host_->CheckInvariants(); !wrong.empty()) Fail("host: " + wrong);
  for (const HostEffect& effect : host_effects_) {
    Watch(effect);
    if (std::holds_alternative<MemberEvent>(effect)) continue;
    std::string json;
    wire::AppendHostFrame(kRoom, effect, json);
    std::vector<ConnectionHandle> to;
    if (const auto* broadcast = std::get_if<Broadcast>(&effect)) {
      to.assign(broadcast->to.begin(), broadcast->to.end());
    } else {
      std::visit(
          [&](const auto& reply) {
            if constexpr (requires { ConnectionHandle{reply.to}; }) to.push_back(reply.to);
          },
          effect);
    }
    for (const ConnectionHandle handle : to) {
      const auto found = std::find_if(clients_.begin(), clients_.end(), [&](const auto& client) {
        return client->online && client->handle == handle;
      });
      if (found == clients_.end()) {
        Fail("a frame to nobody");
      } else {
        (*found)->to_client.push_back(json);
      }
    }
  }
}

// The promise of the cursor: who is there throughout a sync is on exactly one page; nobody on a
// page has left, and all are as they are.
void RoomWorld::Watch(const HostEffect& effect) {
  if (const auto* attached = std::get_if<AttachedReply>(&effect)) {
    syncs_.erase(attached->to);
    announced_.erase(attached->to);
    if ((attached->flags & kFlagHasPresence) != 0) announced_.insert(attached->to);
  } else if (const auto* page = std::get_if<SyncPage>(&effect)) {
    announced_.erase(page->to);
    if (paused_.contains(page->to)) Fail("a page though they are paused");
    const std::string id(page->channel_serial.substr(0, page->channel_serial.find(':')));
    SyncWatch& sync = syncs_[page->to];
    if (sync.id != id) {
      sync = SyncWatch();
      sync.id = id;
      host_->members().ForEachAfter(0, [&](uint64_t joined, const Message&) {
        sync.pages_of[joined] = 0;
        return true;
      });
    }
    if (sync.changes > 0) ++pages_with_changes_between;
    sync.changes = 0;
    for (const OutItem& item : page->items) {
      const auto member = host_->members().Find(item.message.connection_id, item.message.client_id);
      if (!member.has_value() || !(*member == item.message)) {
        return Fail("on a page: " + Line(item.message));
      }
    }
    const bool last = page->channel_serial.ends_with(":");
    std::set<std::string> on_page;
    for (const OutItem& item : page->items) on_page.insert(Line(item.message));
    if (on_page.size() != page->items.size()) return Fail("twice on one page");
    host_->members().ForEachAfter(0, [&](uint64_t joined, const Message& member) {
      const auto counted = sync.pages_of.find(joined);
      if (counted == sync.pages_of.end()) return true;
      if (on_page.contains(Line(member))) ++counted->second;
      if (last && counted->second != 1) Fail("not on exactly one page: " + Line(member));
      return true;
    });
    if (last) syncs_.erase(page->to);
  } else if (const auto* detached = std::get_if<DetachedReply>(&effect)) {
    syncs_.erase(detached->to);
    announced_.erase(detached->to);
  } else if (std::holds_alternative<MemberEvent>(effect)) {
    for (auto& [handle, sync] : syncs_) ++sync.changes;
  }
}

// --- Clients ---

void RoomWorld::AppendAttachOf(const Client& client, std::string& json) {
  wire::Frame attach;
  attach.action = wire::kAttach;
  attach.channel = kRoom;
  if (client.modes != 0) attach.flags = static_cast<int64_t>(client.modes);
  wire::AppendFrame(attach, json);
}

void RoomWorld::AttachAgain(Client& client) {
  if (client.channel.state() != ChannelState::kAttached || !client.online) return;
  AppendAttachOf(client, client.to_host.emplace_back());
}

void RoomWorld::AskForSync(Client& client) {
  if (client.channel.state() != ChannelState::kAttached || !client.online) return;
  wire::Frame sync;
  sync.action = wire::kSync;
  sync.channel = kRoom;
  sync.channel_serial = "whatever:it-says";
  wire::AppendFrame(sync, client.to_host.emplace_back());
}

void RoomWorld::Pause(Client& client) {
  if (!client.online) return;
  paused_.insert(client.handle);
  ApplyToHost(PagesPaused{client.handle, true});
}

void RoomWorld::Apply(Client& client, const ChannelInput& input) {
  Effects effects;
  const absl::Status status = client.channel.Apply(TimestampFromMs(now), input, effects);
  if (!status.ok()) Fail("a channel refused an input: " + status.ToString());
  if (std::string wrong = client.channel.CheckInvariants(); !wrong.empty()) Fail(wrong);
  for (const Effect& effect : effects) {
    std::string json;
    if (std::holds_alternative<SendAttach>(effect)) {
      AppendAttachOf(client, json);
    } else if (std::holds_alternative<SendDetach>(effect)) {
      wire::AppendDetach(kRoom, json);
    } else if (const auto* send = std::get_if<SendPresence>(&effect)) {
      wire::AppendPresence(kRoom, client.outbox.Send(0, send->token), send->item, json);
    } else if (const auto* result = std::get_if<CallResult>(&effect)) {
      if (result->error != nullptr) ++client.refused;
    } else if (const auto* update = std::get_if<ChannelUpdate>(&effect)) {
      if (update->reason != nullptr) ++client.refused;
    } else if (const auto* diagnostic = std::get_if<Diagnostic>(&effect)) {
      // Who may not see presence is told so.
      if (client.modes == 0 || !diagnostic->text.starts_with("attached without the mode")) {
        Fail("a client complains: " + std::string(diagnostic->text));
      }
    }
    if (!json.empty() && client.online) client.to_host.push_back(std::move(json));
  }
}

void RoomWorld::Connect(Client& client, const ConnectionUpdate& update) {
  const Connection::Transition transition = client.connection.Apply(update);
  if (transition.new_id) client.outbox.Restart();
  Apply(client, update);
  if (transition.lost) {
    client.outbox.ForgetIf([&](const Outbox::Entry& sent) {
      return !client.channel.Unacknowledged(sent.token).has_value();
    });
  }
  if (!transition.reconnected) return;
  for (const auto& [serial, channel, token] : client.outbox.unacknowledged()) {  // RTN19a
    const auto item = client.channel.Unacknowledged(token);
    if (!item.has_value()) return Fail("a serial waits for what its channel has not sent");
    wire::AppendPresence(kRoom, serial, *item, client.to_host.emplace_back());
  }
}

void RoomWorld::GoOnline(Client& client) {
  if (client.online) return;
  if (!client.connection_id.empty()) {
    const absl::Status resumed =
        host_->Apply(TimestampFromMs(now), ConnectionResumed{client.handle}, host_effects_);
    if (resumed.ok()) {
      Carry();
    } else {
      if (resumed.code() != absl::StatusCode::kNotFound) Fail(resumed.ToString());
      client.connection_id.clear();
    }
  }
  if (client.connection_id.empty()) {
    client.handle = static_cast<ConnectionHandle>(next_connection_++);
    client.connection_id = "c" + std::to_string(client.handle);
    ApplyToHost(ConnectionOpened{client.handle, client.connection_id, client.identity});
  }
  client.online = true;
  ConnectionUpdate update;
  update.id = client.connection_id;
  update.client_id = client.identity;
  Connect(client, update);
}

void RoomWorld::GoOffline(Client& client) {
  if (!client.online) return;
  client.online = false;
  client.to_host.clear();
  client.to_client.clear();
  syncs_.erase(client.handle);
  announced_.erase(client.handle);
  paused_.erase(client.handle);
  // A host that was restored may have seen the loss itself.
  const absl::Status lost =
      host_->Apply(TimestampFromMs(now), ConnectionLost{client.handle}, host_effects_);
  if (lost.ok()) Carry();
  ConnectionUpdate update;
  update.state = ConnectionState::kDisconnected;
  update.id = client.connection_id;
  update.client_id = client.identity;
  Connect(client, update);
}

void RoomWorld::Close(Client& client) {
  if (client.connection_id.empty()) return;
  GoOffline(client);
  client.connection_id.clear();
  const absl::Status closed =
      host_->Apply(TimestampFromMs(now), ConnectionClosed{client.handle}, host_effects_);
  if (closed.ok()) Carry();  // else its grace period was over
}

void RoomWorld::Attach(Client& client) {
  Apply(client, SubscribeCall{client.next_request++, 1, kAllEvents});
}

void RoomWorld::Detach(Client& client) {
  if (client.channel.state() != ChannelState::kAttached || !client.online) return;
  Apply(client, OwnerMove{ChannelState::kDetaching, nullptr});
  wire::AppendDetach(kRoom, client.to_host.emplace_back());
}

void RoomWorld::Operate(Client& client, PresenceAction action,
                        std::optional<std::string_view> client_id, std::string_view data) {
  OperationCall call;
  call.request = client.next_request++;
  call.action = action;
  call.client_id = client_id;
  if (!data.empty()) {
    call.payload.data_kind = DataKind::kString;
    call.payload.data = data;
    call.payload.extras = "{\"n\":1}";
  }
  Apply(client, call);
}

bool RoomWorld::DeliverToHost(Client& client) {
  if (client.to_host.empty()) return false;
  const std::string json = std::move(client.to_host.front());
  client.to_host.pop_front();
  const absl::StatusOr<wire::Frame> frame = reader_.Read(json);
  if (!frame.ok()) {
    Fail("a client's frame cannot be read: " + json);
    return true;
  }
  const std::optional<HostInput> input = wire::HostInputOf(client.handle, *frame);
  input.has_value() ? ApplyToHost(*input) : Fail("a frame of no use: " + json);
  return true;
}

bool RoomWorld::DeliverToClient(Client& client) {
  if (client.to_client.empty()) return false;
  const std::string json = std::move(client.to_client.front());
  client.to_client.pop_front();
  Receive(client, json);
  return true;
}

void RoomWorld::Receive(Client& client, std::string_view json) {
  const absl::StatusOr<wire::Frame> frame = reader_.Read(json);
  if (!frame.ok()) return Fail("a frame of the host cannot be read: " + std::string(json));
  if (frame->action != wire::kAck && frame->action != wire::kNack) {
    return Apply(client, wire::ChannelInputOf(*frame));
  }
  std::vector<AcknowledgedOperation> settled;
  for (const auto& entry :
       client.outbox.Acknowledge(frame->msg_serial.value_or(-1), frame->count.value_or(1))) {
    settled.push_back({entry.token, entry.msg_serial});
  }
  if (settled.size() != 1) Fail("an answer to nothing: " + std::string(json));
  if (frame->action == wire::kAck) return Apply(client, OperationsAcked{settled});
  Apply(client, OperationsNacked{settled, frame->error ? &*frame->error : nullptr});
}

void RoomWorld::Drain() {
  for (const ConnectionHandle handle : std::exchange(paused_, {})) {
    ApplyToHost(PagesPaused{handle, false});
  }
  for (bool busy = true; busy && problem_.empty();) {
    busy = false;
    for (const auto& client : clients_) {
      while (DeliverToHost(*client)) busy = true;
      while (DeliverToClient(*client)) busy = true;
    }
    if (host_->running_syncs() > 0 || host_->pending_items() > 0) {
      now = std::max(now, ToMs(*host_->NextDeadline()));
      Advance();
      busy = true;
    }
  }
}

// --- Checks ---

std::vector<std::string> RoomWorld::LinesOf(const MemberSet& members) {
  std::vector<std::string> lines;
  members.ForEach([&](const Message& member) { lines.push_back(Line(member)); });
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string RoomWorld::Problem() {
  if (!problem_.empty()) return problem_;
  if (!announced_.empty()) return "a sync was announced, and no page came";
  const std::vector<std::string> expected = LinesOf(host_->members());
  for (const auto& client : clients_) {
    const Channel& channel = client->channel;
    if (!client->online || channel.state() != ChannelState::kAttached) continue;
    const std::string who = client->connection_id;
    if (!host_->IsAttached(client->handle)) return who + " is attached for itself only";
    if (!channel.sync_complete()) return who + " waits for the end of a sync";
    if (channel.operations_in_flight() + channel.queued_operations() > 0) {
      return who + " waits for an answer";
    }
    const std::vector<std::string> members = LinesOf(channel.members());
    if (client->modes != 0) {
      const std::string own = who + " | ";
      for (const std::string& line : members) {
        if (!line.starts_with(own)) return who + " sees somebody else: " + line;
      }
      if (!std::includes(expected.begin(), expected.end(), members.begin(), members.end())) {
        return who + " sees an own member that is not there";
      }
      continue;
    }
    if (members == expected) continue;
    std::string difference = who + " has another set. Only one of both has:";
    std::vector<std::string> only;
    std::set_symmetric_difference(members.begin(), members.end(), expected.begin(), expected.end(),
                                  std::back_inserter(only));
    for (const std::string& line : only) difference += "\n  " + line;
    return difference;
  }
  return {};
}

}  // namespace presence
