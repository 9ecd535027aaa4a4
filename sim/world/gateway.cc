#include "sim/world/gateway.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/members/member_set.h"
#include "presence/wire/frame.h"

namespace presence::sim {
namespace {

FrameKind KindOf(int64_t action) {
  if (action == wire::kPresence) return FrameKind::kPresence;
  if (action == wire::kSync) return FrameKind::kPage;
  if (action == wire::kAck || action == wire::kNack) return FrameKind::kAnswer;
  return FrameKind::kControl;
}

// Whether some item is of the connection itself. Such are not sent as datagrams: a late echo of a
// member of its own who has left cannot be told from its coming back, and would be entered again.
bool Concerns(const wire::Frame& frame, std::string_view connection_id) {
  return std::any_of(frame.presence.begin(), frame.presence.end(),
                     [&](const IncomingItem& item) { return item.connection_id == connection_id; });
}

// "c3-1": the first connection of the client 3.
uint32_t OwnerOf(std::string_view connection_id) {
  uint32_t client = 0;
  PRESENCE_CHECK(
      absl::SimpleAtoi(AbslView(connection_id.substr(1, connection_id.find('-') - 1)), &client));
  return client;
}

const MemberSet& NoMembers() {
  static const MemberSet* const kNone = new MemberSet;
  return *kNone;
}

}  // namespace

Gateway::Gateway(const Surroundings& surroundings)
    : plan_(surroundings.plan),
      schedule_(surroundings.schedule),
      network_(surroundings.network),
      checker_(surroundings.checker),
      frames_(surroundings.frames),
      faults_(surroundings.faults),
      bounds_(surroundings.bounds),
      server_reader_(plan_.weather.server.max_frame_size),
      seats_(plan_.clients.size()),
      changed_(plan_.rooms) {
  for (Seat& seat : seats_) seat.attached.resize(plan_.rooms);
  for (uint32_t room = 0; room < plan_.rooms; ++room) names_.push_back(RoomName(room));
  BeginLife();
  server_ = std::make_unique<Server>(ServerOptions());
}

Gateway::~Gateway() = default;

Timestamp Gateway::Now() const {
  return kWorldStart + std::chrono::milliseconds(schedule_.now_ms() + skew_ms_);
}

// --- Lives ---

Server::Options Gateway::ServerOptions() const {
  Server::Options options = plan_.weather.server;
  options.server_id = absl::StrCat("life", life_);
  return options;
}

void Gateway::BeginLife() {
  ++life_;
  wakes_.reset();
}

// All transports are gone, and clients notice.
void Gateway::EndLife() {
  pages_paused_ += server_->stats().pages_paused;
  to_.clear();
  for (uint32_t client = 0; client < seats_.size(); ++client) {
    Seat& seat = seats_[client];
    const uint64_t epoch = seat.epoch;
    Leave(seat);
    if (epoch == 0 || network_.epoch(client) != epoch) continue;
    network_.Cut(client);
    schedule_.Add({schedule_.now_ms() + network_.DrawLatency(client),
                   Event::Kind::kClientNoticesCut, client, epoch});
  }
}

void Gateway::Forget() {
  EndLife();
  BeginLife();
  server_ = std::make_unique<Server>(ServerOptions());
  for (Seat& seat : seats_) seat.id.clear();
  for (uint32_t room = 0; room < plan_.rooms; ++room) checker_.OnHostForgot(room);
  ScheduleWake();
}

void Gateway::Restore() {
  EndLife();
  const ServerSnapshot snapshot = server_->Export();
  // Restored from its end, it goes by the same name.
  const Server::Options options = server_->options();
  BeginLife();
  absl::StatusOr<std::unique_ptr<Server>> restored = Server::Restore(Now(), options, snapshot);
  PRESENCE_CHECK(restored.ok());
  server_ = *std::move(restored);
  for (uint32_t room = 0; room < plan_.rooms; ++room) changed_[room] = true;
  CheckRooms();
  ScheduleWake();
}

void Gateway::ShutDown() { Apply(presence::ShutDown{}); }

// --- Transports ---

std::optional<uint32_t> Gateway::ClientOf(TransportHandle transport) const {
  const auto found = to_.find(transport);
  if (found == to_.end()) return std::nullopt;
  return found->second;
}

// Its transport is not its any more.
void Gateway::Leave(Seat& seat) {
  seat.epoch = 0;
  seat.attached.assign(seat.attached.size(), false);
  seat.taken = 0;
  seat.kept = {};
}

void Gateway::OnConnect(uint32_t client, uint64_t epoch, std::string_view resume_key) {
  if (epoch != network_.epoch(client)) return;
  static constexpr Permission kEverything{"", true, kFlagModes};
  Seat& seat = seats_[client];
  const std::string id = absl::StrCat("c", client, "-", ++seat.connections);
  const std::string key = id + "-key";
  TransportAccepted accepted;
  accepted.transport = epoch;
  accepted.connection_id = id;
  accepted.connection_key = key;
  accepted.client_id = plan_.clients[client].identity;
  accepted.permissions = std::span(&kEverything, 1);
  accepted.heartbeats = true;
  accepted.resume_key = resume_key;
  to_[epoch] = client;
  Leave(seat);
  seat.epoch = epoch;
  Apply(accepted);
}

void Gateway::NoticeCut(uint64_t epoch) {
  const std::optional<uint32_t> client = ClientOf(epoch);
  if (!client.has_value()) return;
  Seat& seat = seats_[*client];
  if (seat.epoch == epoch) Leave(seat);
  to_.erase(epoch);
  Apply(TransportGone{epoch});
}

void Gateway::OnTaken(uint32_t client, uint64_t epoch, size_t bytes) {
  Seat& seat = seats_[client];
  if (seat.epoch != epoch) return;
  seat.taken += bytes;
  // Told at once only where it matters.
  const Server::Options& options = server_->options();
  if (seat.taken * 8 < std::min(options.unsent_pause, options.unsent_drop)) return;
  Apply(BytesTaken{epoch, std::exchange(seat.taken, 0)});
}

void Gateway::OnFrame(uint32_t client, uint64_t epoch, const std::string& bytes) {
  Seat& seat = seats_[client];
  const ServerInput input = server_reader_.Read(epoch, bytes);
  if (const auto* received = std::get_if<FrameReceived>(&input);
      received != nullptr && received->frame->action == wire::kPresence && seat.epoch == epoch) {
    const int64_t serial = received->frame->msg_serial.value_or(-1);
    checker_.CheckSerial(client, RoomOf(received->frame->channel), seat.next_serial, serial);
    seat.next_serial = std::max(seat.next_serial, serial + 1);
  }
  Apply(input);
}

// --- The server ---

void Gateway::Apply(const ServerInput& input) {
  const absl::Status status = server_->Apply(Now(), input, effects_);
  PRESENCE_CHECK(status.ok());
  CarryOut();
}

void Gateway::Wake(uint64_t life) {
  // Others have been put off by then, or are of an earlier life.
  if (life != life_ || !wakes_.has_value() || *wakes_ > Now()) return;
  wakes_.reset();
  server_->AdvanceTo(Now(), effects_);
  CarryOut();
}

void Gateway::CarryOut() {
  for (const ServerEffect& effect : effects_) {
    std::visit([this](const auto& one) { CarryOut(one); }, effect);
  }
  CheckRooms();
  ScheduleWake();
}

void Gateway::ScheduleWake() {
  const std::optional<Timestamp> deadline = server_->NextDeadline();
  if (!deadline.has_value() || (wakes_.has_value() && *deadline >= *wakes_)) return;
  wakes_ = deadline;
  schedule_.Add(
      {ToMs(*deadline) - ToMs(kWorldStart) - skew_ms_, Event::Kind::kServerWakes, 0, life_});
}

void Gateway::CheckRooms() {
  for (uint32_t room = 0; room < changed_.size(); ++room) {
    if (!changed_[room]) continue;
    changed_[room] = false;
    const RoomHost* const host = server_->FindRoom(names_[room]);
    checker_.CheckHost(room, host == nullptr ? NoMembers() : host->members());
  }
}

void Gateway::CarryOut(const SendFrame& send) {
  const bool datagrams = plan_.options.transport == TransportKind::kDatagram;
  const SharedFrame sent = frames_.Make(send.bytes);
  const int64_t action = sent->action();
  const FrameKind kind = KindOf(action);
  const bool is_attachment =
      action == wire::kAttached || action == wire::kDetached || action == wire::kError;
  // Of others nobody needs to know more.
  const bool is_read = is_attachment || kind == FrameKind::kPresence || kind == FrameKind::kPage ||
                       action == wire::kNack || action == wire::kDisconnected;
  static const wire::Frame kUnread;
  const wire::Frame& frame = is_read ? sent->frame() : kUnread;
  if (is_read) CountBounds(frame);
  items_sent_ += frame.presence.size() * send.to.size();
  for (const TransportHandle to : send.to) {
    const std::optional<uint32_t> client = ClientOf(to);
    if (!client.has_value()) continue;
    Seat& seat = seats_[*client];
    if (is_attachment && seat.epoch == to) NoteAttachment(*client, seat, frame);
    if (action == wire::kAttached && loses_ == *client) {
      wire::Frame changed = frame;
      changed.flags = frame.flags.value_or(0) & ~static_cast<int64_t>(kFlagResumed);
      std::string json;
      wire::AppendFrame(changed, json);
      network_.SendDown(*client, to, frames_.Make(json), kind, send.bytes.size());
    } else if (datagrams && Concerns(frame, seat.id)) {
      network_.SendDown(*client, to, sent, FrameKind::kControl, send.bytes.size());
    } else {
      network_.SendDown(*client, to, sent, kind, send.bytes.size());
    }
    if (kind == FrameKind::kPage && seat.epoch == to) SendLatePage(*client, seat, sent);
  }
}

void Gateway::NoteAttachment(uint32_t client, Seat& seat, const wire::Frame& frame) {
  if (frame.channel.empty()) return;
  const uint32_t room = RoomOf(frame.channel);
  seat.attached[room] = frame.action == wire::kAttached;
  if (frame.action != wire::kAttached) {
    seat.kept = {};
    return;
  }
  checker_.OnSyncIssued(client, room, network_.datagrams_in_flight(client) == 0);
  const bool resumed = (frame.flags.value_or(0) & static_cast<int64_t>(kFlagResumed)) != 0;
  // To a client that is attached this announces nothing, and so the first page must not be late;
  // to all others it does, and they forget the ids of earlier syncs.
  if (resumed && loses_ != client) network_.HoldNextPage(client, room, 0);
  if (!keeps_ids_) seat.kept = {};
}

// After a page of another sync than the one that a page was kept of.
void Gateway::SendLatePage(uint32_t client, Seat& seat, const SharedFrame& sent) {
  const wire::Frame& frame = sent->frame();
  const size_t colon = frame.channel_serial.find(':');
  const std::string_view sync = frame.channel_serial.substr(0, colon);
  const bool is_last = colon + 1 == frame.channel_serial.size();
  if (!seat.kept) {
    if (!seat.keeps_a_page || is_last) return;
    seat.keeps_a_page = false;
    seat.kept = sent;
    seat.kept_sync = sync;
  } else if (is_last) {
    seat.kept = {};
  } else if (sync != seat.kept_sync) {
    ++faults_[static_cast<size_t>(Fault::kLatePage)];
    network_.SendDown(client, seat.epoch, std::exchange(seat.kept, {}), FrameKind::kControl, 0);
  }
}

void Gateway::CountBounds(const wire::Frame& frame) {
  const RoomHost::Options& options = server_->options().room;
  if (frame.action == wire::kSync && !frame.channel_serial.ends_with(':')) {
    Reached(frame.presence.size() == options.sync_page_size ? Bound::kPageMembers
                                                            : Bound::kPageBytes);
  } else if (frame.action == wire::kPresence && frame.presence.size() == options.max_batch) {
    Reached(Bound::kBatch);
  }
  if (!frame.error.has_value()) return;
  const ErrorInfo& error = *frame.error;
  if (error.code == kSetFull) {
    Reached(options.max_members < RoomHost::Options().max_members ? Bound::kRoomMembers
                                                                  : Bound::kRoomBytes);
  } else if (error.code == kTooManyRequests) {
    Reached(frame.action == wire::kNack           ? Bound::kHostInFlight
            : frame.action == wire::kDisconnected ? Bound::kConnections
            : error.message == "too many rooms"   ? Bound::kRooms
                                                  : Bound::kChannels);
  } else if (error.code == kMessageTooLarge && frame.action == wire::kError) {
    Reached(Bound::kFrameSize);
  }
}

void Gateway::CarryOut(const EndTransport& end) {
  const std::optional<uint32_t> client = ClientOf(end.transport);
  if (!client.has_value()) return;
  if (seats_[*client].epoch == end.transport) Leave(seats_[*client]);
  if (network_.epoch(*client) == end.transport) network_.EndDown(*client);
}

void Gateway::CarryOut(const DropTransport& drop) {
  const std::optional<uint32_t> client = ClientOf(drop.transport);
  if (!client.has_value()) return;
  const int64_t now = schedule_.now_ms();
  const Server::Options& options = plan_.weather.server;
  Reached(server_->unsent_bytes() + options.unsent_drop > options.unsent_total
              ? Bound::kUnsentTotal
              : Bound::kUnsentDrop);
  if (network_.epoch(*client) == drop.transport) {
    network_.Cut(*client);
    schedule_.Add({now + network_.DrawLatency(*client), Event::Kind::kClientNoticesCut, *client,
                   drop.transport});
  }
  schedule_.Add({now + network_.DrawLatency(*client), Event::Kind::kServerNoticesCut, *client,
                 drop.transport});
}

void Gateway::CarryOut(const RoomEvent& told) {
  const uint32_t room = RoomOf(told.room);
  changed_[room] = true;
  checker_.OnHostEvent(room, told.event);
  // A leave that the host made up is newer or older by its time alone.
  if (!skewed_ || told.event.type != EventType::kLeave || told.event.reason == LeaveReason::kLeft) {
    return;
  }
  for (uint32_t client = 0; client < seats_.size(); ++client) {
    if (seats_[client].attached[room]) checker_.OnDisturbed(client);
  }
}

void Gateway::CarryOut(const ConnectionEvent& told) {
  if (told.kind != ConnectionEvent::Kind::kOpened && told.kind != ConnectionEvent::Kind::kResumed) {
    return;
  }
  Seat& seat = seats_[OwnerOf(told.connection_id)];
  if (seat.id == told.connection_id) return;
  seat.id = told.connection_id;
  seat.next_serial = 0;
}

void Gateway::SendTo(uint32_t client, std::string_view json, FrameKind kind, size_t bytes_taken) {
  network_.SendDown(client, seats_[client].epoch, frames_.Make(json), kind, bytes_taken);
}

bool Gateway::Serves(uint32_t client, uint32_t room) const {
  const Seat& seat = seats_[client];
  return seat.epoch != 0 && seat.epoch == network_.epoch(client) && seat.attached[room];
}

bool Gateway::HoldsNothingBack(uint32_t room) const {
  const RoomHost* const host = server_->FindRoom(names_[room]);
  return host == nullptr || host->pending_items() == 0;
}

// --- Faults ---

bool Gateway::RestartSync(uint32_t client, uint32_t room, Resync how) {
  const Seat& seat = seats_[client];
  if (!Serves(client, room)) return false;
  // As if the client had sent it.
  wire::Frame frame;
  frame.action = how == Resync::kAsked ? wire::kSync : wire::kAttach;
  frame.channel = names_[room];
  if (how == Resync::kLost) loses_ = client;
  if (how == Resync::kAsked) network_.HoldNextPage(client, room, 0);
  keeps_ids_ = how != Resync::kLost;
  Apply(FrameReceived{seat.epoch, &frame, 0});
  keeps_ids_ = false;
  loses_.reset();
  return true;
}

// Somebody's connection is closed by the server while others are being synced.
bool Gateway::CloseSomebodyInSync(uint32_t room, uint64_t detail) {
  const RoomHost* const host = server_->FindRoom(names_[room]);
  if (host == nullptr || host->running_syncs() == 0) return false;
  std::vector<std::string> leaving;
  host->members().ForEach(
      [&](const Message& member) { leaving.emplace_back(member.connection_id); });
  if (leaving.empty()) return false;
  Apply(CloseConnection{leaving[detail % leaving.size()], nullptr});
  return true;
}

void Gateway::SkewClock(int64_t skew_ms) {
  skew_ms_ = skew_ms;
  skewed_ = true;
  // What is due may be due earlier now.
  wakes_ = Now();
  schedule_.Add({schedule_.now_ms(), Event::Kind::kServerWakes, 0, life_});
}

bool Gateway::SendMalformedItems(uint32_t client, uint32_t room) {
  if (!Serves(client, room)) return false;
  SendTo(client,
         absl::StrCat(R"({"action":14,"channel":"room-)", room,
                      R"(","presence":[{"action":2,"clientId":7,"connectionId":"x"},)",
                      R"({"action":99,"clientId":"x","connectionId":"x","id":"x:0:0"},)",
                      R"({"action":0,"clientId":"x","connectionId":"x","id":"x:0:1"},)",
                      R"({"action":2,"id":"x:0:2","timestamp":1}]})"),
         FrameKind::kControl, 0);
  return true;
}

void Gateway::RefuseOperations(bool refuse) {
  ErrorInfo error;
  error.code = 50003;
  error.status_code = 500;
  error.message = "the disk is full";
  Apply(presence::RefuseOperations{refuse ? &error : nullptr});
}

void Gateway::ResyncAll() {
  for (uint32_t client = 0; client < seats_.size(); ++client) {
    for (const uint32_t room : plan_.clients[client].rooms) RestartSync(client, room);
  }
}

}  // namespace presence::sim
