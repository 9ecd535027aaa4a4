#include "sim/replay/replay_checker.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "sim/replay/folded_members.h"
#include "sim/replay/member_name.h"

namespace presence::sim {
namespace {

using KeyView = FoldedMembers::KeyView;

KeyView KeyOf(const Message& message) { return {message.connection_id, message.client_id}; }

// The items of an input; null: it has none.
const PresenceFrame* FrameOf(const ChannelInput& input) {
  if (const auto* sync = std::get_if<SyncFrame>(&input)) return &sync->page;
  return std::get_if<PresenceFrame>(&input);
}

// The connection that an item is of.
std::string_view ConnectionOf(const IncomingItem& item, const PresenceFrame& frame) {
  return item.connection_id.empty() ? frame.connection_id : item.connection_id;
}

}  // namespace

struct ReplayChecker::History {
  struct Asked {
    bool is_get = false;  // or isUserPresent
    bool waits_for_sync = false;
    // Of a get and an isUserPresent; of an operation, for whom it is, if it says so.
    std::string client_id;
    std::string connection_id;
    std::optional<PresenceAction> action;  // of an operation
  };

  FoldedMembers folded;
  bool syncing = false;
  // The ids of the running sync, of the one that completed last, and of the one discarded last.
  std::string sync_id;
  std::string completed_id;
  std::string discarded_id;
  FoldedMembers::KeySet seen;  // in the running sync
  absl::flat_hash_map<RequestId, Asked> asked;
  size_t open_gets = 0;  // of these
  // Since the connection is down: whether frames or the owner have put the channel where it is.
  bool moved_while_down = false;
  // Of the input in hand: operations that were acknowledged, by their clients, in their order.
  std::vector<std::pair<std::string, PresenceAction>> acknowledged;
  // The changes of the channel's set and of what was folded when they were compared last.
  std::optional<std::pair<uint64_t, uint64_t>> compared;
  size_t paid = 0;  // members that the next look at the whole may cost
};

ReplayChecker::ReplayChecker(Pace pace) : pace_(pace) {}
ReplayChecker::~ReplayChecker() = default;

void ReplayChecker::Fail(std::string_view invariant, std::string what) {
  if (!violation_.has_value()) violation_ = {std::string(invariant), std::move(what)};
}

ReplayChecker::History& ReplayChecker::HistoryOf(size_t index) {
  while (histories_.size() <= index) histories_.push_back(std::make_unique<History>());
  return *histories_[index];
}

void ReplayChecker::OnApply(size_t index, Timestamp, const ChannelInput& input,
                            const Effects& effects, const Channel& channel) {
  if (violation_.has_value()) return;
  History& history = HistoryOf(index);

  NoteCall(history, input);
  CheckPage(history, input, effects, channel);
  // A page that starts a sync counts as seen in it, so starts come before what was seen, and what
  // was seen before the events and the end.
  for (const Effect& effect : effects) {
    const auto* changed = std::get_if<SyncChanged>(&effect);
    if (changed != nullptr && changed->phase == SyncChanged::Phase::kStarted) {
      history.syncing = true;
      history.seen.clear();
    }
  }
  NoteSeen(history, input);
  history.acknowledged.clear();
  for (const Effect& effect : effects) {
    if (const auto* event = std::get_if<MemberEvent>(&effect)) {
      CheckEvent(history, *event);
    } else if (const auto* changed = std::get_if<SyncChanged>(&effect)) {
      CheckSync(history, *changed);
    } else if (const auto* cleared = std::get_if<SetCleared>(&effect)) {
      if (cleared->members != history.folded.size()) {
        Fail("fold", absl::StrCat("cleared ", cleared->members, " members where ",
                                  history.folded.size(), " were visible"));
      }
      history.folded.Clear();
    } else if (const auto* result = std::get_if<CallResult>(&effect)) {
      CheckResult(history, *result, effects, channel);
    }
  }
  CheckOwn(history, input, effects, channel);
  CheckConnection(history, input, effects, channel);
  CheckBounds(channel);
  CheckSubscriptions(input, channel);
  if (pace_ == Pace::kWhenEarned) {
    CheckTouched(history, input, effects, channel);
    if (history.paid < history.folded.size()) return;
    history.paid = 0;
  }
  CheckWhole(history, channel);
}

void ReplayChecker::CheckWhole(size_t index, const Channel& channel) {
  if (violation_.has_value()) return;
  CheckWhole(HistoryOf(index), channel);
}

void ReplayChecker::CheckWhole(History& history, const Channel& channel) {
  // What was compared, and neither side has changed since, is not compared again.
  const std::pair now(channel.members().changes(), history.folded.changes());
  if (history.compared != now) {
    CheckFold(history, channel);
    if (std::string wrong = channel.members().CheckInvariants(); !wrong.empty()) {
      Fail("engine", "member set: " + wrong);
    }
    history.compared = now;
  }
  if (std::string wrong = channel.CheckOwnInvariants(); !wrong.empty()) {
    Fail("engine", std::move(wrong));
  }
}

void ReplayChecker::CheckEvent(History& history, const MemberEvent& event) {
  const Message& message = event.message;
  const KeyView key = KeyOf(message);
  FoldedMembers::Member* const member = history.folded.Find(key);
  if (event.type == EventType::kLeave) {
    if (member == nullptr) {
      return Fail("leave", absl::StrCat(NameOf(message), " left without having been present"));
    }
    history.folded.Leave(key);
  } else if (member == nullptr) {
    history.folded.Join(message);
  } else {
    const StoredMessage& stored = member->message;
    if (VersionOf(message).kind == Version::Kind::kSerial && message.id == stored.view().id) {
      return Fail("monotonic", absl::StrCat(NameOf(message), " was told the same twice"));
    }
    if (!CompareNewness(VersionOf(message), VersionOf(stored.view())).newer) {
      return Fail("monotonic", absl::StrCat(NameOf(message), " went back to an older message"));
    }
    history.folded.Assign(*member, message);
  }
  const uint32_t connections = history.folded.ConnectionsOf(message.client_id);
  if (event.connections != connections) {
    Fail("connections", absl::StrCat("an event of ", NameOf(message), " counts ", event.connections,
                                     " connections where there are ", connections));
  }
}

void ReplayChecker::CheckSync(History& history, const SyncChanged& changed) {
  if (changed.phase != SyncChanged::Phase::kCompleted) return;
  // After an ATTACHED that says nobody is present, none has started; nobody may be visible then.
  for (const FoldedMembers::Member& member : history.folded) {
    if (!history.syncing || !history.seen.contains(member.key)) {
      return Fail("sync", absl::StrCat(NameOf(member.message.view()),
                                       " is visible after a sync it was not seen in"));
    }
  }
  history.syncing = false;
}

void ReplayChecker::CheckResult(History& history, const CallResult& result, const Effects& effects,
                                const Channel& channel) {
  const auto asked = history.asked.find(result.request);
  if (asked == history.asked.end()) {
    return Fail("once", "a call was answered twice, or was never asked");
  }
  if (result.error == nullptr) {
    if (asked->second.waits_for_sync && (channel.state() != ChannelState::kAttached ||
                                         channel.sync_state() == Channel::SyncState::kInProgress)) {
      Fail("sync", "a get that waits for the sync was answered before its end");
    }
    CheckAnswer(history, result, effects.members(result));
    if (const auto& action = asked->second.action) {
      std::string& client = asked->second.client_id;
      if (client.empty()) client = channel.connection().identity();
      history.acknowledged.emplace_back(std::move(client), *action);
    }
  }
  if (asked->second.is_get) --history.open_gets;
  history.asked.erase(asked);
}

void ReplayChecker::CheckAnswer(const History& history, const CallResult& result,
                                std::span<const Message> members) {
  if (result.kind != CallResult::Kind::kMembers && result.kind != CallResult::Kind::kIsPresent) {
    return;
  }
  const History::Asked& asked = history.asked.at(result.request);
  std::vector<const FoldedMembers::Member*> expected;
  for (const FoldedMembers::Member& member : history.folded) {
    const Message message = member.message.view();
    if (!asked.client_id.empty() && message.client_id != asked.client_id) continue;
    if (!asked.connection_id.empty() && message.connection_id != asked.connection_id) continue;
    expected.push_back(&member);
  }
  if (result.kind == CallResult::Kind::kIsPresent) {
    if (result.present == expected.empty()) Fail("answer", "isUserPresent is wrong");
    return;
  }
  if (members.size() != expected.size()) {
    return Fail("answer", absl::StrCat("a get answers ", members.size(),
                                       " members where there are ", expected.size()));
  }
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i] != expected[i]->message.view()) {
      return Fail("answer", absl::StrCat("a get answers ", NameOf(members[i]), " where ",
                                         NameOf(expected[i]->message.view()), " is next"));
    }
  }
}

// Both list the members as they joined, so that they are compared in step.
void ReplayChecker::CheckFold(const History& history, const Channel& channel) {
  auto next = history.folded.begin();
  channel.members().ForEach([&](const Message& member) {
    if (violation_.has_value()) return;
    if (next != history.folded.end() && next->message.view() == member) {
      ++next;
      return;
    }
    const FoldedMembers::Member* const known = history.folded.Find(KeyOf(member));
    if (known == nullptr) {
      Fail("fold", absl::StrCat(NameOf(member), " is visible without an event"));
    } else if (known->message.view() != member) {
      Fail("fold", absl::StrCat(NameOf(member), " is not what the last event said"));
    } else {
      Fail("fold",
           absl::StrCat(NameOf(member), " is visible where ",
                        next == history.folded.end() ? "nobody" : NameOf(next->message.view()),
                        " is next"));
    }
  });
  if (!violation_.has_value() && next != history.folded.end()) {
    Fail("fold", "a member whom no event has made leave is not visible");
  }
}

// The same of one key, present or not.
void ReplayChecker::CheckFoldOf(const History& history, std::string_view connection_id,
                                std::string_view client_id, const Channel& channel) {
  const FoldedMembers::Member* const known = history.folded.Find({connection_id, client_id});
  const std::optional<Message> member = channel.members().Find(connection_id, client_id);
  if (known == nullptr && member.has_value()) {
    Fail("fold", absl::StrCat(NameOf(*member), " is visible without an event"));
  } else if (known != nullptr && !member.has_value()) {
    Fail("fold", absl::StrCat(NameOf(known->message.view()), " is not visible without an event"));
  } else if (known != nullptr && known->message.view() != *member) {
    Fail("fold", absl::StrCat(NameOf(*member), " is not what the last event said"));
  }
}

// What the input and its events name, and the number of all.
void ReplayChecker::CheckTouched(History& history, const ChannelInput& input,
                                 const Effects& effects, const Channel& channel) {
  if (channel.members().size() != history.folded.size()) {
    Fail("fold", absl::StrCat(channel.members().size(), " members are visible where events make ",
                              history.folded.size()));
  }
  history.paid += kPaidMembers;
  for (const Effect& effect : effects) {
    const auto* event = std::get_if<MemberEvent>(&effect);
    if (event == nullptr) continue;
    CheckFoldOf(history, event->message.connection_id, event->message.client_id, channel);
  }
  const PresenceFrame* const frame = FrameOf(input);
  if (frame == nullptr) return;
  history.paid += kPaidMembers * frame->items.size();
  for (const IncomingItem& item : frame->items) {
    CheckFoldOf(history, ConnectionOf(item, *frame), item.client_id, channel);
  }
}

// Of each client, the last word in this input is what counts.
void ReplayChecker::CheckOwn(const History& history, const ChannelInput& input,
                             const Effects& effects, const Channel& channel) {
  const std::string_view connection = channel.connection().id();
  const ChannelState state = channel.state();
  if (connection.empty() || state == ChannelState::kDetached || state == ChannelState::kSuspended ||
      state == ChannelState::kFailed) {
    return;  // nothing is taken
  }
  absl::InlinedVector<std::string_view, 8> done;
  const auto is_last = [&done](std::string_view client) {
    if (std::find(done.begin(), done.end(), client) != done.end()) return false;
    done.push_back(client);
    return true;
  };
  if (const PresenceFrame* const frame = FrameOf(input)) {
    for (size_t i = frame->items.size(); i-- > 0;) {
      const IncomingItem& item = frame->items[i];
      if (!item.malformed.empty() || ConnectionOf(item, *frame) != connection ||
          !is_last(item.client_id)) {
        continue;
      }
      // Whether another item was taken, events say; a leave has one only if somebody was there.
      if (item.action == static_cast<int64_t>(PresenceAction::kLeave)) {
        const std::string id =
            item.id.empty() ? absl::StrCat(AbslView(frame->id), ":", i) : std::string(item.id);
        Message left;
        left.id = id;
        left.client_id = item.client_id;
        left.connection_id = connection;
        CheckEchoed(PresenceAction::kLeave, left, channel);
      }
    }
    done.clear();
    for (size_t i = effects.size(); i-- > 0;) {
      const auto* event = std::get_if<MemberEvent>(&effects[i]);
      if (event == nullptr || event->message.connection_id != connection) continue;
      if (is_last(event->message.client_id) && event->type != EventType::kLeave) {
        CheckEchoed(PresenceAction::kEnter, event->message, channel);
      }
    }
  }
  for (size_t i = history.acknowledged.size(); i-- > 0;) {
    const auto& [client, action] = history.acknowledged[i];
    if (!client.empty() && is_last(client)) CheckAcknowledged(client, action, channel);
  }
}

// What is kept is of this connection and as new, or newer where an acknowledgement came first.
void ReplayChecker::CheckEchoed(PresenceAction action, const Message& echo,
                                const Channel& channel) {
  if (VersionOf(echo).kind != Version::Kind::kSerial) return;
  const bool left = action == PresenceAction::kLeave;
  const std::optional<Message> own = channel.own_members().Find(echo.client_id);
  const bool is_as_new = own.has_value() && own->connection_id == echo.connection_id &&
                         !CompareNewness(VersionOf(echo), VersionOf(*own)).newer;
  if (left ? own.has_value() && !is_as_new : !is_as_new) {
    Fail("own",
         absl::StrCat("the server echoed that ", NameOf(echo), left ? " left" : " is present",
                      ", and what would be entered again is another message"));
  }
}

void ReplayChecker::CheckAcknowledged(std::string_view client, PresenceAction action,
                                      const Channel& channel) {
  const std::optional<Message> own = channel.own_members().Find(client);
  const bool is_ours = own.has_value() && own->connection_id == channel.connection().id();
  const bool is_full = channel.own_members().size() >= channel.options().max_members;
  if (action == PresenceAction::kLeave ? own.has_value() && !is_ours
                                       : !is_ours && (own.has_value() || !is_full)) {
    Fail("own", absl::StrCat("the server acknowledged what ", AbslView(client),
                             " asked for, and what would be entered again is another message"));
  }
}

// What nobody will ever answer. Frames do not come on a connection that is down, and an owner does
// not attach then; where they do all the same, the rules of the states hold.
void ReplayChecker::CheckConnection(History& history, const ChannelInput& input,
                                    const Effects& effects, const Channel& channel) {
  const ChannelState state = channel.state();
  const bool under_way = state == ChannelState::kAttaching || state == ChannelState::kAttached ||
                         state == ChannelState::kDetaching;
  const bool syncing = channel.sync_state() == Channel::SyncState::kInProgress;
  if (history.open_gets > 0 && (!under_way || (state == ChannelState::kAttached && !syncing))) {
    return Fail("waiting", absl::StrCat(history.open_gets, " gets wait while the channel is ",
                                        AbslView(StateName(state))));
  }
  if (!channel.connection().down() || std::holds_alternative<ConnectionUpdate>(input)) {
    history.moved_while_down = false;
  }
  if (!channel.connection().down()) return;
  bool detached = false;
  for (const Effect& effect : effects) {
    const auto* changed = std::get_if<StateChanged>(&effect);
    if (changed == nullptr) continue;
    const bool from_outside = std::holds_alternative<AttachedFrame>(input) ||
                              std::holds_alternative<DetachedFrame>(input) ||
                              std::holds_alternative<OwnerMove>(input);
    // Detached, it goes on to attaching for the sake of a wish, and nobody could fulfil that.
    history.moved_while_down = from_outside && !detached;
    detached = changed->state == ChannelState::kDetached;
  }
  if (under_way && !history.moved_while_down) {
    const bool gets = history.open_gets > 0;
    Fail(
        gets ? "waiting" : "connection",
        absl::StrCat(gets ? "a get waits, and " : "", "the channel is ", AbslView(StateName(state)),
                     " while the connection is suspended, closed or failed"));
  }
}

void ReplayChecker::CheckBounds(const Channel& channel) {
  const Channel::Options& options = channel.options();
  // What a new connection puts back into the queue comes on top of what waits there.
  const size_t waiting = channel.queued_operations() + channel.waiting_gets();
  if (waiting > options.max_queued + options.max_in_flight) {
    Fail("bounded", absl::StrCat(waiting, " calls are waiting"));
  }
  if (channel.operations_in_flight() > 1 &&
      channel.bytes_in_flight() > options.max_in_flight_bytes) {
    Fail("bounded", absl::StrCat(channel.bytes_in_flight(), " bytes are in flight"));
  }
  if (channel.operations_in_flight() > options.max_in_flight) {
    Fail("bounded", absl::StrCat(channel.operations_in_flight(), " operations are in flight"));
  }
}

void ReplayChecker::CheckSubscriptions(const ChannelInput& input, const Channel& channel) {
  const auto* const subscribe = std::get_if<SubscribeCall>(&input);
  const auto* const unsubscribe = std::get_if<UnsubscribeCall>(&input);
  if (subscribe == nullptr && unsubscribe == nullptr) return;
  const std::vector<Channel::Subscription>& known = channel.subscriptions();
  const auto is_known = [&known](SubscriptionId id) {
    return std::any_of(known.begin(), known.end(),
                       [id](const Channel::Subscription& one) { return one.id == id; });
  };
  if (unsubscribe == nullptr) {
    const bool is_full = known.size() >= channel.options().max_members;
    if (!is_known(subscribe->id) && !is_full) Fail("delivery", "who subscribed is told nothing");
  } else if (unsubscribe->id.has_value() ? is_known(*unsubscribe->id) : !known.empty()) {
    Fail("delivery", "who was unsubscribed is still told events");
  }
}

// --- Rooms ---

RoomHistory* ReplayChecker::RoomAt(size_t index) {
  return index < rooms_.size() ? rooms_[index].get() : nullptr;
}

void ReplayChecker::OnCall(size_t index, const CallLine& call, std::string_view id,
                           const Channel& channel) {
  if (RoomHistory* const room = RoomAt(index)) room->OnCall(call, id, channel.state());
}

void ReplayChecker::OnOutput(size_t index, const ReplayOutput& output) {
  if (RoomHistory* const room = RoomAt(index)) room->OnOutput(output);
}

// --- Calls ---

void ReplayChecker::NoteCall(History& history, const ChannelInput& input) {
  if (const auto* get = std::get_if<GetCall>(&input)) {
    history.asked[get->request] = {true, get->wait_for_sync, std::string(get->client_id),
                                   std::string(get->connection_id), std::nullopt};
    ++history.open_gets;
  } else if (const auto* present = std::get_if<IsUserPresentCall>(&input)) {
    history.asked[present->request] = {true, true, std::string(present->client_id), "",
                                       std::nullopt};
    ++history.open_gets;
  } else if (const auto* subscribe = std::get_if<SubscribeCall>(&input)) {
    history.asked[subscribe->request] = {};
  } else if (const auto* unsubscribe = std::get_if<UnsubscribeCall>(&input)) {
    history.asked[unsubscribe->request] = {};
  } else if (const auto* operation = std::get_if<OperationCall>(&input)) {
    history.asked[operation->request] = {
        false, false, std::string(operation->client_id.value_or("")), "", operation->action};
  }
}

// Whether a page starts a sync exactly where it should: where none runs, or another one.
void ReplayChecker::CheckPage(History& history, const ChannelInput& input, const Effects& effects,
                              const Channel& channel) {
  bool starts = false;
  bool completes = false;
  bool forgets = false;
  for (const Effect& effect : effects) {
    if (const auto* changed = std::get_if<SyncChanged>(&effect)) {
      starts = starts || changed->phase == SyncChanged::Phase::kStarted;
      completes = completes || changed->phase == SyncChanged::Phase::kCompleted;
    } else if (const auto* state = std::get_if<StateChanged>(&effect)) {
      forgets = forgets || state->state == ChannelState::kDetached ||
                state->state == ChannelState::kFailed ||
                state->state == ChannelState::kInitialized;  // RTN11d
    }
  }
  const auto* page = std::get_if<SyncFrame>(&input);
  if (page == nullptr) {
    // ATTACHED starts a sync or empties the set; detached, failed and another connection end all.
    if (starts || completes || forgets) {
      history.sync_id.clear();
      history.completed_id.clear();
      history.discarded_id.clear();
    }
    if (forgets && !starts) history.syncing = false;
    return;
  }
  if (channel.state() == ChannelState::kDetached || channel.state() == ChannelState::kSuspended ||
      channel.state() == ChannelState::kFailed) {
    return;  // not taken
  }
  const std::string id(page->channel_serial.substr(0, page->channel_serial.find(':')));
  const bool of_running = history.syncing && !id.empty() && id == history.sync_id;
  const bool late =
      !of_running && !id.empty() && (id == history.completed_id || id == history.discarded_id);
  const bool should_start =
      !late && (!history.syncing || (!history.sync_id.empty() && id != history.sync_id));
  if (starts != should_start) {
    return Fail("sync", should_start ? "a page of another sync did not start one"
                                     : "a page started a sync again");
  }
  if (late) return;
  if (starts && history.syncing) history.discarded_id = history.sync_id;
  history.sync_id = id;
  if (completes) history.completed_id = std::exchange(history.sync_id, "");
}

void ReplayChecker::OnCheck(size_t index, const CheckLine& line, const Channel& channel) {
  if (violation_.has_value()) return;
  if (line.room.has_value()) {
    if (rooms_.size() <= index) rooms_.resize(index + 1);
    if (rooms_[index] == nullptr) rooms_[index] = std::make_unique<RoomHistory>(channel.state());
    std::string wrong = rooms_[index]->Check(*line.room, channel.state());
    if (!wrong.empty()) Fail("room", std::move(wrong));
    return;
  }
  if (line.settled) {
    if (const size_t open = unanswered(index); open > 0) {
      Fail("liveness", absl::StrCat(open, " calls are never answered"));
    } else if (channel.state() == ChannelState::kAttaching ||
               channel.state() == ChannelState::kDetaching) {
      Fail("liveness", "the channel is still on its way");
    } else if (channel.sync_state() == Channel::SyncState::kInProgress) {
      Fail("liveness", "the sync never ends");
    }
    return;
  }
  for (const IncomingItem& item : line.frame.presence) {
    const std::optional<Message> member =
        channel.members().Find(item.connection_id, item.client_id);
    Message expected;
    expected.client_id = item.client_id;
    expected.connection_id = item.connection_id;
    if (!member.has_value()) {
      return Fail("agreement", absl::StrCat(NameOf(expected), " is in the room, and not visible"));
    }
    if (member->id != item.id || member->payload != item.payload) {
      return Fail("agreement", absl::StrCat(NameOf(expected),
                                            " is seen with another message than "
                                            "the room has"));
    }
  }
  if (channel.members().size() != line.frame.presence.size()) {
    Fail("agreement",
         absl::StrCat(channel.members().size(), " members are visible where the room has ",
                      line.frame.presence.size()));
  }
}

size_t ReplayChecker::unanswered(size_t index) const {
  return index < histories_.size() ? histories_[index]->asked.size() : 0;
}

// Every ENTER, UPDATE and PRESENT counts as seen, accepted or not.
void ReplayChecker::NoteSeen(History& history, const ChannelInput& input) {
  const PresenceFrame* const frame = FrameOf(input);
  if (frame == nullptr || !history.syncing) return;
  for (const IncomingItem& item : frame->items) {
    if (!item.malformed.empty() || !item.action.has_value()) continue;
    const auto action = static_cast<PresenceAction>(*item.action);
    if (action != PresenceAction::kEnter && action != PresenceAction::kUpdate &&
        action != PresenceAction::kPresent) {
      continue;
    }
    const KeyView key(ConnectionOf(item, *frame), item.client_id);
    if (!history.seen.contains(key)) history.seen.emplace(key);
  }
}

}  // namespace presence::sim
