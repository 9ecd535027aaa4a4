#include "sim/world/client.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "presence/base/internal/check.h"
#include "presence/wire/frame.h"
#include "sim/base/random.h"
#include "sim/world/altered_effects.h"

namespace presence::sim {
namespace {

// Of a step's random number, what makes up an operation.
struct Words {
  Payload payload;
  std::string data;
  std::string extras;
};

void DrawWords(uint64_t detail, std::string_view client, uint64_t spoken, Words& words) {
  Random random(detail);
  const uint64_t form = random.Below(10);
  if (form > 0) {
    words.data = absl::StrCat("{\"says\":\"", spoken, "\"}");
    words.payload.data_kind = DataKind::kString;
    if (form < 5) {
      words.payload.encoding = "json";
    } else {
      words.data = absl::StrCat("word ", spoken, " of ", std::string(client));
      // Some are too long to lie in the member's slot.
      if (form == 9) words.data.append(200, '.');
    }
    words.payload.data = words.data;
  }
  if (random.Chance(200)) {
    words.extras = absl::StrCat("{\"n\":", spoken, "}");
    words.payload.extras = words.extras;
  }
}

// Of these, each client with numbers of its own.
ClientSession::Options SessionOptions(const Plan& plan, uint32_t client) {
  ClientSession::Options options = plan.weather.session;
  options.seed = Random::Mix(plan.options.seed, 2000 + client);
  return options;
}

std::optional<RoomLog> MakeLog(const ClientTraits& traits, const Recording* recording) {
  if (recording == nullptr || !traits.through_rooms) return std::nullopt;
  std::vector<std::string> names;
  for (const uint32_t room : traits.rooms) names.push_back(RoomName(room));
  return std::optional<RoomLog>(std::in_place, std::move(names));
}

// Whether a frame of this action can be one of a channel.
bool MayNameChannel(int64_t action) {
  return action == wire::kPresence || action == wire::kSync || action == wire::kAttached ||
         action == wire::kDetached || action == wire::kError;
}

// Whether the session takes the frame in, and so a trace has it.
bool IsOfUse(const wire::Frame& frame, SessionState state) {
  switch (frame.action) {
    case wire::kConnected:
      return state == SessionState::kConnecting || state == SessionState::kConnected;
    case wire::kAck:
    case wire::kNack:
    case wire::kAttached:
    case wire::kDetached:
    case wire::kPresence:
    case wire::kSync:
      return state == SessionState::kConnected;
    case wire::kError:
      return frame.channel.empty() || state == SessionState::kConnected;
    case wire::kDisconnected:
    case wire::kClosed:
      return true;
    default:
      return false;
  }
}

}  // namespace

Client::Client(uint32_t index, const Surroundings& surroundings, Recording* recording)
    : index_(index),
      traits_(surroundings.plan.clients[index]),
      plan_(surroundings.plan),
      schedule_(surroundings.schedule),
      network_(surroundings.network),
      checker_(surroundings.checker),
      frames_(surroundings.frames),
      faults_(surroundings.faults),
      bounds_(surroundings.bounds),
      interference_(surroundings.interference),
      log_(MakeLog(traits_, recording)),
      bare_(traits_.through_rooms ? nullptr
                                  : std::make_unique<ClientSession>(SessionOptions(plan_, index))),
      user_(MakeUser(surroundings)),
      session_(bare_ != nullptr ? *bare_ : user_->session()),
      channels_(traits_.rooms.size()),
      told_(session_.connection().state()),
      subscriptions_(traits_.rooms.size()) {
  if (recording != nullptr) recorder_.emplace(*recording, session_);
  if (recorder_.has_value()) recorder_->Begin(Now());
  for (const uint32_t room : traits_.rooms) rooms_.push_back(RoomName(room));
  if (user_ != nullptr) {
    // From here on his trace says what he asks for and is told.
    for (const std::string& room : rooms_) {
      if (recorder_.has_value()) recorder_->AddRoomCheck(Now(), room, {});
    }
    user_->Begin();
    RecordRooms();
    return;
  }
  // Every room has a listener from the start, which also makes the channels known in this order.
  for (const uint32_t room : traits_.rooms) Do(StepKind::kSubscribe, room, 0);
}

Client::~Client() = default;

std::unique_ptr<RoomUser> Client::MakeUser(const Surroundings& surroundings) {
  if (!traits_.through_rooms) return nullptr;
  RoomUser::Owner& owner = *this;
  return std::make_unique<RoomUser>(index_, surroundings, SessionOptions(plan_, index_), owner,
                                    log_.has_value() ? &*log_ : nullptr);
}

// Nothing is under way between the session and its rooms: what the user has asked for and was told
// is what the channels were given and have said.
void Client::RecordRooms() {
  if (!log_.has_value()) return;
  for (size_t place = 0; place < rooms_.size(); ++place) {
    JsonArray room =
        log_->Take(place, [this](size_t number) { return user_->deliveries().request(number); });
    if (!room.empty()) recorder_->AddRoomCheck(Now(), rooms_[place], std::move(room));
  }
}

// --- The user ---

void Client::Do(StepKind kind, uint32_t room, uint64_t detail) {
  if (user_ != nullptr) {
    user_->Do(kind, PlaceOf(room), detail);
    RecordRooms();
    return ScheduleWake();
  }
  ChannelCall call;
  call.channel = rooms_[PlaceOf(room)];
  const RequestId request = ++requests_;
  switch (kind) {
    case StepKind::kConnect:
      return Step(ConnectCall{});
    case StepKind::kAttach:
      checker_.OnAttach(index_, room, request);
      asked_now_ = request;
      return Step(AttachCall{call.channel, request});
    case StepKind::kEnter:
      return Operate(PresenceAction::kEnter, room, detail);
    case StepKind::kUpdate:
      return Operate(PresenceAction::kUpdate, room, detail);
    case StepKind::kLeave:
      return Operate(PresenceAction::kLeave, room, detail);
    case StepKind::kGet:
    case StepKind::kGetNow: {
      GetCall get;
      get.request = request;
      get.wait_for_sync = kind == StepKind::kGet;
      if (get.wait_for_sync) checker_.OnWaitForSync(index_, request);
      Random random(detail);
      const std::string connection(connection_id());
      if (random.Chance(300)) {
        get.client_id = plan_.clients[random.Below(plan_.clients.size())].identity;
      } else if (random.Chance(200)) {
        get.connection_id = connection;
      }
      call.call = get;
      return Call(call);
    }
    case StepKind::kIsUserPresent:
      call.call = IsUserPresentCall{request, plan_.clients[detail % plan_.clients.size()].identity};
      return Call(call);
    case StepKind::kSubscribe: {
      const EventMask events = detail % 3 == 0 ? kAllEvents : static_cast<EventMask>(detail % 16);
      subscriptions_[PlaceOf(room)].push_back(request);
      call.call = SubscribeCall{request, request, events};
      return Call(call);
    }
    case StepKind::kUnsubscribe: {
      std::vector<SubscriptionId>& subscriptions = subscriptions_[PlaceOf(room)];
      // The first listener stays: it is the one that calls back.
      if (subscriptions.size() < 2) return;
      const size_t which = 1 + detail % (subscriptions.size() - 1);
      const SubscriptionId of = subscriptions[which];
      subscriptions.erase(subscriptions.begin() + static_cast<std::ptrdiff_t>(which));
      call.call = UnsubscribeCall{request, of};
      Call(call);
      return checker_.OnUnsubscribed(index_, of);
    }
    case StepKind::kDetach:
      checker_.OnDetach(index_, room, request);
      asked_now_ = request;
      return Step(DetachCall{call.channel, request});
    case StepKind::kClose:
      return Step(CloseCall{});
    default:
      PRESENCE_CHECK(false);  // a fault, which the world does
  }
}

void Client::ArmListener(uint64_t detail) {
  if (user_ != nullptr) return user_->ArmListener(detail);
  armed_ = detail;
}

void Client::Operate(PresenceAction action, uint32_t room, uint64_t detail) {
  OperationCall operation;
  operation.request = requests_;
  operation.action = action;
  std::string client_id = traits_.identity;
  if (traits_.identity == "*") {
    client_id = absl::StrCat("guest-", index_, "-", detail % 3);
    operation.client_id = client_id;
  } else if (detail % 7 == 0) {
    operation.client_id = client_id;  // the form for a client, for one's own
  }
  Words words;
  DrawWords(detail, client_id, ++spoken_, words);
  operation.payload = words.payload;
  checker_.OnOperation(index_, room, operation.request, action, client_id, operation.payload,
                       connection_id());
  Call({rooms_[PlaceOf(room)], operation});
}

void Client::Call(const ChannelCall& call) {
  const SessionInput asked = call;
  if (interference_ == nullptr) return Step(asked);
  ChannelCall changed = call;
  interference_->OnCall(index_, changed);
  const SessionInput given = changed;
  Step({Now(), &given}, {Now(), &asked});
}

void Client::PutOff(StepKind kind, uint32_t room, uint64_t detail) {
  put_off_.push_back({kind, room, detail});
}

void Client::EndPause() {
  if (paused()) return;
  Wake();
  for (const PutOffStep& step : std::exchange(put_off_, {})) Do(step.kind, step.room, step.detail);
}

void Client::Heal() {
  paused_until_ms_ = 0;
  EndPause();
}

// --- The transport ---

void Client::CarryOut(const OpenTransport& open) {
  if (const uint64_t old = network_.epoch(index_); old != 0) ServerNotices(old);
  transport_ = open.transport;
  resume_key_ = open.resume_key;
  epoch_ = network_.Open(index_);
  opened_ = false;
  schedule_.Add({schedule_.now_ms() + network_.DrawLatency(index_), Event::Kind::kConnectArrives,
                 index_, epoch_});
}

void Client::CarryOut(const CloseTransport& close) {
  PRESENCE_CHECK(close.transport == transport_);
  if (network_.epoch(index_) == epoch_) {
    network_.Cut(index_);
    ServerNotices(epoch_);
  }
  transport_ = 0;
  epoch_ = 0;
}

void Client::CarryOut(const SendBytes& send) {
  PRESENCE_CHECK(send.transport == transport_);
  if (user_ != nullptr && interference_ != nullptr) {
    const absl::StatusOr<wire::Frame> frame = sent_reader_.Read(send.bytes);
    PRESENCE_CHECK(frame.ok());
    if (!interference_->OnSend(index_, *frame)) return;
  }
  network_.SendUp(index_, epoch_, frames_.Make(send.bytes));
}

// That the transport `epoch` is gone, after a while.
void Client::ServerNotices(uint64_t epoch) {
  schedule_.Add({schedule_.now_ms() + network_.DrawLatency(index_), Event::Kind::kServerNoticesCut,
                 index_, epoch});
}

void Client::NoticeCut(uint64_t epoch) {
  if (epoch != epoch_ || epoch == 0) return;
  if (paused()) {
    return schedule_.Add({paused_until_ms_, Event::Kind::kClientNoticesCut, index_, epoch});
  }
  epoch_ = 0;
  Step(TransportClosed{std::exchange(transport_, 0)});
}

void Client::OnTransportFailed(uint64_t epoch) {
  if (epoch != epoch_ || epoch == 0) return;
  if (paused()) {
    return schedule_.Add({paused_until_ms_, Event::Kind::kTransportFails, index_, epoch});
  }
  if (network_.epoch(index_) == epoch) network_.Cut(index_);
  epoch_ = 0;
  Step(TransportFailed{std::exchange(transport_, 0)});
}

void Client::OnFrame(const SentFrame& sent) {
  if (!std::exchange(opened_, true)) Step(TransportOpened{transport_});
  // Of what concerns no channel, and nobody records, checks need to know no more.
  outline_.action = sent.action();
  const bool is_read =
      recorder_.has_value() || interference_ != nullptr || MayNameChannel(outline_.action);
  const wire::Frame& frame = is_read ? sent.frame() : outline_;
  const bool is_of_use = IsOfUse(frame, session_.state());
  const SessionInput received = TransportReceived{transport_, sent.bytes()};
  const SessionStep recorded{Now(), &received, is_of_use ? &frame : nullptr};
  if (interference_ == nullptr) return Step(recorded, recorded);
  wire::Frame changed = frame;
  if (!interference_->OnFrame(index_, changed)) {
    effects_.Clear();
    if (recorder_.has_value()) recorder_->OnStep(recorded, effects_);
    return;
  }
  std::string json;
  wire::AppendFrame(changed, json);
  const SessionInput given = TransportReceived{transport_, json};
  Step({Now(), &given, is_of_use ? &changed : nullptr}, recorded);
}

// --- Time ---

void Client::Wake() {
  if (wakes_ms_ <= schedule_.now_ms()) wakes_ms_ = -1;
  if (paused()) return;
  const std::optional<Timestamp> deadline = session_.NextDeadline();
  if (deadline.has_value() && *deadline <= Now()) return Step({Now()}, {Now()});
  ScheduleWake();
}

void Client::ScheduleWake() {
  const std::optional<Timestamp> deadline = session_.NextDeadline();
  if (!deadline.has_value()) return;
  const int64_t at_ms = std::max(ToMs(*deadline) - ToMs(kWorldStart), schedule_.now_ms());
  if (wakes_ms_ >= 0 && wakes_ms_ <= at_ms) return;
  wakes_ms_ = at_ms;
  schedule_.Add({at_ms, Event::Kind::kClientWakes, index_});
}

// --- The session ---

size_t Client::PlaceOf(uint32_t room) const {
  const auto place = std::find(traits_.rooms.begin(), traits_.rooms.end(), room);
  PRESENCE_CHECK(place != traits_.rooms.end());
  return static_cast<size_t>(place - traits_.rooms.begin());
}

void Client::Step(const SessionInput& input) { Step({Now(), &input}, {Now(), &input}); }

void Client::Step(const SessionStep& given, const SessionStep& recorded) {
  if (user_ != nullptr) {
    given_ = &given;
    recorded_ = &recorded;
    user_->Apply(given.input);
    given_ = recorded_ = nullptr;
    RecordRooms();
    return ScheduleWake();
  }
  const ConnectionState told_before = session_.connection().state();
  if (given.input == nullptr) {
    bare_->AdvanceTo(given.now, effects_);
  } else {
    const absl::Status status = bare_->Apply(given.now, *given.input, effects_);
    PRESENCE_CHECK(status.ok());
  }
  for (const SessionEffect& effect : Look(given, recorded, effects_, told_before)) {
    std::visit([this](const auto& one) { CarryOut(one); }, effect);
  }
  asked_now_ = 0;
  ScheduleWake();
  React();
}

const SessionEffects& Client::Look(const SessionStep& given, const SessionStep& recorded,
                                   const SessionEffects& said, ConnectionState told_before) {
  const SessionEffects* effects = &said;
  if (interference_ != nullptr) {
    Alter(index_, said, session_, *interference_, sent_reader_, altered_);
    effects = &altered_;
  }
  Check(given, *effects, told_before);
  if (recorder_.has_value()) recorder_->OnStep(recorded, *effects);
  return *effects;
}

// --- Through rooms ---

// The client carries out the rest, and calls for what is to be sent.
void Client::OnSessionStep(Timestamp now, const SessionInput* input,
                           const SessionEffects& effects) {
  const bool is_received = input != nullptr && std::holds_alternative<TransportReceived>(*input);
  const SessionStep own{now, input};
  if (input != nullptr) NoteCall(*input);
  const SessionEffects& seen = Look(is_received ? *given_ : own, is_received ? *recorded_ : own,
                                    effects, std::exchange(told_, session_.connection().state()));
  for (const SessionEffect& effect : seen) {
    if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
      CarryOut(*changed);
    } else if (const auto* result = std::get_if<AttachmentResult>(&effect)) {
      CarryOut(*result);
    } else if (const auto* told = std::get_if<ChannelEffect>(&effect)) {
      const auto* const answer = std::get_if<CallResult>(told->effect);
      if (answer == nullptr) continue;
      const uint32_t room = RoomOf(told->channel);
      checker_.OnResult(index_, room, *answer, channel(room));
    }
  }
  asked_now_ = 0;
}

// As whoever has a bare session does before the call.
void Client::NoteCall(const SessionInput& input) {
  if (const auto* attach = std::get_if<AttachCall>(&input)) {
    asked_now_ = attach->request;
    checker_.OnAttach(index_, RoomOf(attach->channel), attach->request);
  } else if (const auto* detach = std::get_if<DetachCall>(&input)) {
    asked_now_ = detach->request;
    checker_.OnDetach(index_, RoomOf(detach->channel), detach->request);
  } else if (const auto* call = std::get_if<ChannelCall>(&input)) {
    if (const auto* get = std::get_if<GetCall>(&call->call)) {
      if (get->wait_for_sync) checker_.OnWaitForSync(index_, get->request);
    } else if (const auto* operation = std::get_if<OperationCall>(&call->call)) {
      checker_.OnOperation(index_, RoomOf(call->channel), operation->request, operation->action,
                           traits_.identity, operation->payload, connection_id());
    }
  }
}

// --- What was said is checked ---

void Client::Check(const SessionStep& step, const SessionEffects& effects,
                   ConnectionState told_before) {
  const bool connection_moved = session_.connection().state() != told_before ||
                                (step.frame != nullptr && step.frame->action == wire::kConnected);
  for (size_t place = 0; place < rooms_.size(); ++place) {
    if (channels_[place] == nullptr) channels_[place] = session_.FindChannel(rooms_[place]);
    if (channels_[place] != nullptr) CheckChannel(place, step, effects, connection_moved);
  }
  const bool is_frequent = step.frame != nullptr && (step.frame->action == wire::kPresence ||
                                                     step.frame->action == wire::kSync);
  if (!is_frequent) checker_.CheckSession(index_, session_);
}

// Tells the checker what the channel was given, and what it said of it.
void Client::CheckChannel(size_t place, const SessionStep& step, const SessionEffects& effects,
                          bool connection_moved) {
  static const Effects kNothing;
  static const ChannelInput kConnectionMoved = ConnectionUpdate{};
  static const ChannelInput kMoved = OwnerMove{};
  static const ChannelInput kAcknowledged = OperationsAcked{};

  const Effects* group = nullptr;
  const Effects* last = nullptr;
  for (const SessionEffect& effect : effects) {
    const auto* const told = std::get_if<ChannelEffect>(&effect);
    if (told == nullptr || told->effects == last || told->channel != rooms_[place]) continue;
    last = told->effects;
    if (group == nullptr) {
      group = last;
      continue;
    }
    // Told of the connection, and then moved by the session: one look at what came of both.
    if (group != &merged_) {
      merged_.Clear();
      for (const Effect& one : *group) CopyEffect(one, *group, merged_);
      group = &merged_;
    }
    for (const Effect& one : *last) CopyEffect(one, *last, merged_);
  }

  const ChannelInput* input = nullptr;
  ChannelInput own;
  const auto* const call = step.input == nullptr ? nullptr : std::get_if<ChannelCall>(step.input);
  const wire::Frame* const frame = step.frame;
  if (call != nullptr) {
    if (call->channel != rooms_[place]) return;
    own = std::visit([](const auto& one) { return ChannelInput(one); }, call->call);
    input = &own;
  } else if (frame != nullptr && !frame->channel.empty()) {
    if (frame->channel != rooms_[place]) return;
    own = wire::ChannelInputOf(*frame);
    input = &own;
  } else if (connection_moved) {
    input = &kConnectionMoved;
  } else if (frame != nullptr) {
    input = &kAcknowledged;
  } else if (group != nullptr) {
    input = &kMoved;
  } else {
    return;
  }
  checker_.OnApply(index_, traits_.rooms[place], step.now, *input,
                   group == nullptr ? kNothing : *group, *channels_[place]);
}

// --- What the session says ---

void Client::CarryOut(const ConnectionChanged& changed) {
  const auto reached = [&](Bound bound, std::string_view why) {
    if (changed.reason != nullptr && changed.reason->message == why) {
      ++bounds_[static_cast<size_t>(bound)];
    }
  };
  reached(Bound::kRequestTimeout, "the attempt to connect was not answered");
  reached(Bound::kStateTtl, "no connection could be made for too long");
  reached(Bound::kIdle, "nothing was heard for too long");
  switch (changed.state) {
    case SessionState::kConnected:
      connected_at_ms_ = schedule_.now_ms();
      return checker_.OnConnected(index_, connection_id());
    case SessionState::kInitialized:
    case SessionState::kConnecting:
      return;
    case SessionState::kDisconnected:
      if (!plan_.weather.session.channel.channel.queue_messages) checker_.OnLost(index_);
      return;
    case SessionState::kSuspended:
      return checker_.OnLost(index_);
    case SessionState::kClosing:
    case SessionState::kClosed:
    case SessionState::kFailed:
      checker_.OnLost(index_);
      for (const uint32_t room : traits_.rooms) checker_.OnClosed(index_, room, channel(room));
  }
}

void Client::CarryOut(const ChannelEffect& told) {
  const uint32_t room = RoomOf(told.channel);
  if (const auto* event = std::get_if<MemberEvent>(told.effect)) {
    for (const Channel::Subscription& subscription : channel(room).subscriptions()) {
      if ((subscription.events & MaskOf(event->type)) != 0) {
        checker_.OnDelivered(index_, subscription.id);
      }
    }
    if (armed_.has_value()) {
      ++faults_[static_cast<size_t>(Fault::kListenerCalls)];
      reactions_.emplace_back(*std::exchange(armed_, std::nullopt), room);
    }
  } else if (const auto* result = std::get_if<CallResult>(told.effect)) {
    checker_.OnResult(index_, room, *result, channel(room));
    if (result->kind == CallResult::Kind::kSubscription && result->error != nullptr) {
      std::erase(subscriptions_[PlaceOf(room)], result->request);
    }
  }
}

void Client::CarryOut(const AttachmentResult& result) {
  checker_.OnAttachmentResult(index_, result, connected() && result.request != asked_now_);
}

// What listeners asked for takes effect once the effects in hand are delivered.
void Client::React() {
  while (!reactions_.empty()) {
    const auto [detail, room] = reactions_.front();
    reactions_.erase(reactions_.begin());
    constexpr StepKind kReactions[] = {StepKind::kUpdate,      StepKind::kLeave,
                                       StepKind::kGet,         StepKind::kEnter,
                                       StepKind::kUnsubscribe, StepKind::kSubscribe};
    Do(kReactions[detail % std::size(kReactions)], room, detail / 8);
  }
}

// --- The end of the recording ---

void Client::RecordMembersCheck(uint32_t room, std::span<const Message> members) {
  if (recorder_.has_value()) recorder_->AddMembersCheck(Now(), RoomName(room), members);
}

void Client::RecordSettledCheck(uint32_t room) {
  if (recorder_.has_value()) recorder_->AddSettledCheck(Now(), RoomName(room));
}

// Of a user who goes through rooms the trace has them already.
void Client::RecordAttachments(uint32_t room, JsonArray entries) {
  if (!recorder_.has_value()) return;
  if (user_ != nullptr) entries.clear();
  entries.emplace_back(JsonObject{{"ended", true}});
  recorder_->AddRoomCheck(Now(), RoomName(room), std::move(entries));
}

void Client::End() {
  // That the client ends is no line of a trace, but what its rooms say of it is.
  if (recorder_.has_value()) {
    recorder_->Finish(Now(), rooms_, log_.has_value() ? rooms_.size() : 0);
  }
  if (user_ == nullptr) return;
  user_->End();
  RecordRooms();
}

}  // namespace presence::sim
