#include "sim/world/world_checker.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/replay/member_name.h"

namespace presence::sim {
namespace {

// Alike in all but the time: a member that a host which forgot the room was told of again has a new
// one, and clients that had the member keep the old.
bool Same(const Message& a, const Message& b) { return a.id == b.id && a.payload == b.payload; }

// Whether somebody who asked to leave may still be there: nobody but a connection that is gone
// fails a leave for good.
bool IsRefusal(const ErrorInfo& error) {
  return error.code != kConnectionFailed && error.code != kConnectionSuspended &&
         error.code != kConnectionDisconnected && error.code != kConnectionClosed;
}

}  // namespace

WorldChecker::WorldChecker(const Plan& plan, BoundCounts& bounds)
    : plan_(plan),
      bounds_(bounds),
      seats_(plan.clients.size()),
      rooms_(plan.rooms),
      unsubscribed_(plan.clients.size()),
      operations_(plan.clients.size()),
      waits_(plan.clients.size()),
      attachments_(plan.clients.size()),
      attachment_notes_(plan.clients.size()),
      gaps_are_legal_(plan.clients.size()) {
  for (auto& seats : seats_) seats.resize(plan.rooms);
}

WorldChecker::~WorldChecker() = default;

void WorldChecker::Fail(std::string_view invariant, uint32_t client, uint32_t room,
                        std::string what, Violation::Missing missing) {
  if (violation_.has_value()) return;
  violation_.emplace();
  violation_->invariant = invariant;
  violation_->what = std::move(what);
  violation_->client = client;
  violation_->room = room;
  violation_->missing = missing;
}

WorldChecker::Seat& WorldChecker::SeatOf(uint32_t client, uint32_t room) {
  std::unique_ptr<Seat>& seat = seats_[client][room];
  if (seat == nullptr) seat = std::make_unique<Seat>();
  return *seat;
}

// --- Clients ---

void WorldChecker::OnApply(uint32_t client, uint32_t room, Timestamp now, const ChannelInput& input,
                           const Effects& effects, const Channel& channel) {
  if (violation_.has_value()) return;
  Seat& seat = SeatOf(client, room);
  ++checks_;
  seat.alone.OnApply(0, now, input, effects, channel);
  if (const auto& violation = seat.alone.violation()) {
    return Fail(violation->invariant, client, room, violation->what);
  }
  // Answered with another DETACH (RTL5k): the sync that it announces is not expected, and so an
  // early leave not remembered. If that DETACH is not answered either, the channel is attached as
  // it is.
  if (std::holds_alternative<AttachedFrame>(input) && channel.state() == ChannelState::kDetaching) {
    Disturb(seat);
  }
  for (const Effect& effect : effects) Watch(client, room, seat, effect, channel);
  CountBounds(seat, effects, channel);
}

void WorldChecker::Watch(uint32_t client, uint32_t room, Seat& seat, const Effect& effect,
                         const Channel& channel) {
  if (std::holds_alternative<MemberEvent>(effect) || std::holds_alternative<SetCleared>(effect)) {
    ++seat.changes;
  } else if (const auto* sync = std::get_if<SyncChanged>(&effect)) {
    if (sync->phase == SyncChanged::Phase::kCompleted) {
      if (seat.clean_since_attached) seat.disturbed = false;
      seat.is_cut_short = false;
      ++seat.changes;
    } else if (sync->phase == SyncChanged::Phase::kDiscarded) {
      seat.is_cut_short = true;
    } else {
      // What an earlier sync remembers may be wrong, or missing when a late page of it comes.
      if (channel.members().tombstone_count() > 0) {
        seat.clean_since_attached = false;
      } else if (!seat.is_cut_short) {
        seat.is_short = false;
      }
    }
  } else if (const auto* update = std::get_if<ChannelUpdate>(&effect)) {
    if (update->reason != nullptr && update->reason->code == kReentryFailed) {
      seat.reentry_refused = true;
    }
  } else if (const auto* changed = std::get_if<StateChanged>(&effect)) {
    if (changed->state == ChannelState::kFailed) Leave(client, room);
  }
}

void WorldChecker::CountBounds(Seat& seat, const Effects& effects, const Channel& channel) {
  const Channel::Options& options = channel.options();
  // Who is forgotten too early may come back by a page.
  if (const uint64_t evicted = channel.members().tombstones_evicted();
      evicted > seat.tombstones_evicted) {
    seat.tombstones_evicted = evicted;
    Reached(Bound::kTombstones);
    seat.is_short = true;
  }
  for (const Effect& effect : effects) {
    if (const auto* diagnostic = std::get_if<Diagnostic>(&effect)) {
      if (!diagnostic->text.ends_with("one member too many")) continue;
      Reached(Bound::kMembers);
      seat.is_limited = seat.is_short = true;
    } else if (const auto* result = std::get_if<CallResult>(&effect)) {
      if (result->error == nullptr) continue;
      const bool of_bytes = result->error->message.find("bytes") != std::string::npos;
      if (result->error->code == kMessageTooLarge) Reached(Bound::kMessageSize);
      if (result->error->code != kTooManyRequests) continue;
      Reached(result->kind == CallResult::Kind::kSubscription ? Bound::kMembers
              : of_bytes                                      ? Bound::kQueuedBytes
                                                              : Bound::kQueued);
    }
  }
  if (channel.queued_operations() == 0 || channel.operations_in_flight() == 0 ||
      channel.state() != ChannelState::kAttached || !channel.connection().connected()) {
    return;
  }
  Reached(channel.operations_in_flight() == options.max_in_flight ? Bound::kInFlight
                                                                  : Bound::kInFlightBytes);
}

void WorldChecker::Leave(uint32_t client, uint32_t room) {
  EndIntents(client, room, std::numeric_limits<RequestId>::max());
  for (auto& [member, intent] : SeatOf(client, room).intents) intent.uncertain = true;
}

void WorldChecker::EndIntents(uint32_t client, uint32_t room, RequestId before) {
  // Of whom an earlier call is not answered yet, though a later one is: acknowledged once the
  // channel is attached again, it counts.
  std::set<std::string_view> still_asked;
  for (const auto& [request, operation] : operations_[client]) {
    if (operation.first == room) still_asked.insert(operation.second);
  }
  std::erase_if(SeatOf(client, room).intents, [&](const auto& intent) {
    return intent.second.answered && intent.second.request < before &&
           !still_asked.contains(intent.first);
  });
}

void WorldChecker::OnDelivered(uint32_t client, SubscriptionId to) {
  if (!unsubscribed_[client].contains(to)) return;
  Fail("delivery", client, plan_.clients[client].rooms[0],
       absl::StrCat("the listener of call ", to, " was told an event after it was unsubscribed"));
}

void WorldChecker::OnUnsubscribed(uint32_t client, SubscriptionId subscription) {
  unsubscribed_[client].insert(subscription);
}

void WorldChecker::OnOperation(uint32_t client, uint32_t room, RequestId request,
                               PresenceAction action, std::string_view member,
                               const Payload& payload, std::string_view connection_id) {
  Intent& intent = SeatOf(client, room).intents[std::string(member)];
  intent.present = action != PresenceAction::kLeave;
  intent.request = request;
  intent.answered = intent.failed = intent.uncertain = false;
  intent.connection_id = connection_id;
  Message message;
  message.client_id = member;
  message.connection_id = connection_id;
  message.payload = payload;
  intent.message = OwnedMessage(message);
  operations_[client][request] = {room, std::string(member)};
}

void WorldChecker::OnResult(uint32_t client, uint32_t asked_in, const CallResult& result,
                            const Channel& channel) {
  if (waits_[client].erase(result.request) > 0 && result.error == nullptr &&
      (channel.state() != ChannelState::kAttached || !channel.sync_complete())) {
    Fail("waiting", client, asked_in,
         absl::StrCat("the get of call ", result.request,
                      " was answered before the sync was complete"));
  }
  const auto operation = operations_[client].find(result.request);
  if (operation == operations_[client].end()) return;
  const auto& [room, member] = operation->second;
  std::map<std::string, Intent>& intents = SeatOf(client, room).intents;
  const auto intent = intents.find(member);
  if (intent != intents.end() && intent->second.request == result.request) {
    intent->second.answered = true;
    intent->second.failed = result.error != nullptr;
    // Who asked to leave and was refused has not left.
    if (!intent->second.present && result.error != nullptr && IsRefusal(*result.error)) {
      intent->second.uncertain = true;
    }
  }
  operations_[client].erase(operation);
}

void WorldChecker::OnConnected(uint32_t client, std::string_view connection_id) {
  const auto [owner, is_new] = owners_.try_emplace(std::string(connection_id), client);
  if (is_new) {
    gaps_are_legal_[client] = false;
    return;
  }
  // A leave that failed with the connection was never sent: now that this goes on, the server's
  // echo says that the member is still there.
  for (const auto& seat : seats_[client]) {
    if (seat == nullptr) continue;
    for (auto& [member, intent] : seat->intents) {
      if (!intent.present && intent.failed) intent.uncertain = true;
    }
  }
}

// --- Attaching and detaching ---

void WorldChecker::OnAttach(uint32_t client, uint32_t room, RequestId request) {
  const Attachment attachment{AttachmentResult::Kind::kAttach, room};
  attachments_[client][request] = attachment;
  attachment_notes_[client].push_back({attachment});
}

void WorldChecker::OnDetach(uint32_t client, uint32_t room, RequestId request) {
  if (request != 0) {
    const Attachment attachment{AttachmentResult::Kind::kDetach, room};
    attachments_[client][request] = attachment;
    attachment_notes_[client].push_back({attachment});
  }
  // It may fail, or the server may not hear of it; and what is still asked may be acknowledged
  // before the channel is detached, or after it is attached again: either is right then.
  for (auto& [member, intent] : SeatOf(client, room).intents) intent.uncertain = true;
}

void WorldChecker::OnClosed(uint32_t client, uint32_t room, const Channel& channel) {
  Seat& seat = SeatOf(client, room);
  // A suspended channel may wait for the next connection, which enters its members again (RTL3).
  if (channel.state() != ChannelState::kSuspended) return Leave(client, room);
  for (auto& [member, intent] : seat.intents) intent.uncertain = true;
}

void WorldChecker::OnAttachmentResult(uint32_t client, const AttachmentResult& result,
                                      bool by_server) {
  if (result.error != nullptr && result.error->code == kNoAnswer) Reached(Bound::kRequestTimeout);
  if (result.request == 0) return;
  attachment_notes_[client].push_back(
      {{result.kind, RoomOf(result.channel)}, true, result.error != nullptr});
  const auto asked = attachments_[client].find(result.request);
  if (asked == attachments_[client].end() || asked->second.kind != result.kind ||
      RoomOf(result.channel) != asked->second.room) {
    return Fail("attachment", client, RoomOf(result.channel),
                absl::StrCat("the call ", result.request, " was answered, and not asked"),
                Violation::Missing::kAttachments);
  }
  const uint32_t room = asked->second.room;
  attachments_[client].erase(asked);
  if (result.kind != AttachmentResult::Kind::kDetach || result.error != nullptr || !by_server) {
    return;
  }
  EndIntents(client, room, result.request);
}

JsonArray WorldChecker::attachments(uint32_t client, uint32_t room) const {
  JsonArray entries;
  for (const AttachmentNote& note : attachment_notes_[client]) {
    if (note.of.room != room) continue;
    const std::string_view name =
        note.of.kind == AttachmentResult::Kind::kAttach ? "attach" : "detach";
    JsonObject entry{{note.is_answer ? "done" : "call", name}};
    if (note.failed) entry.Set("error", JsonObject());
    entries.emplace_back(std::move(entry));
  }
  return entries;
}

size_t WorldChecker::unanswered(uint32_t client) const {
  size_t open = attachments_[client].size();
  for (const auto& seat : seats_[client]) {
    if (seat != nullptr) open += seat->alone.unanswered(0);
  }
  return open;
}

void WorldChecker::CheckSession(uint32_t client, const ClientSession& session) {
  if (violation_.has_value()) return;
  ++checks_;
  if (const std::string wrong = session.CheckOwnInvariants(); !wrong.empty()) {
    Fail("session", client, plan_.clients[client].rooms[0], wrong);
  }
}

// --- The host ---

void WorldChecker::OnHostEvent(uint32_t index, const MemberEvent& event) {
  Room& room = rooms_[index];
  ++room.changes;
  const Message& message = event.message;
  Key key{std::string(message.connection_id), std::string(message.client_id)};
  if (event.type == EventType::kLeave) {
    const auto member = room.members.find(key);
    if (member == room.members.end()) {
      return Fail("host", 0, index,
                  absl::StrCat("the host says that ", NameOf(message), " left, who was not there"));
    }
    room.order.erase(std::find(room.order.begin(), room.order.end(), member));
    room.members.erase(member);
    return;
  }
  const auto [member, added] = room.members.try_emplace(std::move(key));
  member->second = OwnedMessage(message);
  if (added != (event.type == EventType::kEnter)) {
    return Fail("host", 0, index,
                absl::StrCat("the host confuses enter and update of ", NameOf(message)));
  }
  if (added) room.order.push_back(member);
}

void WorldChecker::OnHostForgot(uint32_t index) {
  Room& room = rooms_[index];
  ++room.changes;
  room.members.clear();
  room.order.clear();
  room.was_forgotten = true;
}

void WorldChecker::OnSyncIssued(uint32_t client, uint32_t room, bool clean) {
  SeatOf(client, room).clean_since_attached = clean;
}

void WorldChecker::OnDisturbed(uint32_t client) {
  for (const uint32_t room : plan_.clients[client].rooms) {
    Disturb(SeatOf(client, room));
  }
}

void WorldChecker::CheckHost(uint32_t index, const MemberSet& members) {
  if (violation_.has_value()) return;
  const Room& room = rooms_[index];
  ++checks_;
  size_t place = 0;
  members.ForEach([&](const Message& member) {
    if (place >= room.order.size()) return ++place, void();
    const OwnedMessage& told = room.order[place++]->second;
    if (told.view() != member) {
      Fail("host", 0, index,
           absl::StrCat("the host told ", NameOf(told.view()), " where it has ", NameOf(member)));
    }
  });
  if (place != room.order.size()) {
    Fail("host", 0, index,
         absl::StrCat("the host has ", place, " members, and told of ", room.order.size()));
  }
}

// --- Agreement ---

bool WorldChecker::IsToAgree(uint32_t client, uint32_t index, const Channel& channel) const {
  const Seat* const seat = seats_[client][index].get();
  return !violation_.has_value() && seat != nullptr && !seat->disturbed && !seat->is_short &&
         channel.state() == ChannelState::kAttached && channel.sync_complete() &&
         (seat->agreed_host_changes != rooms_[index].changes ||
          seat->agreed_changes != seat->changes);
}

void WorldChecker::CheckAgreement(uint32_t client, uint32_t index, const Channel& channel) {
  if (!IsToAgree(client, index, channel)) return;
  Seat& seat = SeatOf(client, index);
  const Room& room = rooms_[index];
  ++checks_;
  size_t same = 0;
  auto next = room.order.begin();  // most have joined here in the order in which they have there
  channel.members().ForEach([&](const Message& member) {
    const KeyView key(member.connection_id, member.client_id);
    auto known = room.members.end();
    if (next != room.order.end()) known = *next++;
    if (known == room.members.end() || KeyView(known->first) != key) known = room.members.find(key);
    if (known == room.members.end()) {
      Fail("agreement", client, index,
           absl::StrCat(NameOf(member), " is visible, and not in the room"),
           Violation::Missing::kMembers);
    } else if (!Same(known->second.view(), member)) {
      Fail("agreement", client, index,
           absl::StrCat(NameOf(member), " is seen with id ", Quoted(member.id), " and data ",
                        Quoted(member.payload.data), " where the host has ",
                        Quoted(known->second.view().id), " and ",
                        Quoted(known->second.view().payload.data)),
           Violation::Missing::kMembers);
    } else {
      ++same;
    }
  });
  if (same < room.members.size()) {
    for (const auto& [key, member] : room.members) {
      if (channel.members().Find(key.first, key.second).has_value()) continue;
      Fail("agreement", client, index,
           absl::StrCat(NameOf(member.view()), " is in the room, and not visible"),
           Violation::Missing::kMembers);
    }
  }
  seat.agreed_host_changes = room.changes;
  seat.agreed_changes = seat.changes;
}

std::vector<Message> WorldChecker::members(uint32_t room) const {
  std::vector<Message> members;
  for (const auto& member : rooms_[room].order) members.push_back(member->second.view());
  return members;
}

void WorldChecker::CheckSerial(uint32_t client, uint32_t room, int64_t expected, int64_t serial) {
  ++checks_;
  if (serial < 0 || (serial > expected && !gaps_are_legal_[client])) {
    Fail("serials", client, room,
         absl::StrCat("a frame has the msgSerial ", serial, " where ", expected, " is next"));
  }
}

// --- The end ---

void WorldChecker::CheckQuiet(uint32_t client, uint32_t room, const Channel& channel,
                              bool connected, const std::string& connection_id) {
  if (violation_.has_value()) return;
  Seat& seat = SeatOf(client, room);
  ++checks_;
  if (connected) {
    CheckSettled(client, room, channel);
    if (violation_.has_value()) return;
    if (channel.state() == ChannelState::kAttached && seat.disturbed) {
      return Fail("liveness", client, room, "no sync completes undisturbed");
    }
  }
  for (const auto& [member, intent] : seat.intents) {
    if (!intent.answered || intent.uncertain) continue;
    const bool attached = connected && channel.state() == ChannelState::kAttached;
    CheckIntent(client, room, member, intent, attached && !seat.reentry_refused && !seat.is_limited,
                connection_id);
  }
}

void WorldChecker::CheckSettled(uint32_t client, uint32_t room, const Channel& channel) {
  if (violation_.has_value()) return;
  if (channel.state() == ChannelState::kAttaching || channel.state() == ChannelState::kDetaching) {
    return Fail("liveness", client, room, "the channel is still on its way",
                Violation::Missing::kSettled);
  }
  for (const auto& [request, attachment] : attachments_[client]) {
    if (attachment.room != room) continue;
    return Fail("liveness", client, room,
                absl::StrCat("the call ", request,
                             attachment.kind == AttachmentResult::Kind::kAttach ? " to attach"
                                                                                : " to detach",
                             " is never answered"),
                Violation::Missing::kAttachments);
  }
  if (const size_t open = SeatOf(client, room).alone.unanswered(0); open > 0) {
    return Fail("liveness", client, room, absl::StrCat(open, " calls are never answered"),
                Violation::Missing::kSettled);
  }
  if (channel.state() == ChannelState::kAttached && !channel.sync_complete()) {
    Fail("liveness", client, room, "the sync never ends", Violation::Missing::kSettled);
  }
}

// On a failure, the room is made what it should be: that is what the client should see.
void WorldChecker::FailPresence(uint32_t client, uint32_t index, Members::iterator member,
                                std::string what) {
  Room& room = rooms_[index];
  std::erase(room.order, member);
  room.members.erase(member);
  Fail("intent", client, index, std::move(what), Violation::Missing::kMembers);
}

void WorldChecker::CheckIntent(uint32_t client, uint32_t index, const std::string& member,
                               const Intent& intent, bool attached,
                               const std::string& connection_id) {
  Room& room = rooms_[index];
  const Key key{connection_id, member};
  const auto found = room.members.find(key);
  const bool there = found != room.members.end();
  // On a failure, the room is made what it should be: that is what the client should see.
  if (intent.present) {
    if (intent.failed || !attached) return;
    if (!there) {
      room.order.push_back(room.members.try_emplace(key, intent.message).first);
      Fail("intent", client, index,
           absl::StrCat(Quoted(member), " asked to be present (call ", intent.request,
                        "), was acknowledged, and is not"),
           Violation::Missing::kMembers);
    } else if (found->second.view().payload != intent.message.view().payload) {
      std::string what =
          absl::StrCat(Quoted(member), " is present with other data than was acknowledged (call ",
                       intent.request, "): ", Quoted(found->second.view().payload.data));
      found->second = intent.message;
      Fail("intent", client, index, std::move(what), Violation::Missing::kMembers);
    }
    return;
  }
  // A leave that was refused by a host which had forgotten the room changes nothing. Datagrams may
  // echo a member after it left, which nobody can tell from its coming back.
  if (!there || plan_.options.transport == TransportKind::kDatagram) return;
  if (intent.failed && (room.was_forgotten || intent.connection_id == connection_id)) return;
  FailPresence(
      client, index, found,
      absl::StrCat(Quoted(member), " asked to leave (call ", intent.request, ") and is present"));
}

void WorldChecker::CheckRoomQuiet(uint32_t index,
                                  std::span<const std::optional<std::string>> connection_ids,
                                  std::optional<uint32_t> witness) {
  if (violation_.has_value()) return;
  ++checks_;
  Members& members = rooms_[index].members;
  for (auto member = members.begin(); member != members.end(); ++member) {
    const auto& [connection_id, client_id] = member->first;
    const std::string name = NameOf(member->second.view());
    const auto owner = owners_.find(connection_id);
    if (owner == owners_.end()) {
      return FailPresence(witness.value_or(0), index, member, name + " is of no connection");
    }
    const uint32_t client = owner->second;
    if (!connection_ids[client].has_value()) continue;
    if (*connection_ids[client] != connection_id) {
      return FailPresence(witness.value_or(client), index, member,
                          name + " is gone past the grace period, and present");
    }
    if (!SeatOf(client, index).intents.contains(client_id)) {
      return FailPresence(witness.value_or(client), index, member,
                          name + " has left the room, and is present");
    }
  }
}

}  // namespace presence::sim
