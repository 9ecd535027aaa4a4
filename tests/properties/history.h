#ifndef TESTS_PROPERTIES_HISTORY_H_
#define TESTS_PROPERTIES_HISTORY_H_

// What properties remember of a run, from the effects alone.

#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "rapidcheck.h"
#include "tests/model/channel_model.h"
#include "tests/properties/command.h"
#include "tests/properties/plan.h"

namespace presence {

// Plans of all three worlds.
inline rc::Gen<Plan> GenAnyPlan() {
  return rc::gen::oneOf(GenPlan(WorldKind::kCorrectServer), GenPlan(WorldKind::kUnreliableLink),
                        GenPlan(WorldKind::kAnything));
}

// Calls `take` with each effect of this kind, in order.
template <typename Kind, typename Take>
void ForEach(const Effects& effects, Take take) {
  for (const Effect& effect : effects) {
    if (const Kind* kind = std::get_if<Kind>(&effect)) take(*kind);
  }
}

template <typename Kind>
size_t Count(const Effects& effects) {
  size_t count = 0;
  ForEach<Kind>(effects, [&](const Kind&) { ++count; });
  return count;
}

// The answer that these effects give to a call, if they do.
inline const CallResult* AnswerTo(RequestId request, const Effects& effects) {
  const CallResult* answer = nullptr;
  ForEach<CallResult>(effects, [&](const CallResult& result) {
    if (result.request == request) answer = &result;
  });
  return answer;
}

// The call was refused for what it asked, not for the state of things: nothing else happens.
inline bool IsRefusal(const CallResult* answer) {
  if (answer == nullptr || !answer->error) return false;
  const int64_t code = answer->error->code;
  return code == kMalformedRequest || code == kMessageTooLarge || code == kInvalidClientId ||
         code == kTooManyRequests;
}

inline bool SameKey(const Message& a, const Message& b) {
  return a.client_id == b.client_id && a.connection_id == b.connection_id;
}

// The visible members as a listener knows them who only hears events, in the order of joining.
class Listener {
 public:
  void Hear(const Effects& effects) {
    for (const Effect& effect : effects) {
      if (std::holds_alternative<SetCleared>(effect)) members_.clear();
      if (const auto* event = std::get_if<MemberEvent>(&effect)) Hear(*event);
    }
  }

  void Hear(const MemberEvent& event) {
    const auto known = Find(event.message);
    if (event.type == EventType::kLeave) {
      if (known != members_.end()) members_.erase(known);
    } else if (known == members_.end()) {
      members_.push_back(OwnedMessage(event.message));
    } else {
      *known = OwnedMessage(event.message);
    }
  }

  std::vector<OwnedMessage>::iterator Find(const Message& message) {
    return std::find_if(members_.begin(), members_.end(), [&](const OwnedMessage& member) {
      return SameKey(member.view(), message);
    });
  }
  bool Knows(const Message& message) { return Find(message) != members_.end(); }
  const std::vector<OwnedMessage>& members() const { return members_; }

 private:
  std::vector<OwnedMessage> members_;
};

inline std::vector<OwnedMessage> MembersOf(const Channel& channel) {
  std::vector<OwnedMessage> members;
  channel.members().ForEach(
      [&](const Message& member) { members.push_back(OwnedMessage(member)); });
  return members;
}

inline Lines LinesOf(const std::vector<OwnedMessage>& members) {
  Lines lines;
  for (const OwnedMessage& member : members) lines.push_back(Line(member.view()));
  return lines;
}

// Whether the channel applies items in this state.
inline bool TakesItems(ChannelState state) {
  return state == ChannelState::kInitialized || state == ChannelState::kAttaching ||
         state == ChannelState::kAttached || state == ChannelState::kDetaching;
}

// The items of a frame that are about somebody, with what they lacked filled in from their frame.
// An id that lacks and a time that lacks stay so.
inline std::vector<OwnedItem> GoodItemsOf(const Command& command) {
  std::vector<OwnedItem> good;
  for (size_t i = 0; i < command.items.size(); ++i) {
    OwnedItem item = command.items[i];
    if (item.malformed || !item.action || *item.action < 1 || *item.action > 4) continue;
    if (item.connection_id.empty()) item.connection_id = command.frame_connection_id;
    if (item.connection_id.empty() || item.client_id.empty()) continue;
    if (item.id.empty() && !command.frame_id.empty()) {
      item.id = command.frame_id + ":" + std::to_string(i);
    }
    if (!item.timestamp) item.timestamp = command.frame_timestamp;
    good.push_back(item);
  }
  return good;
}

inline bool IsLeave(const OwnedItem& item) {
  return *item.action == static_cast<int64_t>(PresenceAction::kLeave);
}

}  // namespace presence

#endif  // TESTS_PROPERTIES_HISTORY_H_
