#include "sim/replay_checker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/absl_view.h"
#include "engine/stored_message.h"
#include "engine/wire/json.h"

namespace presence::sim {
namespace {

using Key = std::pair<std::string, std::string>;  // connection id, client id

Key KeyOf(const Message& message) {
  return {std::string(message.connection_id), std::string(message.client_id)};
}

std::string NameOf(const Message& message) {
  std::string name;
  wire::AppendJsonString(message.client_id, name);
  name += " on ";
  wire::AppendJsonString(message.connection_id, name);
  return name;
}

}  // namespace

struct ReplayChecker::History {
  struct Member {
    StoredMessage message;
    uint64_t joined = 0;  // its place in `order`
  };
  struct Asked {
    bool waits_for_sync = false;
    // Of a get and an isUserPresent.
    std::string client_id;
    std::string connection_id;
  };

  void Join(const Key& key, const Message& message) {
    Member& member = visible[key];
    member.message.Assign(message);
    member.joined = next_place++;
    order[member.joined] = &member;
  }
  void Leave(std::map<Key, Member>::iterator member) {
    order.erase(member->second.joined);
    visible.erase(member);
  }

  std::map<Key, Member> visible;            // folded from the events
  std::map<uint64_t, const Member*> order;  // as they joined
  uint64_t next_place = 0;
  std::map<std::string, uint32_t> connections;
  bool syncing = false;
  std::set<Key> seen;  // in the running sync
  std::map<RequestId, Asked> asked;
};

ReplayChecker::ReplayChecker() = default;
ReplayChecker::~ReplayChecker() = default;

void ReplayChecker::Fail(std::string_view invariant, std::string what) {
  if (!violation_.has_value()) violation_ = {std::string(invariant), std::move(what)};
}

void ReplayChecker::OnApply(size_t index, Timestamp, const ChannelInput& input,
                            const Effects& effects, const Channel& channel) {
  if (violation_.has_value()) return;
  while (histories_.size() <= index) histories_.push_back(std::make_unique<History>());
  History& history = *histories_[index];

  NoteCall(history, input);
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
  for (const Effect& effect : effects) {
    if (const auto* event = std::get_if<MemberEvent>(&effect)) {
      CheckEvent(history, *event);
    } else if (const auto* changed = std::get_if<SyncChanged>(&effect)) {
      CheckSync(history, *changed);
    } else if (const auto* cleared = std::get_if<SetCleared>(&effect)) {
      if (cleared->members != history.visible.size()) {
        Fail("fold", absl::StrCat("cleared ", cleared->members, " members where ",
                                  history.visible.size(), " were visible"));
      }
      history.visible.clear();
      history.order.clear();
      history.connections.clear();
    } else if (const auto* result = std::get_if<CallResult>(&effect)) {
      CheckResult(history, *result, effects, channel);
    }
  }
  CheckFold(history, channel);
  CheckBounds(channel);
  if (const std::string wrong = channel.CheckInvariants(); !wrong.empty()) Fail("engine", wrong);
}

void ReplayChecker::CheckEvent(History& history, const MemberEvent& event) {
  const Message& message = event.message;
  const Key key = KeyOf(message);
  const auto visible = history.visible.find(key);
  uint32_t& connections = history.connections[std::string(message.client_id)];
  if (event.type == EventType::kLeave) {
    if (visible == history.visible.end()) {
      return Fail("leave", absl::StrCat(NameOf(message), " left without having been present"));
    }
    history.Leave(visible);
    --connections;
  } else if (visible == history.visible.end()) {
    history.Join(key, message);
    ++connections;
  } else {
    StoredMessage& stored = visible->second.message;
    if (!CompareNewness(VersionOf(message), VersionOf(stored.view())).newer) {
      return Fail("monotonic", absl::StrCat(NameOf(message), " went back to an older message"));
    }
    stored.Assign(message);
  }
  if (event.connections != connections) {
    Fail("connections", absl::StrCat("an event of ", NameOf(message), " counts ", event.connections,
                                     " connections where there are ", connections));
  }
}

void ReplayChecker::CheckSync(History& history, const SyncChanged& changed) {
  if (changed.phase != SyncChanged::Phase::kCompleted) return;
  // After an ATTACHED that says nobody is present, none has started; nobody may be visible then.
  for (const auto& [key, member] : history.visible) {
    if (!history.syncing || !history.seen.contains(key)) {
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
  if (!result.error.has_value()) {
    if (asked->second.waits_for_sync && (channel.state() != ChannelState::kAttached ||
                                         channel.sync_state() == Channel::SyncState::kInProgress)) {
      Fail("sync", "a get that waits for the sync was answered before its end");
    }
    CheckAnswer(history, result, effects.members(result));
  }
  history.asked.erase(asked);
}

void ReplayChecker::CheckAnswer(const History& history, const CallResult& result,
                                std::span<const Message> members) {
  if (result.kind != CallResult::Kind::kMembers && result.kind != CallResult::Kind::kIsPresent) {
    return;
  }
  const History::Asked& asked = history.asked.at(result.request);
  std::vector<const History::Member*> expected;
  for (const auto& [place, member] : history.order) {
    const Message& message = member->message.view();
    if (!asked.client_id.empty() && message.client_id != asked.client_id) continue;
    if (!asked.connection_id.empty() && message.connection_id != asked.connection_id) continue;
    expected.push_back(member);
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

void ReplayChecker::CheckFold(const History& history, const Channel& channel) {
  size_t same = 0;
  channel.members().ForEach([&](const Message& member) {
    const auto visible = history.visible.find(KeyOf(member));
    if (visible == history.visible.end()) {
      Fail("fold", absl::StrCat(NameOf(member), " is visible without an event"));
    } else if (visible->second.message.view() != member) {
      Fail("fold", absl::StrCat(NameOf(member), " is not what the last event said"));
    } else {
      ++same;
    }
  });
  if (same != history.visible.size()) {
    Fail("fold", "a member whom no event has made leave is not visible");
  }
}

void ReplayChecker::CheckBounds(const Channel& channel) {
  const Channel::Options& options = channel.options();
  // What a new connection puts back into the queue comes on top of what waits there.
  const size_t waiting = channel.queued_operations() + channel.waiting_gets();
  if (waiting > options.max_queued + options.max_in_flight) {
    Fail("bounded", absl::StrCat(waiting, " calls are waiting"));
  }
  if (channel.operations_in_flight() > options.max_in_flight) {
    Fail("bounded", absl::StrCat(channel.operations_in_flight(), " operations are in flight"));
  }
}

void ReplayChecker::NoteCall(History& history, const ChannelInput& input) {
  if (const auto* get = std::get_if<GetCall>(&input)) {
    history.asked[get->request] = {get->wait_for_sync, std::string(get->client_id),
                                   std::string(get->connection_id)};
  } else if (const auto* present = std::get_if<IsUserPresentCall>(&input)) {
    history.asked[present->request] = {true, std::string(present->client_id), ""};
  } else if (const auto* subscribe = std::get_if<SubscribeCall>(&input)) {
    history.asked[subscribe->request] = {};
  } else if (const auto* unsubscribe = std::get_if<UnsubscribeCall>(&input)) {
    history.asked[unsubscribe->request] = {};
  } else if (const auto* operation = std::get_if<OperationCall>(&input)) {
    history.asked[operation->request] = {};
  }
}

void ReplayChecker::OnCheck(size_t index, const CheckLine& line, const Channel& channel) {
  if (violation_.has_value()) return;
  if (line.answered) {
    if (const size_t open = unanswered(index); open > 0) {
      Fail("liveness", absl::StrCat(open, " calls are never answered"));
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
  const PresenceFrame* frame = std::get_if<PresenceFrame>(&input);
  if (const auto* sync = std::get_if<SyncFrame>(&input)) frame = &sync->page;
  if (frame == nullptr || !history.syncing) return;
  for (const IncomingItem& item : frame->items) {
    if (!item.malformed.empty() || !item.action.has_value()) continue;
    const auto action = static_cast<PresenceAction>(*item.action);
    if (action != PresenceAction::kEnter && action != PresenceAction::kUpdate &&
        action != PresenceAction::kPresent) {
      continue;
    }
    history.seen.emplace(item.connection_id.empty() ? frame->connection_id : item.connection_id,
                         item.client_id);
  }
}

}  // namespace presence::sim
