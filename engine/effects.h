#ifndef ENGINE_EFFECTS_H_
#define ENGINE_EFFECTS_H_

// What a channel tells its owner, in the words of the domain.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/channel_input.h"
#include "engine/error.h"
#include "engine/message.h"

namespace presence {

// The channel is in another state now.
struct StateChanged {
  ChannelState state = ChannelState::kInitialized;
  std::optional<ErrorInfo> reason;
};

// A sync started, completed, or was discarded for another one.
struct SyncChanged {
  enum class Phase : uint8_t { kStarted, kCompleted, kDiscarded };
  Phase phase = Phase::kStarted;
  std::string_view sync_id;  // empty: it has none, or none is known yet
};

// The set was cleared without events: detached or failed (RTP5a). The one silent change.
struct SetCleared {
  size_t members = 0;  // that were visible
};

// Something is wrong with what the server sent, and was skipped or worked around.
struct Diagnostic {
  std::string_view text;
};

// The answer to a call. Every call gets exactly one, though perhaps later.
struct CallResult {
  enum class Kind : uint8_t { kMembers, kIsPresent, kSubscription, kOperation };
  Kind kind = Kind::kOperation;
  RequestId request = 0;
  std::optional<ErrorInfo> error;  // nullopt: it worked
  bool present = false;            // kIsPresent that worked
  // kMembers that worked: a range of Effects::members.
  size_t first_member = 0;
  size_t member_count = 0;
};

// The owner must send ATTACH, or DETACH, for this channel.
struct SendAttach {};
struct SendDetach {};

// One item to send in a PRESENCE frame of its own.
struct OutgoingItem {
  PresenceAction action = PresenceAction::kEnter;
  std::optional<std::string_view> client_id;  // nullopt: the connection's own
  std::string_view id;                        // empty: none (RTP17g1)
  Payload payload;
};

// The owner must send this item, give the frame the connection's next msgSerial, and bring the
// ACK or NACK of that serial back under `token`.
struct SendPresence {
  OperationToken token = 0;
  OutgoingItem item;
};

// Something about the channel that is not a change of state (RTL12, RTP17e).
struct ChannelUpdate {
  bool resumed = false;
  std::optional<ErrorInfo> reason;
};

using Effect = std::variant<StateChanged, SyncChanged, SetCleared, MemberEvent, Diagnostic,
                            CallResult, SendAttach, SendDetach, SendPresence, ChannelUpdate>;

// The ordered effects of one input, in a buffer that the caller owns and uses again: a step that
// fits what earlier steps needed allocates nothing.
//
// The order within one input: states, sync discarded, set cleared, sync started, events with
// diagnostics where they arise, sync completed, results (waiting gets, then operations, each in the
// order asked), frames to send (ATTACH or DETACH, re-entries, operations), updates.
//
// All views hold until the channel gets its next input, and as long as the bytes of this one live.
class Effects {
 public:
  using const_iterator = std::vector<Effect>::const_iterator;

  Effects() = default;
  Effects(const Effects&) = delete;
  Effects& operator=(const Effects&) = delete;

  bool empty() const { return effects_.empty(); }
  size_t size() const { return effects_.size(); }
  const_iterator begin() const { return effects_.begin(); }
  const_iterator end() const { return effects_.end(); }
  const Effect& operator[](size_t i) const { return effects_[i]; }

  // The members of a CallResult of kind kMembers.
  std::span<const Message> members(const CallResult& result) const {
    return std::span(members_).subspan(result.first_member, result.member_count);
  }

  // --- For those who fill it ---

  void Clear() {
    effects_.clear();
    members_.clear();
    strings_used_ = 0;
  }
  template <typename T>
  void Add(T&& effect) {
    effects_.emplace_back(std::forward<T>(effect));
  }
  // Adds a T to be filled in place, as a copy of a large one takes longer than all else that
  // becomes of it, and gives it back; RemoveLast, if nothing comes of it.
  template <typename T>
  T& Add() {
    static constexpr T kEmpty{};  // copying it is faster than how compilers make an empty one
    return std::get<T>(effects_.emplace_back(kEmpty));
  }
  void RemoveLast() { effects_.pop_back(); }
  void AddMember(const Message& member) { members_.push_back(member); }
  size_t member_count() const { return members_.size(); }
  // Keeps a copy of `text` until the next Clear. The string returned may be written to.
  std::string& Keep(std::string_view text) {
    if (strings_used_ == strings_.size()) strings_.emplace_back();
    std::string& kept = strings_[strings_used_++];
    kept = text;
    return kept;
  }

 private:
  std::vector<Effect> effects_;
  std::vector<Message> members_;
  std::deque<std::string> strings_;  // a deque, so that views of its strings stay good
  size_t strings_used_ = 0;
};

}  // namespace presence

#endif  // ENGINE_EFFECTS_H_
