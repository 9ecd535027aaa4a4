#include "sim/capture/generator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "sim/capture/generated_texts.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_writer.h"

namespace presence::sim {
namespace {

constexpr int64_t kFirstMs = 1'795'500'000'000;
constexpr int64_t kStateTtlMs = 120'000;
// What a client of rooms asks for, and is granted.
constexpr uint64_t kModes = kFlagPresence | kFlagPublish | kFlagSubscribe | kFlagPresenceSubscribe;
constexpr uint64_t kMostItems = 8;  // of a frame that speaks of several members

// Places that are free, so that somebody can come.
uint32_t PlacesFor(const GeneratorOptions& options) {
  const uint64_t spare =
      options.profile == TraceProfile::kStorm ? 0 : std::max<uint64_t>(options.members / 8, 1);
  return static_cast<uint32_t>(options.members + spare);
}

std::string ConnectionIdOf(const GeneratorOptions& options, uint64_t connection) {
  std::string id;
  AppendConnectionId(options.seed, connection, id);
  return id;
}

}  // namespace

std::string_view TraceProfileName(TraceProfile profile) {
  switch (profile) {
    case TraceProfile::kStorm:
      return "storm";
    case TraceProfile::kReconnects:
      return "reconnects";
    case TraceProfile::kSteady:
      break;
  }
  return "steady";
}

TraceGenerator::TraceGenerator(const GeneratorOptions& options)
    : options_(options),
      random_(Random::Mix(options.seed, 0)),
      room_(PlacesFor(options), static_cast<uint32_t>(options.connections_per_client),
            options.seed),
      now_us_(kFirstMs * 1000),
      texts_(std::max<size_t>(options.page, kMostItems)) {}

bool TraceGenerator::AppendNext(std::string& out) {
  if (ended_) return false;
  out_ = &out;
  if (!begun_) {
    begun_ = true;
    Begin();
  } else if (frames_ < options_.frames) {
    Step();
  } else if (!operations_.empty()) {
    PassFrame();
    SettleOwn();
  } else if (sync_.has_value()) {
    PassFrame();
    SendPage();
  } else {
    ended_ = true;
    End();
  }
  return true;
}

void TraceGenerator::ForEachMember(absl::FunctionRef<void(const Message&)> visit) const {
  GeneratedRoom::Cursor cursor;
  ItemTexts texts;
  const auto visit_one = [&](const GeneratedMember& member) { visit(MessageOf(member, texts)); };
  while (room_.VisitPage(cursor, options_.page, visit_one)) {
  }
}

// --- What happens ---
// No expression draws twice: in which order it would do so is the compiler's choice.

void TraceGenerator::Begin() {
  const std::string note = absl::StrCat(
      "presence generate --profile=", AbslView(TraceProfileName(options_.profile)),
      " --members=", options_.members, " --frames=", options_.frames, " --rate=", options_.rate,
      " --sync-every=", options_.sync_every, " --page=", options_.page,
      " --payload=", options_.payload,
      " --connections-per-client=", options_.connections_per_client, " --seed=", options_.seed);
  AppendTraceLine({std::nullopt, NoteLine{note}}, {}, *out_);
  // Who is there came over some time.
  if (options_.profile == TraceProfile::kStorm) {
    phase_left_ = options_.members;
  } else {
    for (uint32_t i = 0; i < options_.members; ++i) {
      const uint32_t place = room_.AnyAbsent(random_);
      const int64_t since_ms = random_.Between(0, 3'600'000);
      room_.Join(place, true, random_.Next(), now_ms() - since_ms);
    }
  }
  Pass(50);
  Connect(false);
}

void TraceGenerator::Step() {
  PassFrame();
  ExpireLost();
  const bool others = operations_.empty() || random_.Chance(300);
  if (sync_.has_value() && frames_ >= page_at_) {
    SendPage();
  } else if (!others) {
    SettleOwn();
  } else if (!sync_.has_value() && options_.sync_every > 0 &&
             frames_ - last_sync_at_ >= options_.sync_every) {
    StartSync();
    SendPage();
  } else if (WantsOwnOperation()) {
    CallOwn(true);
  } else if (random_.Chance(8)) {
    CallGet();
  } else {
    StepOfOthers();
  }
}

void TraceGenerator::End() {
  if (!options_.checks) return;
  AddMembersCheck();
  wire::Frame of;
  of.channel = kChannel;
  AddLine({std::nullopt, CheckLine{of, true}});
}

void TraceGenerator::StepOfOthers() {
  switch (options_.profile) {
    case TraceProfile::kSteady:
      return StepOfSteady();
    case TraceProfile::kStorm:
      return StepOfStorm();
    case TraceProfile::kReconnects:
      return StepOfReconnects();
  }
}

// Nine in ten change; the others keep the number of members about where it was.
void TraceGenerator::StepOfSteady() {
  const uint64_t what = random_.Below(20);
  const bool can_join = room_.present() < room_.places();
  const bool few = room_.present() <= options_.members - options_.members / 8;
  if ((can_join && (what == 0 || (what == 1 && few))) || room_.present() == 0) {
    const uint32_t place = room_.AnyAbsent(random_);
    const bool new_connection = random_.Chance(500);
    Broadcast(PresenceAction::kEnter, room_.Join(place, new_connection, random_.Next(), now_ms()));
  } else if (what == 1 && !few) {
    const uint32_t place = room_.AnyPresent(random_);
    Broadcast(PresenceAction::kLeave, room_.Leave(place, random_.Next(), now_ms()));
  } else {
    const uint32_t place = room_.AnyPresent(random_);
    Broadcast(PresenceAction::kUpdate, room_.Update(place, random_.Next(), now_ms()));
  }
}

// All join, in frames of one or several; they are busy for a while; then some leave, and the
// connections of the others are lost; and once these have been given up all comes again.
void TraceGenerator::StepOfStorm() {
  if (phase_left_ == 0) {
    if (phase_ == StormPhase::kJoining) {
      phase_ = StormPhase::kBusy;
      phase_left_ = options_.members / 4 + 1;
    } else if (phase_ == StormPhase::kBusy) {
      phase_ = StormPhase::kLeaving;
      phase_left_ = options_.members;
    } else {
      phase_ = StormPhase::kJoining;
      phase_left_ = options_.members;
      Pass(2 * GeneratedRoom::kGraceMs);
      return ExpireLost();
    }
  }
  const uint64_t most = phase_ == StormPhase::kBusy || random_.Chance(500) ? 1 : kMostItems;
  const uint64_t count = std::min(phase_left_, 1 + random_.Below(most));
  phase_left_ -= count;
  if (phase_ == StormPhase::kBusy) {
    const uint32_t place = room_.AnyPresent(random_);
    return Broadcast(PresenceAction::kUpdate, room_.Update(place, random_.Next(), now_ms()));
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (phase_ == StormPhase::kJoining) {
      const uint32_t place = room_.AnyAbsent(random_);
      AddItem(PresenceAction::kEnter, room_.Join(place, true, random_.Next(), now_ms()));
      continue;
    }
    const uint32_t place = room_.AnyPresent(random_);
    if (random_.Chance(500)) {
      room_.Lose(place, now_ms());
    } else {
      AddItem(PresenceAction::kLeave, room_.Leave(place, random_.Next(), now_ms()));
    }
  }
  BroadcastItems();
}

// As steady, and connections are lost: those of others, who may come back on another one before
// they are given up, and the client's.
void TraceGenerator::StepOfReconnects() {
  if (frames_ >= interruption_at_) return LoseConnection();
  if (random_.Chance(100) && room_.present() > 0 && room_.visible() < 2 * options_.members) {
    const uint32_t place = room_.AnyPresent(random_);
    room_.Lose(place, now_ms());
    if (random_.Chance(500)) {
      Broadcast(PresenceAction::kEnter, room_.Join(place, true, random_.Next(), now_ms()));
    }
    return;
  }
  StepOfSteady();
}

// Something that others do while the client hears nothing.
void TraceGenerator::ChangeUnseen() {
  while (room_.ExpireLost(now_ms()).has_value()) {
  }
  const bool can_join = room_.present() < room_.places();
  const uint64_t what = random_.Below(8);
  if ((what < 2 && can_join) || room_.present() == 0) {
    const uint32_t place = room_.AnyAbsent(random_);
    room_.Join(place, true, random_.Next(), now_ms());
    return;
  }
  const uint32_t place = room_.AnyPresent(random_);
  if (what == 2) {
    room_.Leave(place, random_.Next(), now_ms());
  } else if (what == 3 && room_.visible() < 2 * options_.members) {
    room_.Lose(place, now_ms());
  } else {
    room_.Update(place, random_.Next(), now_ms());
  }
}

// The server gives up who has been gone for too long.
void TraceGenerator::ExpireLost() {
  while (const std::optional<GeneratedMember> gone = room_.ExpireLost(now_ms())) {
    AddItem(PresenceAction::kLeave, *gone, true);
    if (frame_items_.size() == kMostItems) BroadcastItems();
  }
  BroadcastItems();
}

// --- Syncs ---

void TraceGenerator::StartSync() {
  sync_.emplace();
  sync_id_.clear();
  AppendConnectionId(Random::Mix(options_.seed, 4), next_sync_++, sync_id_);
  last_sync_at_ = frames_;
  page_at_ = frames_;
}

void TraceGenerator::SendPage() {
  const bool more = room_.VisitPage(*sync_, options_.page, [this](const GeneratedMember& member) {
    AddItem(PresenceAction::kPresent, member);
  });
  const std::string serial =
      more ? absl::StrCat(sync_id_, ":", sync_->own + sync_->place + sync_->lost)
           : absl::StrCat(sync_id_, ":");
  wire::Frame page;
  page.action = wire::kSync;
  page.channel = kChannel;
  page.channel_serial = serial;
  page.timestamp = now_ms();
  page.presence = frame_items_;
  Receive(page);
  frame_items_.clear();
  // Others go on meanwhile.
  page_at_ = frames_ + random_.Below(4);
  if (!more) sync_.reset();
}

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

// --- Time ---

void TraceGenerator::PassFrame() {
  now_us_ += random_.Between(0, 2'000'000 / static_cast<int64_t>(options_.rate));
}

void TraceGenerator::Pass(int64_t ms) { now_us_ += ms * 1000; }

// --- Lines ---

Message TraceGenerator::MessageOf(const GeneratedMember& member, ItemTexts& texts) const {
  Message message;
  texts.client_id.clear();
  AppendClientId(member.user, texts.client_id);
  message.client_id = texts.client_id;
  texts.connection_id.clear();
  AppendConnectionId(options_.seed, member.connection, texts.connection_id);
  message.connection_id = texts.connection_id;
  texts.id.clear();
  absl::StrAppend(&texts.id, texts.connection_id, ":", member.serial, ":0");
  message.id = texts.id;
  message.timestamp = TimestampFromMs(member.timestamp_ms);
  message.payload = MakePayload(member.payload, options_.payload, texts.data);
  return message;
}

std::string TraceGenerator::OwnName(uint32_t own) const {
  std::string name;
  AppendClientId(kFirstOwnUser + own, name);
  return name;
}

// Adds an item to the frame in hand. One that the server has made has an id of the server's.
void TraceGenerator::AddItem(PresenceAction action, const GeneratedMember& member,
                             bool synthesized) {
  PRESENCE_CHECK(frame_items_.size() < texts_.size());
  ItemTexts& texts = texts_[frame_items_.size()];
  const Message message = MessageOf(member, texts);
  if (synthesized) texts.id = absl::StrCat("sys-", frames_, ":", frame_items_.size(), ":0");
  IncomingItem& item = frame_items_.emplace_back();
  item.action = static_cast<int64_t>(action);
  item.client_id = message.client_id;
  item.connection_id = message.connection_id;
  item.id = texts.id;
  item.timestamp = message.timestamp;
  item.payload = message.payload;
}

// Sends the frame in hand, if there is something on it.
void TraceGenerator::BroadcastItems() {
  if (frame_items_.empty()) return;
  const std::string serial = absl::StrCat("cs", next_channel_serial_++);
  std::string id;
  wire::Frame frame;
  frame.action = wire::kPresence;
  frame.channel = kChannel;
  frame.channel_serial = serial;
  frame.timestamp = now_ms();
  if (frame_items_.size() == 1) {
    IncomingItem& item = frame_items_.front();
    id = item.id.substr(0, item.id.rfind(':'));
    frame.id = id;
    frame.connection_id = item.connection_id;
    // Servers may leave out of an item what the frame says (TP3a, TP3d, TP3g).
    if (random_.Chance(125)) {
      item.id = item.connection_id = {};
      item.timestamp.reset();
    }
  }
  frame.presence = frame_items_;
  Receive(frame);
  frame_items_.clear();
}

void TraceGenerator::Broadcast(PresenceAction action, const GeneratedMember& member) {
  AddItem(action, member);
  BroadcastItems();
}

void TraceGenerator::Receive(wire::Frame& frame) {
  ++frames_;
  items_ += frame.presence.size();
  json_.clear();
  wire::AppendFrame(frame, json_);
  if (frame.action == wire::kSync && frame.presence.empty()) {
    // Published clients take no notice of a page without the field.
    json_.pop_back();
    json_ += ",\"presence\":[]}";
  }
  AddLine({std::nullopt, ReceivedLine{frame}}, json_);
}

// The frame that the client sends, as the engine writes it.
void TraceGenerator::SendPresence(const OwnOperation& operation, bool with_client_id,
                                  std::string_view id) {
  const std::string name = OwnName(operation.own);
  std::string data;
  OutgoingItem item;
  item.action = operation.action;
  if (with_client_id) item.client_id = name;
  item.id = id;
  item.payload = MakePayload(operation.payload, options_.payload, data);
  json_.clear();
  wire::AppendPresence(kChannel, static_cast<int64_t>(operation.serial.value()), item, json_);
  AddLine({std::nullopt, SentLine{}}, json_);
}

// A line at the time at which the client sees it, some milliseconds after the server's.
void TraceGenerator::AddLine(const TraceLine& line, std::string_view frame_json) {
  t_ = std::max(t_, now_ms() + random_.Between(0, 2));
  AppendTraceLine({t_, line.content}, frame_json, *out_);
}

void TraceGenerator::AddMembersCheck() {
  // What a member takes at least; a line that would be too long is not begun.
  const uint64_t least = options_.payload + 100;
  if (room_.visible() > LineReader::kMaxLineBytes / least) return;
  wire::Frame page;
  page.action = wire::kSync;
  page.channel = kChannel;
  std::vector<ItemTexts> texts(room_.visible());
  std::vector<IncomingItem> items;
  items.reserve(texts.size());
  GeneratedRoom::Cursor cursor;
  const auto add = [&](const GeneratedMember& member) {
    const Message message = MessageOf(member, texts[items.size()]);
    IncomingItem& item = items.emplace_back();
    item.action = static_cast<int64_t>(PresenceAction::kPresent);
    item.client_id = message.client_id;
    item.connection_id = message.connection_id;
    item.id = message.id;
    item.timestamp = message.timestamp;
    item.payload = message.payload;
  };
  room_.VisitPage(cursor, texts.size(), add);
  page.presence = items;
  json_.clear();
  wire::AppendFrame(page, json_);
  if (json_.size() + 100 > LineReader::kMaxLineBytes) return;
  AddLine({std::nullopt, CheckLine{page, false}}, json_);
}

}  // namespace presence::sim
