#include "sim/world/gateway.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "presence/base/internal/check.h"
#include "presence/wire/host_frame.h"
#include "sim/base/random.h"

namespace presence::sim {
namespace {

// Whether some item is of the connection itself. Such are not sent as datagrams: a late echo of a
// member of its own who has left cannot be told from its coming back, and would be entered again.
bool Concerns(std::span<const OutItem> items, std::string_view connection_id) {
  return std::any_of(items.begin(), items.end(), [&](const OutItem& item) {
    return item.message.connection_id == connection_id;
  });
}

std::string KeyOf(const std::string& connection_id) { return connection_id + "-key"; }

}  // namespace

Gateway::Gateway(const Surroundings& surroundings)
    : plan_(surroundings.plan),
      schedule_(surroundings.schedule),
      network_(surroundings.network),
      checker_(surroundings.checker),
      reader_(surroundings.reader),
      rooms_(plan_.options.rooms),
      connections_(plan_.clients.size()),
      connection_counts_(plan_.clients.size()) {
  for (uint32_t room = 0; room < rooms_.size(); ++room) MakeHost(room);
  for (ServerConnection& connection : connections_) {
    connection.opened.resize(rooms_.size());
    connection.attached.resize(rooms_.size());
  }
}

Gateway::~Gateway() = default;

void Gateway::MakeHost(uint32_t index) {
  Room& room = rooms_[index];
  ++room.life;
  room.wakes.reset();
  RoomHost::Options options = plan_.weather.host;
  options.instance = absl::StrCat("host", index, ".", room.life);
  room.host = std::make_unique<RoomHost>(options);
}

Timestamp Gateway::HostNow(uint32_t room) const {
  return kWorldStart + std::chrono::milliseconds(schedule_.now_ms() + rooms_[room].skew_ms);
}

// --- Connections ---

// A handle is the client, and in its upper half the number of its connection.
std::optional<uint32_t> Gateway::ClientOf(ConnectionHandle connection) const {
  const auto client = static_cast<uint32_t>(connection);
  if (connections_[client].id.empty() || connections_[client].handle != connection) {
    return std::nullopt;
  }
  return client;
}

void Gateway::OnConnect(uint32_t client, uint64_t epoch, std::string_view resume_key) {
  if (epoch != network_.epoch(client)) return;
  ServerConnection& connection = connections_[client];
  // The end of the old transport may not have been seen yet.
  if (connection.epoch != 0) Lose(client);
  const int64_t lost_for = schedule_.now_ms() - connection.lost_at_ms;
  if (!connection.id.empty() && resume_key == KeyOf(connection.id) &&
      lost_for < plan_.weather.connection_state_ttl_ms) {
    for (uint32_t room = 0; room < rooms_.size(); ++room) {
      if (!connection.opened[room]) continue;
      const absl::Status resumed =
          rooms_[room].host->Apply(HostNow(room), ConnectionResumed{connection.handle}, effects_);
      if (resumed.ok()) {
        CarryOut(room);
      } else {
        // For this room the grace is over.
        connection.opened[room] = false;
      }
    }
  } else {
    connection.handle = ++connection_counts_[client] << 32 | client;
    connection.id = absl::StrCat("c", client, "-", connection_counts_[client]);
    connection.opened.assign(rooms_.size(), false);
    connection.next_serial = 0;
  }
  connection.epoch = epoch;

  const ClientTraits& traits = plan_.clients[client];
  wire::Frame connected;
  connected.action = wire::kConnected;
  connected.connection_id = connection.id;
  const std::string key = KeyOf(connection.id);
  connected.details_connection_key = key;
  connected.details_connection_state_ttl = plan_.weather.connection_state_ttl_ms;
  connected.details_client_id = traits.identity;
  connected.details_max_message_size = plan_.weather.host.max_message_size;
  std::string json;
  wire::AppendFrame(connected, json);
  SendTo(client, std::move(json), FrameKind::kControl);
}

void Gateway::NoticeCut(uint32_t client, uint64_t epoch) {
  if (epoch != 0 && connections_[client].epoch == epoch) Lose(client);
}

void Gateway::Lose(uint32_t client) {
  ServerConnection& connection = connections_[client];
  connection.epoch = 0;
  connection.lost_at_ms = schedule_.now_ms();
  connection.attached.assign(rooms_.size(), false);
  for (uint32_t room = 0; room < rooms_.size(); ++room) {
    if (connection.opened[room]) Feed(room, ConnectionLost{connection.handle});
  }
}

// The client has closed its connection.
void Gateway::Drop(uint32_t client) {
  ServerConnection& connection = connections_[client];
  connection.epoch = 0;
  connection.lost_at_ms = schedule_.now_ms();
  connection.attached.assign(rooms_.size(), false);
  connection.id.clear();
  for (uint32_t room = 0; room < rooms_.size(); ++room) {
    if (connection.opened[room]) Feed(room, ConnectionClosed{connection.handle});
  }
  connection.opened.assign(rooms_.size(), false);
}

void Gateway::OpenIn(uint32_t room, ServerConnection& connection, uint32_t client) {
  if (connection.opened[room]) return;
  connection.opened[room] = true;
  Feed(room, ConnectionOpened{connection.handle, connection.id, plan_.clients[client].identity});
}

// --- Frames ---

void Gateway::OnFrame(uint32_t client, uint64_t epoch, const std::string& bytes) {
  ServerConnection& connection = connections_[client];
  if (connection.epoch != epoch) return;
  const absl::StatusOr<wire::Frame> frame = reader_.Read(bytes);
  PRESENCE_CHECK(frame.ok());  // the clients send nothing else
  if (frame->action == wire::kClose) {
    wire::Frame closed;
    closed.action = wire::kClosed;
    std::string json;
    wire::AppendFrame(closed, json);
    SendTo(client, std::move(json), FrameKind::kControl);
    return Drop(client);
  }
  const uint32_t room = RoomOf(frame->channel);
  OpenIn(room, connection, client);
  const std::optional<HostInput> input = wire::HostInputOf(connection.handle, *frame);
  PRESENCE_CHECK(input.has_value());
  if (frame->action == wire::kPresence) {
    const int64_t serial = frame->msg_serial.value_or(-1);
    checker_.CheckSerial(client, room, connection.next_serial, serial);
    connection.next_serial = std::max(connection.next_serial, serial + 1);
  }
  if (frame->action == wire::kAttach) connection.attached[room] = true;
  if (frame->action == wire::kDetach) connection.attached[room] = false;
  Feed(room, *input);
}

void Gateway::WakeHost(uint32_t index, uint64_t life) {
  Room& room = rooms_[index];
  // Others have been put off by then, or are of an earlier life.
  if (life != room.life || !room.wakes.has_value() || *room.wakes > HostNow(index)) return;
  room.wakes.reset();
  room.host->AdvanceTo(HostNow(index), effects_);
  CarryOut(index);
}

void Gateway::Feed(uint32_t room, const HostInput& input) {
  const absl::Status status = rooms_[room].host->Apply(HostNow(room), input, effects_);
  PRESENCE_CHECK(status.ok());
  CarryOut(room);
}

void Gateway::CarryOut(uint32_t index) {
  Room& room = rooms_[index];
  const std::string name = RoomName(index);
  const bool datagrams = plan_.options.transport == TransportKind::kDatagram;
  bool changed = false;
  for (const HostEffect& effect : effects_) {
    if (const auto* event = std::get_if<MemberEvent>(&effect)) {
      changed = true;
      checker_.OnHostEvent(index, *event);
      // A leave that the host made up is newer or older by its time alone.
      if (room.skewed && event->type == EventType::kLeave && event->reason != LeaveReason::kLeft) {
        for (uint32_t client = 0; client < connections_.size(); ++client) {
          if (connections_[client].attached[index]) checker_.OnDisturbed(client);
        }
      }
      continue;
    }
    std::string json;
    if (const auto* attached = std::get_if<AttachedReply>(&effect)) {
      // With RESUMED it would mean nothing to who is attached already, and announce no sync.
      AttachedReply announced = *attached;
      announced.flags &= ~kFlagResumed;
      wire::AppendHostFrame(name, announced, json);
    } else {
      wire::AppendHostFrame(name, effect, json);
    }
    const auto bytes = std::make_shared<const std::string>(std::move(json));
    if (const auto* broadcast = std::get_if<Broadcast>(&effect)) {
      items_sent_ += broadcast->items.size() * broadcast->to.size();
      for (const ConnectionHandle to : broadcast->to) {
        Send(to, bytes,
             datagrams && Concerns(broadcast->items, connections_[static_cast<uint32_t>(to)].id)
                 ? FrameKind::kControl
                 : FrameKind::kPresence);
      }
    } else if (const auto* page = std::get_if<SyncPage>(&effect)) {
      items_sent_ += page->items.size();
      // A first page that nothing has announced must not be overtaken: until it comes, nobody knows
      // that a sync runs, and what is said meanwhile does not count for it.
      const std::optional<uint32_t> client = ClientOf(page->to);
      if (!announces_ && client.has_value()) network_.HoldNextPage(*client, 0);
      Send(page->to, bytes,
           datagrams && Concerns(page->items, connections_[static_cast<uint32_t>(page->to)].id)
               ? FrameKind::kControl
               : FrameKind::kPage);
    } else if (const auto* attached = std::get_if<AttachedReply>(&effect)) {
      if (const auto client = ClientOf(attached->to)) {
        checker_.OnSyncIssued(*client, index, network_.datagrams_in_flight(*client) == 0);
      }
      // Nobody can do without it in an empty room, where no pages come, and where the first page
      // comes later: what is said until then would not count for the sync.
      const bool page_follows = std::any_of(
          effects_.begin(), effects_.end(),
          [](const HostEffect& other) { return std::holds_alternative<SyncPage>(other); });
      if (announces_ || !page_follows) {
        Send(attached->to, bytes, FrameKind::kControl);
      }
    } else {
      const ConnectionHandle to = std::visit(
          [](const auto& reply) -> ConnectionHandle {
            if constexpr (requires { ConnectionHandle{reply.to}; }) return reply.to;
            return {};
          },
          effect);
      Send(to, bytes, FrameKind::kControl);
    }
  }
  if (changed) checker_.CheckHost(index, room.host->members());
  const std::optional<Timestamp> deadline = room.host->NextDeadline();
  if (deadline.has_value() && (!room.wakes.has_value() || *deadline < *room.wakes)) {
    room.wakes = deadline;
    schedule_.Add({ToMs(*deadline) - ToMs(kWorldStart) - room.skew_ms, Event::Kind::kHostWakes,
                   index, 0, room.life});
  }
}

void Gateway::Send(ConnectionHandle to, const FrameBytes& bytes, FrameKind kind) {
  const std::optional<uint32_t> client = ClientOf(to);
  if (client.has_value()) network_.SendDown(*client, connections_[*client].epoch, bytes, kind);
}

void Gateway::SendTo(uint32_t client, std::string json, FrameKind kind) {
  network_.SendDown(client, connections_[client].epoch,
                    std::make_shared<const std::string>(std::move(json)), kind);
}

void Gateway::SendDetached(uint32_t client, uint32_t room) {
  std::string json;
  wire::AppendHostFrame(RoomName(room), DetachedReply{}, json);
  SendTo(client, std::move(json), FrameKind::kControl);
}

bool Gateway::HoldsNothingBack(uint32_t room) const {
  return rooms_[room].host->pending_items() == 0;
}

// --- Faults ---

void Gateway::ForgetRoom(uint32_t index, uint64_t detail) {
  Room& room = rooms_[index];
  if (plan_.weather.faults.Has(Fault::kClockSkew)) {
    Random random(detail);
    room.skew_ms = random.Between(-5'000, 5'000);
    room.skewed = true;
  }
  MakeHost(index);
  checker_.OnHostForgot(index);
  for (uint32_t client = 0; client < connections_.size(); ++client) {
    ServerConnection& connection = connections_[client];
    connection.opened[index] = false;
    if (!connection.attached[index]) continue;
    connection.attached[index] = false;
    if (room.skewed) checker_.OnDisturbed(client);
    if (detail % 2 == 0) {
      // The client is told, and attaches again.
      SendDetached(client, index);
    } else {
      // It is attached again without having asked.
      OpenIn(index, connection, client);
      connection.attached[index] = true;
      Feed(index, AttachRequest{connection.handle});
    }
  }
}

bool Gateway::RestartSync(uint32_t client, uint32_t room, bool announced) {
  const ServerConnection& connection = connections_[client];
  if (connection.epoch == 0 || !connection.attached[room]) return false;
  announces_ = announced;
  Feed(room, AttachRequest{connection.handle});
  announces_ = true;
  return true;
}

// Somebody's connection is closed by the server while others are being synced.
bool Gateway::CloseSomebodyInSync(uint32_t room, uint64_t detail) {
  if (rooms_[room].host->running_syncs() == 0) return false;
  std::vector<std::string> leaving;
  rooms_[room].host->members().ForEach(
      [&](const Message& member) { leaving.emplace_back(member.connection_id); });
  if (leaving.empty()) return false;
  const std::string& id = leaving[detail % leaving.size()];
  // Its members leave; whose connection is alive enters them again when it attaches next.
  for (uint32_t client = 0; client < connections_.size(); ++client) {
    ServerConnection& connection = connections_[client];
    if (connection.id != id || !connection.opened[room]) continue;
    const bool attached = connection.attached[room];
    connection.attached[room] = false;
    connection.opened[room] = false;
    Feed(room, ConnectionClosed{connection.handle});
    checker_.OnHostDropped(room);
    if (!attached || connection.epoch == 0) return true;
    SendDetached(client, room);
    return true;
  }
  return false;
}

void Gateway::SkewClock(uint32_t index, int64_t skew_ms) {
  Room& room = rooms_[index];
  room.skew_ms = skew_ms;
  room.skewed = true;
  // What is due may be due earlier now.
  room.wakes = HostNow(index);
  schedule_.Add({schedule_.now_ms(), Event::Kind::kHostWakes, index, 0, room.life});
}

bool Gateway::SendMalformedItems(uint32_t client, uint32_t room) {
  const ServerConnection& connection = connections_[client];
  if (connection.epoch == 0 || !connection.attached[room]) return false;
  SendTo(client,
         absl::StrCat(R"({"action":14,"channel":"room-)", room,
                      R"(","presence":[{"action":2,"clientId":7,"connectionId":"x"},)",
                      R"({"action":99,"clientId":"x","connectionId":"x","id":"x:0:0"},)",
                      R"({"action":0,"clientId":"x","connectionId":"x","id":"x:0:1"},)",
                      R"({"action":2,"id":"x:0:2","timestamp":1}]})"),
         FrameKind::kControl);
  return true;
}

void Gateway::ResyncAll() {
  for (uint32_t client = 0; client < connections_.size(); ++client) {
    for (const uint32_t room : plan_.clients[client].rooms) RestartSync(client, room);
  }
}

}  // namespace presence::sim
