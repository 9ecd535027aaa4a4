#include "tests/client/channel_harness.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "gtest/gtest.h"

namespace presence {
namespace {

std::string Text(const ErrorInfo& error) {
  std::string text = std::to_string(error.code);
  for (const ErrorInfo* at = error.cause.get(); at != nullptr; at = at->cause.get()) {
    text += " < " + std::to_string(at->code);
  }
  return text;
}

std::string Text(const ErrorInfo* error) {
  return error != nullptr ? " " + Text(*error) : "";
}

std::string Text(const Payload& payload) {
  std::string text;
  if (payload.data_kind == DataKind::kString) text += " \"" + std::string(payload.data) + "\"";
  if (payload.data_kind == DataKind::kJson) text += " json:" + std::string(payload.data);
  if (payload.encoding.has_value()) text += " encoding=" + std::string(*payload.encoding);
  if (payload.extras.has_value()) text += " extras=" + std::string(*payload.extras);
  return text;
}

std::string Who(const Message& message) {
  return std::string(message.client_id) + "@" + std::string(message.connection_id);
}

std::string_view Text(EventType type) {
  constexpr std::string_view kTexts[] = {"enter", "leave", "update", "present"};
  return kTexts[static_cast<size_t>(type)];
}

std::string_view Text(LeaveReason reason) {
  constexpr std::string_view kTexts[] = {"", " left", " lost", " swept", " empty"};
  return kTexts[static_cast<size_t>(reason)];
}

std::string_view Text(PresenceAction action) {
  constexpr std::string_view kTexts[] = {"absent", "present", "enter", "leave", "update"};
  return kTexts[static_cast<size_t>(action)];
}

std::string_view Text(SyncChanged::Phase phase) {
  constexpr std::string_view kTexts[] = {"started", "completed", "discarded"};
  return kTexts[static_cast<size_t>(phase)];
}

// What of a message its key does not say.
std::string Body(const Message& message) {
  return std::string(message.id) + "\n" + std::to_string(ToMs(message.timestamp)) +
         Text(message.payload);
}

// The call that an input is, if it is one, and the kind of its answer.
std::optional<std::pair<RequestId, CallResult::Kind>> CallIn(const ChannelInput& input) {
  using Kind = CallResult::Kind;
  if (const auto* call = std::get_if<GetCall>(&input)) return {{call->request, Kind::kMembers}};
  if (const auto* call = std::get_if<IsUserPresentCall>(&input)) {
    return {{call->request, Kind::kIsPresent}};
  }
  if (const auto* call = std::get_if<SubscribeCall>(&input)) {
    return {{call->request, Kind::kSubscription}};
  }
  if (const auto* call = std::get_if<UnsubscribeCall>(&input)) {
    return {{call->request, Kind::kSubscription}};
  }
  if (const auto* call = std::get_if<OperationCall>(&input)) {
    return {{call->request, Kind::kOperation}};
  }
  return std::nullopt;
}

// The place of an effect in the order that effects.h documents.
int RankOf(const Effect& effect) {
  if (std::holds_alternative<StateChanged>(effect)) return 0;
  if (const auto* sync = std::get_if<SyncChanged>(&effect)) {
    if (sync->phase == SyncChanged::Phase::kDiscarded) return 1;
    return sync->phase == SyncChanged::Phase::kStarted ? 3 : 5;
  }
  if (std::holds_alternative<SetCleared>(effect)) return 2;
  if (std::holds_alternative<MemberEvent>(effect)) return 4;
  if (std::holds_alternative<Diagnostic>(effect)) return 4;
  if (std::holds_alternative<CallResult>(effect)) return 6;
  if (std::holds_alternative<SendPresence>(effect)) return 8;
  if (std::holds_alternative<ChannelUpdate>(effect)) return 9;
  return 7;  // ATTACH or DETACH
}

// All that can be read of a channel, to see that nothing changed.
std::string Snapshot(const Channel& channel) {
  std::string text(StateName(channel.state()));
  const auto add = [&text](const auto& value) { text += " " + std::to_string(value); };
  const auto add_member = [&text](const Message& message) {
    text += "\n" + Who(message) + " " + Body(message);
  };
  const Channel::Stats& stats = channel.stats();
  for (const uint64_t count :
       {stats.frames, stats.frames_ignored, stats.items, stats.accepted, stats.stale,
        stats.malformed, stats.ignored, stats.syncs_started, stats.syncs_completed,
        stats.syncs_discarded, stats.synthesized_leaves}) {
    add(count);
  }
  for (const uint64_t count : stats.events) add(count);
  add(static_cast<int>(channel.sync_state()));
  add(static_cast<int>(channel.connection().state()));
  add(channel.queued_operations());
  add(channel.operations_in_flight());
  add(channel.waiting_gets());
  add(channel.subscriptions().size());
  channel.members().ForEach(add_member);
  channel.own_members().ForEach(add_member);
  return text;
}

}  // namespace

Item::Item(PresenceAction item_action, std::string_view who, std::string_view item_id) {
  action = static_cast<int64_t>(item_action);
  id = item_id;
  const size_t at = who.rfind('@');
  client_id = who.substr(0, at);
  if (at != std::string_view::npos) connection_id = who.substr(at + 1);
}

Item Item::At(int64_t ms) const {
  Item item = *this;
  item.timestamp = TimestampFromMs(ms);
  return item;
}

Item Item::Data(std::string_view data) const {
  Item item = *this;
  item.payload = presence::Text(data);
  return item;
}

Payload Text(std::string_view data) {
  Payload payload;
  payload.data_kind = DataKind::kString;
  payload.data = data;
  return payload;
}

ErrorInfo ErrorOf(int64_t code) {
  ErrorInfo error;
  error.code = code;
  error.status_code = 400;
  error.message = "the server says so";
  return error;
}

Lines ChannelHarness::Apply(const ChannelInput& input) {
  const absl::Status status = channel.Apply(TimestampFromMs(now), input, effects);
  EXPECT_TRUE(status.ok()) << status;
  Check(input);
  Lines lines;
  for (const Effect& effect : effects) lines.push_back(Render(effect));
  return lines;
}

void ChannelHarness::ApplyRefused(const ChannelInput& input, absl::StatusCode code) {
  const std::string before = Snapshot(channel);
  const absl::Status status = channel.Apply(TimestampFromMs(now), input, effects);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_TRUE(effects.empty());
  EXPECT_EQ(Snapshot(channel), before);
  EXPECT_EQ(channel.CheckInvariants(), "");
}

Lines ChannelHarness::Attached(uint64_t flags, const ErrorInfo* error) {
  return Apply(AttachedFrame{flags, error});
}

Lines ChannelHarness::Detached(const ErrorInfo* error) { return Apply(DetachedFrame{error}); }

Lines ChannelHarness::Error(const ErrorInfo* error) { return Apply(ErrorFrame{error}); }

Lines ChannelHarness::Presence(const Items& items) {
  PresenceFrame frame;
  frame.items = items;
  return Apply(frame);
}

Lines ChannelHarness::Sync(std::string_view channel_serial, const Items& items) {
  SyncFrame frame;
  frame.channel_serial = channel_serial;
  frame.page.items = items;
  return Apply(frame);
}

Lines ChannelHarness::Move(ChannelState state, const ErrorInfo* reason) {
  return Apply(OwnerMove{state, reason});
}

Lines ChannelHarness::Connected(std::string_view id, std::optional<std::string_view> client_id) {
  ConnectionUpdate update;
  update.id = id;
  update.client_id = client_id;
  return Apply(update);
}

Lines ChannelHarness::Lost(ConnectionState state, const ErrorInfo* reason) {
  ConnectionUpdate update;
  update.state = state;
  update.id = channel.connection().id();
  if (channel.connection().client_id().has_value()) {
    update.client_id = *channel.connection().client_id();
  }
  update.reason = ShareError(reason);
  return Apply(update);
}

Lines ChannelHarness::Ack(OperationToken token, int64_t msg_serial) {
  const AcknowledgedOperation done{token, msg_serial};
  return Apply(OperationsAcked{{&done, 1}});
}

Lines ChannelHarness::Nack(OperationToken token, const ErrorInfo* error) {
  const AcknowledgedOperation done{token, 0};
  return Apply(OperationsNacked{{&done, 1}, error});
}

Lines ChannelHarness::Get(RequestId request, std::string_view client_id,
                          std::string_view connection_id) {
  GetCall call;
  call.request = request;
  call.client_id = client_id;
  call.connection_id = connection_id;
  return Apply(call);
}

Lines ChannelHarness::GetNow(RequestId request) {
  GetCall call;
  call.request = request;
  call.wait_for_sync = false;
  return Apply(call);
}

Lines ChannelHarness::IsUserPresent(RequestId request, std::string_view client_id) {
  return Apply(IsUserPresentCall{request, client_id});
}

Lines ChannelHarness::Subscribe(RequestId request) {
  SubscribeCall call;
  call.request = request;
  call.id = request;
  return Apply(call);
}

Lines ChannelHarness::Operate(RequestId request, PresenceAction action,
                              std::optional<std::string_view> client_id, Payload payload) {
  OperationCall call;
  call.request = request;
  call.action = action;
  call.client_id = client_id;
  call.payload = payload;
  return Apply(call);
}

void ChannelHarness::BringTo(ChannelState state) {
  Presence({presence::Enter("alice@c1", "c1:0:0")});
  switch (state) {
    case ChannelState::kInitialized:
      break;
    case ChannelState::kAttached:
    case ChannelState::kDetaching:
    case ChannelState::kSuspended:
      Attached(kFlagHasPresence);
      Sync("s0:", {presence::Present("alice@c1", "c1:0:0")});
      if (state != ChannelState::kAttached) Move(state);
      break;
    case ChannelState::kAttaching:
    case ChannelState::kDetached:
      Move(state);
      break;
    case ChannelState::kFailed:
      Error();
      break;
  }
  ASSERT_EQ(channel.state(), state);
}

Lines ChannelHarness::Members() const {
  Lines lines;
  channel.members().ForEach([&lines](const Message& message) {
    lines.push_back(Who(message) + " " + std::string(message.id));
  });
  return lines;
}

Lines ChannelHarness::OwnMembers() const {
  Lines lines;
  channel.own_members().ForEach([&lines](const Message& message) {
    lines.push_back(Who(message) + " " + std::string(message.id) + Text(message.payload));
  });
  return lines;
}

void ChannelHarness::Check(const ChannelInput& input) {
  EXPECT_EQ(channel.CheckInvariants(), "");
  if (const auto call = CallIn(input)) unanswered_.insert(*call);
  last_rank_ = 0;
  for (const Effect& effect : effects) CheckEffect(effect);

  std::vector<Member>::const_iterator next = folded_.begin();
  channel.members().ForEach([&](const Message& message) {
    ASSERT_NE(next, folded_.end()) << Who(message) << " is visible, but no event said so";
    EXPECT_EQ(message.client_id, next->client_id);
    EXPECT_EQ(message.connection_id, next->connection_id);
    EXPECT_EQ(Body(message), next->shown);
    ++next;
  });
  EXPECT_EQ(next, folded_.end()) << next->client_id << " is not visible, but no event said so";

  const Channel::Stats& stats = channel.stats();
  EXPECT_EQ(stats.items, stats.accepted + stats.stale + stats.malformed + stats.ignored);
  for (int type = 0; type < kEventTypeCount; ++type) {
    EXPECT_EQ(stats.events[type], expected_.events[type]);
  }
  EXPECT_EQ(stats.syncs_started, expected_.syncs_started);
  EXPECT_EQ(stats.syncs_completed, expected_.syncs_completed);
  EXPECT_EQ(stats.syncs_discarded, expected_.syncs_discarded);
  EXPECT_EQ(stats.synthesized_leaves, expected_.synthesized_leaves);
}

void ChannelHarness::CheckEffect(const Effect& effect) {
  const int rank = RankOf(effect);
  EXPECT_GE(rank, last_rank_) << Render(effect) << " comes too late";
  last_rank_ = rank;
  if (const auto* event = std::get_if<MemberEvent>(&effect)) Fold(*event);
  if (const auto* cleared = std::get_if<SetCleared>(&effect)) {
    EXPECT_EQ(cleared->members, folded_.size());
    folded_.clear();
  }
  if (const auto* sync = std::get_if<SyncChanged>(&effect)) {
    if (sync->phase == SyncChanged::Phase::kStarted) ++expected_.syncs_started;
    if (sync->phase == SyncChanged::Phase::kCompleted) ++expected_.syncs_completed;
    if (sync->phase == SyncChanged::Phase::kDiscarded) ++expected_.syncs_discarded;
  }
  if (const auto* result = std::get_if<CallResult>(&effect)) {
    const auto call = unanswered_.find(result->request);
    ASSERT_NE(call, unanswered_.end()) << Render(effect) << ", which nobody awaits";
    EXPECT_EQ(result->kind, call->second) << Render(effect);
    unanswered_.erase(call);
  }
  if (const auto* send = std::get_if<SendPresence>(&effect)) {
    const std::string line = Render(effect);
    EXPECT_EQ(tokens_.emplace(send->token, line).first->second, line);
  }
}

void ChannelHarness::Fold(const MemberEvent& event) {
  ++expected_.events[static_cast<size_t>(event.type)];
  if (event.reason == LeaveReason::kSwept || event.reason == LeaveReason::kEmpty) {
    ++expected_.synthesized_leaves;
  }
  EXPECT_EQ(event.type == EventType::kLeave, event.reason != LeaveReason::kNone);
  const Message& message = event.message;
  const auto known = std::find_if(folded_.begin(), folded_.end(), [&](const Member& member) {
    return member.client_id == message.client_id && member.connection_id == message.connection_id;
  });
  if (event.type == EventType::kLeave) {
    ASSERT_NE(known, folded_.end()) << Who(message) << " leaves without being there";
    folded_.erase(known);
  } else if (known != folded_.end()) {
    known->shown = Body(message);
  } else {
    folded_.push_back(
        {std::string(message.client_id), std::string(message.connection_id), Body(message)});
  }
  EXPECT_EQ(event.connections,
            std::count_if(folded_.begin(), folded_.end(), [&](const Member& member) {
              return member.client_id == message.client_id;
            }));
}

std::string ChannelHarness::Render(const Effect& effect) const {
  if (const auto* changed = std::get_if<StateChanged>(&effect)) {
    return "state " + std::string(StateName(changed->state)) + Text(changed->reason);
  }
  if (const auto* sync = std::get_if<SyncChanged>(&effect)) {
    return "sync " + std::string(Text(sync->phase)) + (sync->sync_id.empty() ? "" : " ") +
           std::string(sync->sync_id);
  }
  if (const auto* cleared = std::get_if<SetCleared>(&effect)) {
    return "cleared " + std::to_string(cleared->members);
  }
  if (const auto* event = std::get_if<MemberEvent>(&effect)) {
    const Message& message = event->message;
    std::string line = std::string(Text(event->type)) + " " + Who(message);
    if (!message.id.empty()) line += " " + std::string(message.id);
    if (ToMs(message.timestamp) != now) line += " t=" + std::to_string(ToMs(message.timestamp));
    line += " n=" + std::to_string(event->connections) + std::string(Text(event->reason));
    return line + Text(message.payload);
  }
  if (const auto* diagnostic = std::get_if<Diagnostic>(&effect)) {
    return "diagnostic " + std::string(diagnostic->text);
  }
  if (const auto* result = std::get_if<CallResult>(&effect)) {
    const std::string line = "result " + std::to_string(result->request);
    if (result->error != nullptr) return line + " error" + Text(result->error);
    if (result->kind == CallResult::Kind::kIsPresent) {
      return line + (result->present ? " yes" : " no");
    }
    if (result->kind != CallResult::Kind::kMembers) return line + " ok";
    std::string members;
    for (const Message& member : effects.members(*result)) {
      members += (members.empty() ? "" : " ") + Who(member);
    }
    return line + " [" + members + "]";
  }
  if (std::holds_alternative<SendAttach>(effect)) return "send ATTACH";
  if (std::holds_alternative<SendDetach>(effect)) return "send DETACH";
  if (const auto* send = std::get_if<SendPresence>(&effect)) {
    const OutgoingItem& item = send->item;
    std::string line =
        "send #" + std::to_string(send->token) + " " + std::string(Text(item.action));
    if (item.client_id.has_value()) line += " " + std::string(*item.client_id);
    if (!item.id.empty()) line += " id=" + std::string(item.id);
    return line + Text(item.payload);
  }
  const ChannelUpdate& update = std::get<ChannelUpdate>(effect);
  return std::string("update resumed=") + (update.resumed ? "true" : "false") + Text(update.reason);
}

std::string ErrorLine(RequestId request, std::string_view code) {
  return "result " + std::to_string(request) + " error " + std::string(code);
}

void AttachAnybody(ChannelHarness& harness) {
  harness.Connected("c1", "*");
  harness.Move(ChannelState::kAttaching);
  harness.Attached();
}

void AttachWithOwn(ChannelHarness& harness, const std::vector<std::string>& clients) {
  AttachAnybody(harness);
  for (size_t i = 0; i < clients.size(); ++i) {
    harness.Operate(i + 1, PresenceAction::kEnter, clients[i], Text("d" + std::to_string(i)));
    harness.Ack(i + 1, static_cast<int64_t>(i));
  }
}

}  // namespace presence
