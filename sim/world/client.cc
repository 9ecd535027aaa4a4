#include "sim/world/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/wire/frame.h"
#include "sim/base/random.h"

namespace presence::sim {
namespace {

constexpr std::string_view kClosedFrame = R"({"action":7})";  // CLOSE

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

}  // namespace

Client::Client(uint32_t index, const Surroundings& surroundings, Recording* recording)
    : index_(index),
      traits_(surroundings.plan.clients[index]),
      plan_(surroundings.plan),
      schedule_(surroundings.schedule),
      network_(surroundings.network),
      checker_(surroundings.checker),
      reader_(surroundings.reader),
      faults_(surroundings.faults),
      interference_(surroundings.interference),
      recording_(recording),
      replayer_(*this, this),
      channels_(traits_.rooms.size()),
      subscriptions_(traits_.rooms.size()) {
  OptionsLine options;
  options.attach_on_subscribe = false;
  Feed({std::nullopt, options});
  Connection(ConnectionState::kDisconnected);
  // Every room has a listener from the start, which also makes the channels known in this order.
  for (const uint32_t room : traits_.rooms) Do(StepKind::kSubscribe, room, 0);
}

Client::~Client() = default;

// --- The user ---

void Client::Do(StepKind kind, uint32_t room, uint64_t detail) {
  CallLine call;
  switch (kind) {
    case StepKind::kConnect:
      if (phase_ == Phase::kUnconnected || phase_ == Phase::kClosed) Connect();
      return;
    case StepKind::kAttach:
      return Attach(room);
    case StepKind::kEnter:
      return Operate(PresenceAction::kEnter, room, detail);
    case StepKind::kUpdate:
      return Operate(PresenceAction::kUpdate, room, detail);
    case StepKind::kLeave:
      return Operate(PresenceAction::kLeave, room, detail);
    case StepKind::kGet:
    case StepKind::kGetNow: {
      call.name = CallLine::Name::kGet;
      call.wait_for_sync = kind == StepKind::kGet;
      if (call.wait_for_sync) checker_.OnWaitForSync(index_, line_ + 1);
      Random random(detail);
      if (random.Chance(300)) {
        call.filter_client_id = plan_.clients[random.Below(plan_.clients.size())].identity;
      } else if (random.Chance(200)) {
        call.filter_connection_id = connection_id_;
      }
      return Ask(call, room);
    }
    case StepKind::kIsUserPresent:
      call.name = CallLine::Name::kIsUserPresent;
      call.client_id = plan_.clients[detail % plan_.clients.size()].identity;
      return Ask(call, room);
    case StepKind::kSubscribe:
      call.name = CallLine::Name::kSubscribe;
      call.events = detail % 3 == 0 ? kAllEvents : static_cast<EventMask>(detail % 16);
      subscriptions_[PlaceOf(room)].push_back(line_ + 1);
      return Ask(call, room);
    case StepKind::kUnsubscribe: {
      call.name = CallLine::Name::kUnsubscribe;
      std::vector<uint64_t>& lines = subscriptions_[PlaceOf(room)];
      std::string of;
      // The first listener stays: it is the one that calls back.
      if (lines.size() > 1) {
        const size_t which = 1 + detail % (lines.size() - 1);
        of = absl::StrCat(lines[which]);
        call.of = of;
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(which));
        Ask(call, room);
        checker_.OnUnsubscribed(index_, of);
      }
      return;
    }
    case StepKind::kDetach:
      return Detach(room);
    case StepKind::kClose:
      return Close();
    default:
      PRESENCE_CHECK(false);  // a fault, which the world does
  }
}

void Client::Operate(PresenceAction action, uint32_t room, uint64_t detail) {
  CallLine call;
  call.name = CallLine::Name::kOperation;
  call.action = action;
  std::string client_id = traits_.identity;
  if (traits_.identity == "*") {
    client_id = absl::StrCat("guest-", index_, "-", detail % 3);
    call.client_id = client_id;
  } else if (detail % 7 == 0) {
    call.client_id = client_id;  // the form for a client, for one's own
  }
  Words words;
  DrawWords(detail, client_id, ++spoken_, words);
  call.payload = words.payload;
  checker_.OnOperation(index_, room, line_ + 1, action, client_id, call.payload, connection_id_);
  Ask(call, room);
}

void Client::Ask(CallLine call, uint32_t room) {
  const std::string name = RoomName(room);
  call.channel = name;
  Feed({std::nullopt, call});
}

void Client::Attach(uint32_t room) {
  const ChannelState state = channel(room).state();
  if (phase_ == Phase::kSuspended || phase_ == Phase::kClosed || phase_ == Phase::kUnconnected)
    return;
  if (state == ChannelState::kAttached || state == ChannelState::kAttaching ||
      state == ChannelState::kDetaching) {
    return;
  }
  StateLine line;
  const std::string name = RoomName(room);
  line.channel = name;
  line.state = ChannelState::kAttaching;
  Feed({std::nullopt, line});
  std::string json;
  wire::AppendAttach(name, json);
  Send(std::move(json));
}

void Client::Detach(uint32_t room) {
  const ChannelState state = channel(room).state();
  if (state != ChannelState::kAttached && state != ChannelState::kAttaching) return;
  if (phase_ != Phase::kConnected) return;
  checker_.OnDetach(index_, room);
  StateLine line;
  const std::string name = RoomName(room);
  line.channel = name;
  line.state = ChannelState::kDetaching;
  Feed({std::nullopt, line});
  std::string json;
  wire::AppendDetach(name, json);
  Send(std::move(json));
}

// --- The connection ---

void Client::Connection(ConnectionState state) {
  ConnectionLine line;
  line.state = state;
  Feed({std::nullopt, line});
}

void Client::Connect() {
  phase_ = Phase::kConnecting;
  ++timer_;
  if (const uint64_t old = network_.epoch(index_); old != 0) ServerNotices(old);
  epoch_ = network_.Open(index_);
  schedule_.Add({schedule_.now_ms() + network_.DrawLatency(index_), Event::Kind::kConnectArrives, 0,
                 index_, epoch_});
}

// That the transport `epoch` is gone, after a while.
void Client::ServerNotices(uint64_t epoch) {
  schedule_.Add({schedule_.now_ms() + network_.DrawLatency(index_), Event::Kind::kServerNoticesCut,
                 0, index_, epoch});
}

void Client::NoticeCut(uint64_t epoch) {
  if (epoch != epoch_ || epoch == 0) return;
  epoch_ = 0;
  if (phase_ != Phase::kConnected && phase_ != Phase::kConnecting) return;
  if (phase_ == Phase::kConnected) Connection(ConnectionState::kDisconnected);
  phase_ = Phase::kDisconnected;
  ++timer_;
  const int64_t now = schedule_.now_ms();
  schedule_.Add({now + retry_delay_ms_, Event::Kind::kClientRetries, 0, index_, timer_});
  schedule_.Add(
      {now + plan_.weather.suspend_after_ms, Event::Kind::kClientSuspends, 0, index_, timer_});
}

void Client::Retry(uint64_t token) {
  if (token == timer_) Connect();
}

void Client::Suspend(uint64_t token) {
  if (token != timer_) return;
  phase_ = Phase::kSuspended;
  connection_id_.clear();
  // The attempt to connect is still due, and its timer with it.
  Connection(ConnectionState::kSuspended);
}

void Client::Close() {
  if (phase_ == Phase::kUnconnected || phase_ == Phase::kClosed) return;
  for (const uint32_t room : traits_.rooms) {
    // A suspended channel waits for the next connection, which enters its members again (RTL3).
    if (channel(room).state() != ChannelState::kSuspended) checker_.OnDetach(index_, room);
  }
  if (phase_ == Phase::kConnected) {
    Send(std::string(kClosedFrame));
  } else if (const uint64_t epoch = network_.epoch(index_); epoch != 0) {
    // Nobody has answered yet: the transport is given up.
    network_.Cut(index_);
    ServerNotices(epoch);
  }
  phase_ = Phase::kClosed;
  ++timer_;
  epoch_ = 0;
  connection_id_.clear();
  Connection(ConnectionState::kClosed);
}

void Client::Heal() {
  paused_until_ms_ = 0;
  EndPause();
  if (phase_ == Phase::kDisconnected || phase_ == Phase::kSuspended) Connect();
}

void Client::PutOff(StepKind kind, uint32_t room, uint64_t detail) {
  put_off_.push_back({kind, room, detail});
}

void Client::EndPause() {
  if (paused()) return;
  for (const PutOffStep& step : std::exchange(put_off_, {})) Do(step.kind, step.room, step.detail);
}

void Client::Send(std::string json) {
  if (phase_ != Phase::kConnected) return;
  network_.SendUp(index_, epoch_, std::make_shared<const std::string>(std::move(json)));
}

void Client::OnFrame(const std::string& bytes) {
  if (phase_ != Phase::kConnected && phase_ != Phase::kConnecting) return;
  absl::StatusOr<wire::Frame> frame = reader_.Read(bytes);
  PRESENCE_CHECK(frame.ok());  // the host sends nothing else
  if (frame->action == wire::kConnected) {
    phase_ = Phase::kConnected;
    ++timer_;
    connection_id_ = frame->connection_id;
    checker_.OnConnected(index_, connection_id_);
  }
  Feed({std::nullopt, ReceivedLine{*std::move(frame)}}, bytes);
}

// --- The engine ---

size_t Client::PlaceOf(uint32_t room) const {
  const auto place = std::find(traits_.rooms.begin(), traits_.rooms.end(), room);
  PRESENCE_CHECK(place != traits_.rooms.end());
  return static_cast<size_t>(place - traits_.rooms.begin());
}

void Client::Feed(TraceLine line, std::string_view frame_json) {
  line.t = ToMs(kWorldStart) + schedule_.now_ms();
  if (recording_ != nullptr) recording_->AddLine(line, frame_json);
  ++line_;
  if (interference_ == nullptr || interference_->OnLine(index_, line)) {
    const absl::Status status = replayer_.Apply(line_, line);
    PRESENCE_CHECK(status.ok());
  }
  SendOutgoing();
  React();
}

// In the order of their serials over all channels, after the ATTACH frames (RTN19a).
void Client::SendOutgoing() {
  std::stable_sort(outgoing_.begin(), outgoing_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [serial, json] : outgoing_) Send(std::move(json));
  outgoing_.clear();
}

void Client::OnApply(size_t index, Timestamp now, const ChannelInput& input, const Effects& effects,
                     const Channel& channel) {
  PRESENCE_CHECK(index < channels_.size());
  channels_[index] = &channel;
  const uint32_t room = traits_.rooms[index];
  if (interference_ == nullptr) return checker_.OnApply(index_, room, now, input, effects, channel);
  altered_.Clear();
  copies_.clear();
  next_effect_ = 0;
  for (const Effect& effect : effects) {
    copies_.push_back(interference_->Copies(index_, effect, channel));
    for (int copy = 0; copy < copies_.back(); ++copy) {
      const auto* result = std::get_if<CallResult>(&effect);
      if (result == nullptr || result->member_count == 0) {
        altered_.Add(effect);
        continue;
      }
      CallResult changed = *result;
      const std::span<const Message> answered = effects.members(*result);
      std::vector<Message> members(answered.begin(), answered.end());
      interference_->OnMembers(index_, members);
      changed.first_member = altered_.member_count();
      changed.member_count = members.size();
      for (const Message& member : members) altered_.AddMember(member);
      altered_.Add(changed);
    }
  }
  checker_.OnApply(index_, room, now, input, altered_, channel);
}

void Client::Write(const ReplayOutput& output) {
  PRESENCE_CHECK(output.channel.has_value());
  const uint32_t room = RoomOf(*output.channel);
  if (interference_ == nullptr) return Tell(output, room);
  // What is sent again is no effect of the input in hand.
  int copies = 1;
  size_t first = 0;
  if (next_effect_ < copies_.size()) {
    for (size_t i = 0; i < next_effect_; ++i) first += static_cast<size_t>(copies_[i]);
    copies = copies_[next_effect_++];
  } else {
    return Tell(output, room);
  }
  for (int copy = 0; copy < copies; ++copy) {
    ReplayOutput changed = output;
    changed.effect = &altered_[first + static_cast<size_t>(copy)];
    if (const auto* result = std::get_if<CallResult>(changed.effect)) {
      changed.members = altered_.members(*result);
    }
    Tell(changed, room);
  }
}

void Client::WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                      const Channel& channel) {
  if (recording_ != nullptr) recording_->output().WriteEnd(line, t, name, channel);
}

void Client::Tell(const ReplayOutput& output, uint32_t room) {
  if (recording_ != nullptr) recording_->output().Write(output);
  const Effect& effect = *output.effect;
  std::string json;
  if (std::holds_alternative<MemberEvent>(effect)) {
    checker_.OnDelivered(index_, output.to.value_or(std::span<const std::string_view>()));
    if (armed_.has_value()) {
      ++faults_[static_cast<size_t>(Fault::kListenerCalls)];
      reactions_.emplace_back(*std::exchange(armed_, std::nullopt), room);
    }
  } else if (const auto* result = std::get_if<CallResult>(&effect)) {
    uint64_t line = 0;
    PRESENCE_CHECK(absl::SimpleAtoi(AbslView(output.call_id), &line));
    checker_.OnResult(index_, room, line, *result, channel(room));
  } else if (const auto* send = std::get_if<SendPresence>(&effect)) {
    wire::AppendPresence(*output.channel, output.msg_serial, send->item, json);
    outgoing_.emplace_back(output.msg_serial, std::move(json));
  } else if (std::holds_alternative<SendAttach>(effect)) {
    wire::AppendAttach(*output.channel, json);
    Send(std::move(json));
  } else if (std::holds_alternative<SendDetach>(effect)) {
    wire::AppendDetach(*output.channel, json);
    Send(std::move(json));
  }
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

void Client::RecordMembersCheck(uint32_t room, std::span<const Message> members) {
  if (recording_ == nullptr) return;
  const int64_t t = ToMs(kWorldStart) + schedule_.now_ms();
  recording_->AddMembersCheck(t, RoomName(room), members);
  SkipLine(t);
}

void Client::RecordSettledCheck(uint32_t room) {
  if (recording_ == nullptr) return;
  const int64_t t = ToMs(kWorldStart) + schedule_.now_ms();
  recording_->AddSettledCheck(t, RoomName(room));
  SkipLine(t);
}

// A line of the recording that is no input.
void Client::SkipLine(int64_t t) {
  const absl::Status status = replayer_.Apply(++line_, {t, NoteLine()});
  PRESENCE_CHECK(status.ok());
}

void Client::Finish() { replayer_.Finish(); }

}  // namespace presence::sim
