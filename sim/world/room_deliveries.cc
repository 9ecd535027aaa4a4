#include "sim/world/room_deliveries.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "sim/world/plan.h"

namespace presence::sim {
namespace {

bool Clears(ChannelState state) {
  return state == ChannelState::kDetached || state == ChannelState::kFailed ||
         state == ChannelState::kInitialized;
}

}  // namespace

RoomDeliveries::RoomDeliveries(uint32_t client, std::vector<uint32_t> rooms, WorldChecker& checker,
                               RoomLog* log)
    : client_(client),
      numbers_(std::move(rooms)),
      checker_(checker),
      log_(log),
      now_(numbers_.size()) {
  for (const uint32_t room : numbers_) names_.push_back(RoomName(room));
}
RoomDeliveries::~RoomDeliveries() = default;

void RoomDeliveries::Fail(size_t place, std::string what) {
  checker_.FailRoom(client_, numbers_[place], std::move(what));
}

std::optional<size_t> RoomDeliveries::PlaceOf(std::string_view channel) const {
  for (size_t place = 0; place < names_.size(); ++place) {
    if (names_[place] == channel) return place;
  }
  return std::nullopt;
}

// Whether it refuses nothing.
bool RoomDeliveries::IsOpen(const Room& room) {
  const ChannelState state = room.channel->state();
  return state == ChannelState::kAttached || state == ChannelState::kAttaching;
}

// --- What the user asks for ---

size_t RoomDeliveries::OnRoom(size_t place, const Channel& channel) {
  const size_t number = rooms_.size();
  Room& room = rooms_.emplace_back();
  room.place = place;
  room.channel = &channel;
  room.told = channel.state();
  now_[place] = number;
  return number;
}

size_t RoomDeliveries::OnCall(Call call) {
  const size_t number = calls_.size();
  if (log_ != nullptr) LogCall(call, number);
  asked_.push_back({Asked::Kind::kCall, number});
  const size_t room = now_[call.place];
  calls_.push_back({std::move(call), room});
  return number;
}

std::optional<size_t> RoomDeliveries::OnSubscribe(size_t place, EventMask events) {
  Room& room = RoomAt(place);
  if (room.known.size() >= room.channel->options().max_members) return std::nullopt;
  const size_t number = listeners_.size();
  Listener& listener = listeners_.emplace_back();
  listener.room = now_[place];
  listener.events = events;
  listener.number = ++room.listeners;
  if (log_ != nullptr) {
    log_->Ask(place, {names_[place], SubscribeCall{0, listener.number, events}}, std::nullopt);
  }
  room.known.push_back(number);
  asked_.push_back({Asked::Kind::kSubscribe, number});
  return number;
}

void RoomDeliveries::OnSubscribed(size_t place, std::optional<size_t> listener,
                                  const ErrorInfo* error) {
  const bool is_refused = error != nullptr && error->code == kTooManyRequests;
  if (listener.has_value() ? error == nullptr : is_refused) return;
  Fail(place, error != nullptr ? "a listener was refused" : "there is a listener too many");
}

void RoomDeliveries::OnUnsubscribe(size_t listener) {
  Listener& known = listeners_[listener];
  known.unsubscribed = true;
  Room& room = rooms_[known.room];
  std::erase(room.known, listener);
  if (log_ != nullptr) {
    if (known.id == 0) log_->TakeBackSubscribe(room.place, known.number);
    log_->Ask(room.place, {names_[room.place], UnsubscribeCall{0, known.number}}, std::nullopt);
  }
  asked_.push_back({Asked::Kind::kUnsubscribe, listener});
}

void RoomDeliveries::BeginRelease(size_t place) {
  if (log_ != nullptr) log_->Release(place);
  releasing_ = now_[place];
  RoomAt(place).released = true;
  asked_.push_back({Asked::Kind::kUnsubscribeAll, place});
  asked_.push_back({Asked::Kind::kLeave, place});
}

void RoomDeliveries::EndRelease() {
  for (size_t call = 0; call < calls_.size(); ++call) {
    if (calls_[call].room != *releasing_ || calls_[call].completed) continue;
    Fail(calls_[call].call.place, absl::StrCat("the call ", call, " outlives its room"));
  }
  releasing_.reset();
}

void RoomDeliveries::BeginEnd() {
  if (log_ != nullptr) log_->EndClient();
  is_ending_ = true;
}

void RoomDeliveries::End() {
  for (size_t call = 0; call < calls_.size(); ++call) {
    if (calls_[call].completed) continue;
    Fail(calls_[call].call.place, absl::StrCat("the call ", call, " outlives the client"));
  }
}

// --- What the session is given ---

void RoomDeliveries::OnStep(const SessionInput* input, const SessionEffects& effects) {
  checker_.CountRoomCheck();
  if (Next() != nullptr) Fail(0, "a step was taken before all of the last one was delivered");
  due_.clear();
  next_ = 0;
  if (input != nullptr) NoteInput(*input);
  for (const SessionEffect& effect : effects) AddDue(effect);
}

void RoomDeliveries::NoteInput(const SessionInput& input) {
  const auto always = [](size_t) { return true; };
  if (std::holds_alternative<ConnectCall>(input)) {
    Take(Asked::Kind::kConnect, "connect", always);
  } else if (std::holds_alternative<CloseCall>(input)) {
    Take(Asked::Kind::kClose, "close", always);
  } else if (const auto* attach = std::get_if<AttachCall>(&input)) {
    NoteCall(attach->channel, CallKind::kAttach, attach->request);
  } else if (const auto* detach = std::get_if<DetachCall>(&input)) {
    if (detach->request != 0) return NoteCall(detach->channel, CallKind::kDetach, detach->request);
    Take(Asked::Kind::kLeave, "the detach of a release",
         [&](size_t place) { return PlaceOf(detach->channel) == place; });
  } else if (const auto* call = std::get_if<ChannelCall>(&input)) {
    NoteCall(*call);
  }
}

// Whether it may never become an input: a call that its room would have refused, had it not been
// released before; a listener who was unsubscribed before it was subscribed.
bool RoomDeliveries::IsOver(const Asked& asked) const {
  if (asked.kind == Asked::Kind::kCall) return calls_[asked.of].completed;
  return asked.kind == Asked::Kind::kSubscribe && listeners_[asked.of].unsubscribed;
}

// What was asked first must be it.
template <typename Is>
std::optional<size_t> RoomDeliveries::Take(Asked::Kind kind, std::string_view what, const Is& is) {
  while (!asked_.empty()) {
    const Asked asked = asked_.front();
    const bool is_it = asked.kind == kind && is(asked.of);
    if (!is_it && !IsOver(asked)) break;
    asked_.pop_front();
    if (is_it) return asked.of;
  }
  Fail(0, absl::StrCat("the session was given ", AbslView(what), ", and something else was asked"));
  return std::nullopt;
}

bool RoomDeliveries::IsSame(const Made& made, std::string_view channel,
                            const ChannelCall* given) const {
  const Call& call = made.call;
  if (PlaceOf(channel) != call.place || call.is_malformed) return false;
  if (given == nullptr) return true;
  if (const auto* get = std::get_if<GetCall>(&given->call)) {
    return call.kind == CallKind::kGet && get->client_id == call.params.client_id &&
           get->connection_id == call.params.connection_id &&
           get->wait_for_sync == call.params.wait_for_sync;
  }
  if (const auto* present = std::get_if<IsUserPresentCall>(&given->call)) {
    return call.kind == CallKind::kIsUserPresent && present->client_id == call.params.client_id;
  }
  const auto* operation = std::get_if<OperationCall>(&given->call);
  if (operation == nullptr || call.kind != CallKind::kOperation) return false;
  if (operation->action != call.action || operation->client_id.has_value()) return false;
  Payload payload;
  if (!call.text.empty()) {
    payload.data_kind = DataKind::kString;
    payload.data = call.text;
    payload.encoding = "json";
  }
  return operation->payload == payload;
}

void RoomDeliveries::NoteCall(std::string_view channel, CallKind kind, RequestId request) {
  const auto is = [&](size_t call) {
    return calls_[call].call.kind == kind && IsSame(calls_[call], channel, nullptr);
  };
  const std::optional<size_t> call = Take(Asked::Kind::kCall, "an attach or a detach", is);
  if (!call.has_value()) return;
  by_request_[request] = *call;
  calls_[*call].request = request;
}

void RoomDeliveries::NoteCall(const ChannelCall& given) {
  if (const auto* subscribe = std::get_if<SubscribeCall>(&given.call)) {
    const auto is = [&](size_t of) {
      const Listener& listener = listeners_[of];
      return !listener.unsubscribed && listener.events == subscribe->events &&
             PlaceOf(given.channel) == rooms_[listener.room].place;
    };
    const auto of = Take(Asked::Kind::kSubscribe, "a subscribe", is);
    if (!of.has_value()) return;
    listeners_[*of].id = subscribe->id;
    Room& room = rooms_[listeners_[*of].room];
    room.subscribed.push_back(*of);
    if (!std::exchange(room.listens, true)) room.folds = room.channel->members().size() == 0;
    return;
  }
  if (const auto* unsubscribe = std::get_if<UnsubscribeCall>(&given.call)) {
    if (!unsubscribe->id.has_value()) {
      Take(Asked::Kind::kUnsubscribeAll, "the unsubscribe of a release",
           [&](size_t place) { return PlaceOf(given.channel) == place; });
      return;
    }
    const auto is = [&](size_t of) {
      return (listeners_[of].id == 0 || listeners_[of].id == *unsubscribe->id) &&
             PlaceOf(given.channel) == rooms_[listeners_[of].room].place;
    };
    const auto of = Take(Asked::Kind::kUnsubscribe, "an unsubscribe", is);
    if (of.has_value()) std::erase(rooms_[listeners_[*of].room].subscribed, *of);
    return;
  }
  const auto is = [&](size_t call) { return IsSame(calls_[call], given.channel, &given); };
  const std::optional<size_t> call = Take(Asked::Kind::kCall, "a call of a channel", is);
  if (!call.has_value()) return;
  const RequestId request = std::visit([](const auto& one) { return one.request; }, given.call);
  by_request_[request] = *call;
  Made& made = calls_[*call];
  made.request = request;
  if (IsOpen(rooms_[made.room])) return;
  made.must_fail = true;
  if (made.call.kind != CallKind::kOperation || made.call.action != PresenceAction::kLeave) {
    Fail(made.call.place, absl::StrCat("the room did not refuse the call ", *call));
  }
}

// --- What is to be delivered ---

void RoomDeliveries::AddDue(const SessionEffect& effect) {
  if (const auto* told = std::get_if<ChannelEffect>(&effect)) return AddDue(*told, effect);
  const auto* result = std::get_if<AttachmentResult>(&effect);
  if (result == nullptr) return due_.push_back({Due::Kind::kOther, 0, &effect});
  if (result->request == 0 && result->error != nullptr && log_ != nullptr) {
    log_->RefuseRelease(*PlaceOf(result->channel), *result->error);
  }
  if (const auto call = by_request_.find(result->request); call != by_request_.end()) {
    due_.push_back({Due::Kind::kAnswer, call->second, &effect});
  }
}

void RoomDeliveries::AddDue(const ChannelEffect& told, const SessionEffect& effect) {
  const std::optional<size_t> place = PlaceOf(told.channel);
  if (!place.has_value()) return;
  Room& room = RoomAt(*place);
  if (const auto* event = std::get_if<MemberEvent>(told.effect)) {
    for (const size_t listener : room.subscribed) {
      if ((listeners_[listener].events & MaskOf(event->type)) != 0) {
        due_.push_back({Due::Kind::kEvent, listener, &effect});
      }
    }
  } else if (const auto* result = std::get_if<CallResult>(told.effect)) {
    if (result->kind == CallResult::Kind::kSubscription) {
      if (result->error != nullptr) due_.push_back({Due::Kind::kOther, 0, &effect});
    } else if (const auto call = by_request_.find(result->request); call != by_request_.end()) {
      due_.push_back({Due::Kind::kAnswer, call->second, &effect});
    }
  } else if (std::holds_alternative<Diagnostic>(*told.effect)) {
    due_.push_back({Due::Kind::kOther, 0, &effect});
  } else if (const auto* changed = std::get_if<StateChanged>(told.effect)) {
    if (!room.listens) {
      room.told = changed->state;
    } else {
      due_.push_back({Due::Kind::kRoomState, now_[*place], &effect});
    }
  } else if (std::holds_alternative<ChannelUpdate>(*told.effect) && room.listens) {
    due_.push_back({Due::Kind::kRoomState, now_[*place], &effect});
  }
}

// --- What is delivered ---

bool RoomDeliveries::IsVoid(const Due& due) const {
  switch (due.kind) {
    case Due::Kind::kEvent:
      return listeners_[due.of].unsubscribed || rooms_[listeners_[due.of].room].released;
    case Due::Kind::kAnswer:
      return calls_[due.of].completed;
    case Due::Kind::kRoomState:
      return rooms_[due.of].released;
    case Due::Kind::kOther:
      break;
  }
  return false;
}

const RoomDeliveries::Due* RoomDeliveries::Next() {
  while (next_ < due_.size() && IsVoid(due_[next_])) ++next_;
  return next_ < due_.size() ? &due_[next_] : nullptr;
}

const RoomDeliveries::Due* RoomDeliveries::Take(Due::Kind kind, size_t of, size_t place,
                                                std::string_view what) {
  const Due* const due = Next();
  if (due == nullptr || due->kind != kind || due->of != of) {
    Fail(place, absl::StrCat(AbslView(what),
                             due == nullptr ? " where nothing was to be told" : " out of turn"));
    return nullptr;
  }
  ++next_;
  return due;
}

template <typename Wanted>
const Wanted* RoomDeliveries::TakeOther(std::string_view what) {
  const Due* const due = Take(Due::Kind::kOther, 0, 0, what);
  const Wanted* const effect = due == nullptr ? nullptr : std::get_if<Wanted>(due->effect);
  if (due != nullptr && effect == nullptr) Fail(0, absl::StrCat(AbslView(what), " out of turn"));
  return effect;
}

void RoomDeliveries::DropOver() {
  while (!asked_.empty() && IsOver(asked_.front())) asked_.pop_front();
}

void RoomDeliveries::CheckCode(size_t call, const ErrorInfo* error,
                               std::optional<int64_t> expected) {
  const bool same = error == nullptr ? !expected.has_value() : error->code == expected;
  if (same) return;
  const auto name = [](std::optional<int64_t> code) {
    return code.has_value() ? absl::StrCat("error ", *code) : "success";
  };
  Fail(calls_[call].call.place,
       absl::StrCat("the call ", call, " completed with ",
                    name(error == nullptr ? std::nullopt : std::make_optional(error->code)),
                    " where it should with ", name(expected)));
}

const CallResult* RoomDeliveries::Complete(size_t number, const ErrorInfo* error) {
  checker_.CountRoomCheck();
  Made& made = calls_[number];
  if (made.completed) {
    Fail(made.call.place, absl::StrCat("the call ", number, " completed twice"));
    return nullptr;
  }
  Room& room = rooms_[made.room];
  if (is_ending_ || releasing_ == made.room) {
    made.completed = true;
    CheckCode(number, error, kRoomInInvalidState);
    if (number < std::exchange(room.completed, number)) {
      Fail(made.call.place, absl::StrCat("the call ", number, " ended out of turn"));
    }
    return nullptr;
  }
  if (Next() != nullptr) {
    const Due* const due = Take(Due::Kind::kAnswer, number, made.call.place,
                                absl::StrCat("an answer to call ", number));
    made.completed = true;
    if (due == nullptr) return nullptr;
    const CallResult* result = nullptr;
    const ErrorInfo* expected = nullptr;
    if (const auto* attachment = std::get_if<AttachmentResult>(due->effect)) {
      by_request_.erase(attachment->request);
      expected = attachment->error;
    } else {
      result = std::get_if<CallResult>(std::get_if<ChannelEffect>(due->effect)->effect);
      by_request_.erase(result->request);
      expected = result->error;
    }
    CheckCode(number, error,
              made.must_fail        ? std::make_optional<int64_t>(kRoomInInvalidState)
              : expected == nullptr ? std::nullopt
                                    : std::make_optional(expected->code));
    return error == nullptr && expected == nullptr ? result : nullptr;
  }
  // The room refuses it, when it is its turn.
  DropOver();
  made.completed = true;
  if (asked_.empty() || asked_.front().kind != Asked::Kind::kCall || asked_.front().of != number) {
    Fail(made.call.place, absl::StrCat("the call ", number, " was refused out of turn"));
    return nullptr;
  }
  asked_.pop_front();
  const bool is_attachment =
      made.call.kind == CallKind::kAttach || made.call.kind == CallKind::kDetach;
  const bool is_leave =
      made.call.kind == CallKind::kOperation && made.call.action == PresenceAction::kLeave;
  CheckCode(number, error, made.call.is_malformed ? kMalformedRequest : kRoomInInvalidState);
  if (made.call.is_malformed) return nullptr;
  // Who asks to leave must not be entered again, even if he could not be said to leave.
  if (is_attachment || is_leave) {
    Fail(made.call.place, absl::StrCat("the session does not know of the call ", number));
  } else if (IsOpen(room)) {
    Fail(made.call.place, absl::StrCat("the call ", number, " was refused by a room that is open"));
  }
  return nullptr;
}

void RoomDeliveries::OnDone(size_t call, const Result<void>& result) {
  const ErrorInfo* const error = result.ok() ? nullptr : &result.error();
  if (log_ != nullptr) LogDone(call, error);
  Complete(call, error);
}

void RoomDeliveries::OnIsPresent(size_t call, const Result<bool>& result) {
  if (log_ != nullptr) {
    if (result.ok()) {
      log_->Complete(place(call), request(call), *result);
    } else {
      LogDone(call, &result.error());
    }
  }
  const CallResult* const answer = Complete(call, result.ok() ? nullptr : &result.error());
  if (answer == nullptr || *result == answer->present) return;
  Fail(calls_[call].call.place, absl::StrCat("the call ", call, " was answered the wrong way"));
}

void RoomDeliveries::OnMembers(size_t call, const Result<std::vector<PresenceMember>>& result) {
  if (log_ != nullptr) {
    if (result.ok()) {
      log_->Complete(place(call), request(call), *result);
    } else {
      LogDone(call, &result.error());
    }
  }
  // Before it is taken.
  const Due* const due = Next();
  const CallResult* const answer = Complete(call, result.ok() ? nullptr : &result.error());
  if (answer == nullptr) return;
  const size_t place = calls_[call].call.place;
  const std::vector<PresenceMember>& told = *result;
  size_t next = 0;
  bool same = told.size() == answer->member_count;
  const Effects& effects = *std::get_if<ChannelEffect>(due->effect)->effects;
  for (const Message& message : effects.members(*answer)) {
    same = same && IsTheMember(told[next++], message);
  }
  if (!same) {
    return Fail(place, absl::StrCat("the get of call ", call, " lists others than the channel"));
  }
  const Room& room = rooms_[calls_[call].room];
  const GetParams& params = calls_[call].call.params;
  if (!room.folds || !params.client_id.empty() || !params.connection_id.empty()) return;
  same = told.size() == room.members.size();
  for (const PresenceMember& member : told) {
    const auto known = room.members.find({member.connection_id, member.client_id});
    same = same && known != room.members.end() && known->second == member;
  }
  if (same) return;
  Fail(place, absl::StrCat("the get of call ", call, " lists others than events have made"));
}

void RoomDeliveries::OnEvent(size_t number, const PresenceEvent& event) {
  checker_.CountRoomCheck();
  const Listener& listener = listeners_[number];
  Room& room = rooms_[listener.room];
  if (log_ != nullptr) log_->Tell(room.place, listener.number, event);
  if (listener.unsubscribed || room.released) {
    return Fail(room.place, absl::StrCat("the listener ", number,
                                         " was told an event after it was unsubscribed"));
  }
  const Due* const due = Take(Due::Kind::kEvent, number, room.place,
                              absl::StrCat("the listener ", number, " was told an event"));
  if (due == nullptr) return;
  const auto& truth = *std::get_if<MemberEvent>(std::get_if<ChannelEffect>(due->effect)->effect);
  if (event.type != truth.type || event.leave_reason != truth.reason ||
      event.connections != truth.connections || !IsTheMember(event.member, truth.message)) {
    return Fail(room.place, absl::StrCat("the listener ", number,
                                         " was told something else than the channel said"));
  }
  if (room.subscribed.empty() || number != room.subscribed.front()) return;
  Key key(event.member.connection_id, event.member.client_id);
  if (event.type == EventType::kLeave) {
    room.members.erase(key);
  } else {
    room.members.insert_or_assign(std::move(key), event.member);
  }
}

void RoomDeliveries::OnRoomState(size_t number, const RoomStateChange& change) {
  checker_.CountRoomCheck();
  Room& room = rooms_[number];
  const Due* const due = Take(Due::Kind::kRoomState, number, room.place, "a state of a room");
  if (log_ != nullptr) log_->Tell(room.place, change, change.previous == change.state);
  if (due == nullptr) return;
  const Effect& effect = *std::get_if<ChannelEffect>(due->effect)->effect;
  const ErrorInfo* reason = nullptr;
  bool resumed = false;
  ChannelState state = room.told;
  if (const auto* changed = std::get_if<StateChanged>(&effect)) {
    state = changed->state;
    reason = changed->reason;
  } else if (const auto* update = std::get_if<ChannelUpdate>(&effect)) {
    resumed = update->resumed;
    reason = update->reason;
  }
  if (change.previous != room.told || change.state != state || change.resumed != resumed ||
      change.reason != reason) {
    Fail(room.place, "the room was said to be in another state than its channel");
  }
  room.told = state;
  if (!std::holds_alternative<StateChanged>(effect) || !Clears(state)) return;
  room.members.clear();
  room.folds = true;
}

void RoomDeliveries::OnConnection(const ConnectionChanged& changed) {
  const auto* const truth = TakeOther<ConnectionChanged>("a state of the connection");
  if (truth == nullptr || (truth->state == changed.state && truth->previous == changed.previous)) {
    return;
  }
  Fail(0, "the connection was said to be in another state");
}

void RoomDeliveries::OnDiagnostic() { TakeOther<ChannelEffect>("a diagnostic"); }

void RoomDeliveries::OnOpen(TransportId transport) {
  const auto* const open = TakeOther<OpenTransport>("the wish for a transport");
  if (open != nullptr && open->transport != transport) Fail(0, "another transport was opened");
}

void RoomDeliveries::OnClose(TransportId transport) {
  const auto* const close = TakeOther<CloseTransport>("the end of a transport");
  if (close != nullptr && close->transport != transport) Fail(0, "another transport was closed");
}

void RoomDeliveries::OnSend(TransportId transport, std::string_view bytes) {
  const auto* const send = TakeOther<SendBytes>("a frame");
  if (send == nullptr || (send->transport == transport && send->bytes == bytes)) return;
  Fail(0, "other bytes were sent than the session's");
}

void RoomDeliveries::CheckIdle() {
  if (Next() != nullptr) Fail(0, "something of the session was never delivered");
  DropOver();
  if (!asked_.empty()) Fail(0, "something that was asked for was never done");
  for (size_t place = 0; place < names_.size(); ++place) {
    const Room& room = RoomAt(place);
    if (!room.folds || room.members.size() == room.channel->members().size()) continue;
    Fail(place, absl::StrCat("events make ", room.members.size(), " members where the channel has ",
                             room.channel->members().size()));
  }
}

// --- What is taken down ---

void RoomDeliveries::LogCall(const Call& call, size_t number) {
  ChannelCall given;
  given.channel = names_[call.place];
  switch (call.kind) {
    case CallKind::kAttach:
      return log_->AskAttachment(call.place, "attach");
    case CallKind::kDetach:
      return log_->AskAttachment(call.place, "detach");
    case CallKind::kGet:
      given.call =
          GetCall{0, call.params.client_id, call.params.connection_id, call.params.wait_for_sync};
      break;
    case CallKind::kIsUserPresent:
      given.call = IsUserPresentCall{0, call.params.client_id};
      break;
    case CallKind::kOperation: {
      OperationCall operation;
      operation.action = call.action;
      if (!call.text.empty()) {
        operation.payload.data_kind = DataKind::kString;
        operation.payload.data = call.text;
        operation.payload.encoding = "json";
      }
      given.call = operation;
      break;
    }
  }
  log_->Ask(call.place, given, number);
}

void RoomDeliveries::LogDone(size_t number, const ErrorInfo* error) {
  const Made& made = calls_[number];
  const size_t place = made.call.place;
  if (made.call.kind == CallKind::kAttach) {
    log_->CompleteAttachment(place, "attach", error);
  } else if (made.call.kind == CallKind::kDetach) {
    log_->CompleteAttachment(place, "detach", error);
  } else {
    log_->Complete(place, number, made.request, error);
  }
}

// Data are those that the simulator's users have: see RoomUser and Client.
bool RoomDeliveries::IsTheMember(const PresenceMember& member, const Message& message) const {
  if (member.client_id != message.client_id || member.connection_id != message.connection_id ||
      member.updated_at != message.timestamp || member.user_claim.has_value()) {
    return false;
  }
  const Payload& payload = message.payload;
  const bool has_extras = payload.extras.has_value();
  if (has_extras != member.extras.has_value()) return false;
  if (has_extras && (member.extras->size() != 1 || member.extras->Find("n") == nullptr)) {
    return false;
  }
  const bool has_data = payload.data_kind != DataKind::kNone;
  if (!has_data || !member.data.has_value()) return has_data == member.data.has_value();
  if (payload.encoding != "json") {
    const std::string* const text = member.data->AsString();
    return text != nullptr && *text == payload.data;
  }
  const JsonObject* const object = member.data->AsObject();
  if (object == nullptr) return false;
  if (payload.data == "{}") return object->empty();
  const JsonValue* const said = object->Find("says");
  const std::string* const words = said == nullptr ? nullptr : said->AsString();
  constexpr std::string_view kBefore = R"({"says":")";
  constexpr std::string_view kAfter = R"("})";
  return words != nullptr && object->size() == 1 &&
         payload.data.size() == kBefore.size() + words->size() + kAfter.size() &&
         payload.data.substr(kBefore.size(), words->size()) == *words;
}

}  // namespace presence::sim
