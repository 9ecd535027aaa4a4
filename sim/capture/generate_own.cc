// What the client of a generated trace does itself: with its own members, and with its connection.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "sim/capture/generated_texts.h"
#include "sim/capture/generator.h"

namespace presence::sim {
namespace {

constexpr int64_t kStateTtlMs = 120'000;
// What a client of rooms asks for, and is granted.
constexpr uint64_t kModes = kFlagPresence | kFlagPublish | kFlagSubscribe | kFlagPresenceSubscribe;

std::string ConnectionIdOf(const GeneratorOptions& options, uint64_t connection) {
  std::string id;
  AppendConnectionId(options.seed, connection, id);
  return id;
}

}  // namespace

// --- The client's own members ---

bool TraceGenerator::WantsOwnOperation() {
  if (!operations_.empty()) return false;
  return entered_.empty() || random_.Chance(30);
}

// The client enters, changes or leaves. Whoever acts for several enters more of them in time.
void TraceGenerator::CallOwn(bool connected) {
  OwnOperation operation;
  operation.own = static_cast<uint32_t>(random_.Below(own_count()));
  for (const OwnOperation& other : operations_) {
    if (other.own == operation.own) return;  // one thing after the other
  }
  operation.payload = random_.Next();
  const bool entered = FindEntered(operation.own) != entered_.end();
  operation.action = !entered              ? PresenceAction::kEnter
                     : random_.Chance(125) ? PresenceAction::kLeave
                                           : PresenceAction::kUpdate;
  CallLine call;
  call.name = CallLine::Name::kOperation;
  call.channel = kChannel;
  call.action = operation.action;
  const std::string name = OwnName(operation.own);
  if (acts_for_many()) call.client_id = name;
  std::string data;
  call.payload = MakePayload(operation.payload, options_.payload, data);
  AddLine({std::nullopt, call});
  if (connected) {
    operation.serial = next_serial_++;
    SendPresence(operation, acts_for_many());
  }
  operations_.push_back(operation);
}

void TraceGenerator::CallGet() {
  std::string name;
  CallLine call;
  call.name = random_.Chance(500) ? CallLine::Name::kGet : CallLine::Name::kIsUserPresent;
  call.channel = kChannel;
  AppendClientId(static_cast<uint32_t>(random_.Below(room_.places())), name);
  if (call.name == CallLine::Name::kGet) {
    call.filter_client_id = name;
  } else {
    call.client_id = name;
  }
  AddLine({std::nullopt, call});
}

// The server answers all that the client has sent: it acknowledges everything at once, applies each
// operation that it has not applied, in order, and tells everybody.
void TraceGenerator::SettleOwn() {
  const uint64_t first = operations_.front().serial.value();
  wire::Frame ack;
  ack.action = wire::kAck;
  ack.msg_serial = static_cast<int64_t>(first);
  ack.count = static_cast<int64_t>(operations_.back().serial.value() - first + 1);
  Receive(ack);
  for (const OwnOperation& operation : operations_) Acknowledge(operation);
  for (const OwnOperation& operation : operations_) {
    if (!operation.applied) Apply(operation);
  }
  operations_.clear();
}

// What the client makes of an ACK.
void TraceGenerator::Acknowledge(const OwnOperation& operation) {
  const auto entered = FindEntered(operation.own);
  const OwnMember member = {operation.own, *operation.serial, operation.payload};
  if (operation.action == PresenceAction::kLeave) {
    if (entered != entered_.end()) entered_.erase(entered);
  } else if (entered == entered_.end()) {
    entered_.push_back(member);
  } else if (!operation.reentry || !operation.applied) {
    *entered = member;  // of a re-entry it is the echo that says so
  }
}

// What the server makes of an operation. It says what became of the member, not what the client
// called it.
void TraceGenerator::Apply(const OwnOperation& operation) {
  const bool was_present = room_.IsOwnPresent(operation.own);
  if (operation.action != PresenceAction::kLeave) {
    Broadcast(was_present ? PresenceAction::kUpdate : PresenceAction::kEnter,
              room_.SetOwn(operation.own, *operation.serial, operation.payload, now_ms()));
  } else if (was_present) {
    Broadcast(PresenceAction::kLeave,
              room_.RemoveOwn(operation.own, *operation.serial, operation.payload, now_ms()));
  }
}

std::vector<TraceGenerator::OwnMember>::iterator TraceGenerator::FindEntered(uint32_t own) {
  return std::find_if(entered_.begin(), entered_.end(),
                      [own](const OwnMember& member) { return member.own == own; });
}

// --- The client's connection ---

// The connection is lost, and comes back: soon enough to be resumed, or under a new id, or not
// before the client has given its members up for suspended.
void TraceGenerator::LoseConnection() {
  enum { kResumed, kAnew, kSuspended, kContinuityLost };
  const uint64_t kind = random_.Below(8);
  const int how = kind < 4 ? kResumed : kind < 6 ? kAnew : kind == 6 ? kSuspended : kContinuityLost;
  sync_.reset();
  if (how == kContinuityLost) {
    // Not the connection, but the server has lost track: it attaches the channel once more (RTL12).
    return Attach(false);
  }
  if (operations_.empty() && random_.Chance(500)) CallOwn(true);
  for (OwnOperation& operation : operations_) {
    // It may have got there, and only the answer is lost.
    if (!operation.serial.has_value() || !random_.Chance(500)) continue;
    if (operation.action != PresenceAction::kLeave) {
      room_.SetOwn(operation.own, *operation.serial, operation.payload, now_ms());
    } else if (room_.IsOwnPresent(operation.own)) {
      room_.RemoveOwn(operation.own, *operation.serial, operation.payload, now_ms());
    }
    operation.applied = true;
  }
  ConnectionLine lost;
  lost.state = ConnectionState::kDisconnected;
  lost.reason = {80003, 503, "Connection to server unavailable", nullptr};
  AddLine({std::nullopt, lost});
  if (how != kResumed) room_.LoseOwn(now_ms());
  if (random_.Chance(500)) CallOwn(false);
  if (random_.Chance(250)) CallGet();

  const int64_t down_ms = how == kResumed ? random_.Between(100, GeneratedRoom::kGraceMs - 1'000)
                          : how == kAnew  ? random_.Between(1'000, 60'000)
                                          : random_.Between(kStateTtlMs + 1'000, 300'000);
  const uint64_t changes = std::min<uint64_t>(static_cast<uint64_t>(down_ms) * options_.rate / 1000,
                                              2 * options_.members + 10);
  int64_t left_ms = down_ms;
  for (uint64_t i = 0; i < changes; ++i) {
    const int64_t pause = std::min(left_ms, down_ms / static_cast<int64_t>(changes));
    left_ms -= pause;
    Pass(pause);
    ChangeUnseen();
  }
  Pass(left_ms);
  while (room_.ExpireLost(now_ms()).has_value()) {
  }
  if (how == kSuspended) {
    ConnectionLine suspended;
    suspended.state = ConnectionState::kSuspended;
    suspended.reason = {80002, 400, "Connection suspended", nullptr};
    AddLine({std::nullopt, suspended});
    // What waited has failed; who asked to leave is not entered again.
    for (const OwnOperation& operation : operations_) {
      const auto entered = FindEntered(operation.own);
      if (operation.action == PresenceAction::kLeave && entered != entered_.end()) {
        entered_.erase(entered);
      }
    }
    operations_.clear();
  }
  Connect(how == kResumed);
}

// CONNECTED, and what a client then does.
void TraceGenerator::Connect(bool resumed) {
  const bool first = frames_ == 0;
  if (!resumed) {
    room_.OpenOwnConnection();
    next_serial_ = 0;
    // What was not answered is asked anew.
    for (OwnOperation& operation : operations_) {
      operation.serial.reset();
      operation.applied = false;
    }
  }
  const std::string id = ConnectionIdOf(options_, room_.own_connection());
  std::string key = absl::StrCat(id, "!");
  AppendConnectionId(Random::Mix(options_.seed, 3), frames_, key);
  wire::Frame connected;
  connected.action = wire::kConnected;
  connected.connection_id = id;
  const std::string name = acts_for_many() ? "*" : OwnName(0);
  connected.details_client_id = name;
  connected.details_connection_key = key;
  connected.details_max_message_size = 65'536;
  connected.details_max_idle_interval = 15'000;
  connected.details_connection_state_ttl = kStateTtlMs;
  if (!resumed && !first) connected.error = {80008, 400, "Unable to recover connection", nullptr};
  Receive(connected);

  wire::Frame attach;
  attach.action = wire::kAttach;
  attach.channel = kChannel;
  attach.flags = static_cast<int64_t>(kModes);
  json_.clear();
  wire::AppendFrame(attach, json_);
  AddLine({std::nullopt, SentLine{attach}}, json_);
  // On a new transport of the same connection what is not answered is sent again (RTN19a).
  for (const OwnOperation& operation : operations_) {
    if (operation.serial.has_value()) SendPresence(operation, acts_for_many());
  }
  Pass(random_.Between(5, 80));
  Attach(resumed);
}

// ATTACHED, the client's re-entries and what waited in its queue, and the server's answer to all
// that; a sync follows.
void TraceGenerator::Attach(bool resumed) {
  const std::string serial = absl::StrCat("cs", next_channel_serial_++);
  wire::Frame attached;
  attached.action = wire::kAttached;
  attached.channel = kChannel;
  attached.channel_serial = serial;
  const bool sync = room_.visible() > 0;
  attached.flags =
      static_cast<int64_t>(kModes | (sync ? kFlagHasPresence : 0) | (resumed ? kFlagResumed : 0));
  Receive(attached);

  std::vector<OwnOperation> reentries;
  for (const OwnMember& member : entered_) {
    const bool under_way = std::any_of(operations_.begin(), operations_.end(),
                                       [&](const OwnOperation& o) { return o.own == member.own; });
    if (under_way) continue;  // that says more
    OwnOperation& reentry = reentries.emplace_back();
    reentry.own = member.own;
    reentry.serial = next_serial_++;
    reentry.payload = member.payload;
    reentry.reentry = true;
    // With its id as long as the connection has the same one (RTP17g1): the server has the member
    // still, and knows that this is nothing new.
    std::string id;
    if (room_.IsOwnPresent(member.own)) {
      id = absl::StrCat(ConnectionIdOf(options_, room_.own_connection()), ":", member.serial, ":0");
      reentry.applied = true;
    }
    SendPresence(reentry, true, id);
  }
  for (OwnOperation& operation : operations_) {
    if (operation.serial.has_value()) continue;
    operation.serial = next_serial_++;
    SendPresence(operation, acts_for_many());
  }
  operations_.insert(operations_.end(), reentries.begin(), reentries.end());
  std::sort(operations_.begin(), operations_.end(),
            [](const OwnOperation& a, const OwnOperation& b) { return *a.serial < *b.serial; });
  if (!operations_.empty()) {
    Pass(random_.Between(1, 30));
    SettleOwn();
  }
  if (sync) {
    StartSync();
    SendPage();
  }
  // Now and then in the middle of the sync that has just begun.
  const uint64_t pages = options_.members / options_.page + 1;
  const bool soon = random_.Chance(250);
  interruption_at_ = frames_ + (soon ? 0 : 20 + random_.Below(100));
  interruption_at_ += random_.Below(2 * pages + 1);
}

}  // namespace presence::sim
