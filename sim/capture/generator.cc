#include "sim/capture/generator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "sim/capture/generated_texts.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_writer.h"

namespace presence::sim {
namespace {

constexpr int64_t kFirstMs = 1'795'500'000'000;
constexpr uint64_t kMostItems = 8;  // of a frame that speaks of several members

// Places that are free, so that somebody can come.
uint32_t PlacesFor(const GeneratorOptions& options) {
  const uint64_t spare =
      options.profile == TraceProfile::kStorm ? 0 : std::max<uint64_t>(options.members / 8, 1);
  return static_cast<uint32_t>(options.members + spare);
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
