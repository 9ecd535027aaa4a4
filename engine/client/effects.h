#ifndef PRESENCE_CLIENT_EFFECTS_H_
#define PRESENCE_CLIENT_EFFECTS_H_

// What a channel tells its owner, in the words of the domain. Errors are pointers to what Effects
// keeps: an error that is told to many is kept once.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/attributes.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/item.h"
#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence {

// The channel is in another state now.
struct StateChanged {
  ChannelState state = ChannelState::kInitialized;
  const ErrorInfo* reason = nullptr;  // or null
};

// A sync started, completed, or was discarded for another one.
struct SyncChanged {
  enum class Phase : uint8_t { kStarted, kCompleted, kDiscarded };
  Phase phase = Phase::kStarted;
  std::string_view sync_id;  // empty: it has none, or none is known yet
};
// "started", "completed" or "discarded".
std::string_view SyncPhaseName(SyncChanged::Phase phase);

// The set was cleared without events: detached or failed (RTP5a), or begun anew (RTN11d). The one
// silent change.
struct SetCleared {
  size_t members = 0;  // that were visible
};

// Something is wrong with what the server sent, and was skipped or worked around. Of the malformed
// items of one frame kMaxDiagnosedItems are told each, then one diagnostic counts the rest.
inline constexpr size_t kMaxDiagnosedItems = 16;
struct Diagnostic {
  std::string_view text;
};

// The answer to a call. Every call gets exactly one, though perhaps later.
struct CallResult {
  enum class Kind : uint8_t { kMembers, kIsPresent, kSubscription, kOperation };
  Kind kind = Kind::kOperation;
  RequestId request = 0;
  const ErrorInfo* error = nullptr;  // null: it worked
  bool present = false;              // kIsPresent that worked
  // kMembers that worked: a range of Effects::members, which equal calls that are answered together
  // share.
  size_t first_member = 0;
  size_t member_count = 0;
};

// The owner must send ATTACH, or DETACH, for this channel.
struct SendAttach {};
struct SendDetach {};

// The owner must send this item, give the frame the connection's next msgSerial, and bring the
// ACK or NACK of that serial back under `token`.
struct SendPresence {
  OperationToken token = 0;
  OutgoingItem item;
  std::optional<RequestId> request = {};  // the call it is of; nullopt: an own member's re-entry
};

// Something about the channel that is not a change of state (RTL12, RTP17e).
struct ChannelUpdate {
  bool resumed = false;
  const ErrorInfo* reason = nullptr;  // or null
};

using Effect = std::variant<StateChanged, SyncChanged, SetCleared, MemberEvent, Diagnostic,
                            CallResult, SendAttach, SendDetach, SendPresence, ChannelUpdate>;

// What became of one item of a PRESENCE or SYNC frame, for who asks (Effects::WantVerdicts).
struct ItemVerdict {
  enum class Kind : uint8_t {
    kAccepted,   // newer than what was stored, or nothing was
    kStale,      // dropped: not newer than what is stored
    kNobody,     // a LEAVE outside a sync of somebody who is not there: ignored
    kSkipped,    // ABSENT, no action, or an unknown one
    kMalformed,  // skipped with a diagnostic
  };
  Kind kind = Kind::kAccepted;
  size_t index = 0;  // in its frame
  std::optional<int64_t> action;
  Message message;             // as completed from its frame; its id only if kind is not kSkipped
                               // or kMalformed
  std::string_view malformed;  // why, if it is
  // How newness was decided, and against what, if anything was stored.
  NewnessVerdict newness;
  std::optional<Version> stored;
  bool by_tombstone = false;       // kStale: what was newer is a tombstone
  std::optional<EventType> event;  // that it made; the events of a frame come in the items' order
};

// Texts kept until the next Clear, in chunks that are used again.
class KeptText {
 public:
  // Keeps `text` followed by `more`.
  std::string_view Keep(std::string_view text, std::string_view more) ABSL_ATTRIBUTE_LIFETIME_BOUND;
  void Clear();
  // Clear, and no memory is kept.
  void GiveBack();
  // Bytes.
  size_t capacity() const { return capacity_; }
  size_t used() const { return used_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0;  // the one that is being filled, to at_
  size_t at_ = 0;
  size_t capacity_ = 0;  // of all chunks
  size_t used_ = 0;
};

// The ordered effects of one input, in a buffer that the caller owns and uses again: a step that
// fits what earlier steps needed allocates nothing. Of the memory that a large step needed, a Clear
// after a smaller one keeps at most 64 KiB, or as much again as that one used, whichever is more.
//
// The order within one input: states, sync discarded, set cleared, sync started, events with
// diagnostics where they arise, sync completed, results (waiting gets, then operations, each in the
// order asked), frames to send (ATTACH or DETACH, re-entries, operations), updates.
//
// All views and errors hold until the channel gets its next input, and views also only as long as
// the bytes of this one live.
class Effects {
 public:
  using const_iterator = std::vector<Effect>::const_iterator;

  Effects() = default;
  Effects(const Effects&) = delete;
  Effects& operator=(const Effects&) = delete;

  bool empty() const { return effects_.empty(); }
  size_t size() const { return effects_.size(); }
  const_iterator begin() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return effects_.begin(); }
  const_iterator end() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return effects_.end(); }
  const Effect& operator[](size_t i) const ABSL_ATTRIBUTE_LIFETIME_BOUND { return effects_[i]; }

  // The members of a CallResult of kind kMembers.
  std::span<const Message> members(const CallResult& result) const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return std::span(members_).subspan(result.first_member, result.member_count);
  }

  // From now on, also keeps what became of each item of the frames. Nothing of it costs those who
  // do not ask.
  void WantVerdicts() { wants_verdicts_ = true; }
  // In the order of the items; empty unless asked for. Views hold as those of the effects.
  std::span<const ItemVerdict> verdicts() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return verdicts_; }

  // --- For those who fill it ---

  void Clear();
  template <typename T>
  void Add(T&& effect) {
    effects_.emplace_back(std::forward<T>(effect));
  }
  // Adds an empty T and returns it, to be filled in place; RemoveLast takes it away again. For
  // large effects, where making one and moving it here would take longer than filling it.
  template <typename T>
  T& Add() ABSL_ATTRIBUTE_LIFETIME_BOUND {
    // Copied from a constant, which measures faster than T{}.
    static constexpr T kEmpty{};
    return std::get<T>(effects_.emplace_back(kEmpty));
  }
  void RemoveLast() { effects_.pop_back(); }
  bool wants_verdicts() const { return wants_verdicts_; }
  void AddVerdict(const ItemVerdict& verdict) { verdicts_.push_back(verdict); }
  void AddMember(const Message& member) { members_.push_back(member); }
  size_t member_count() const { return members_.size(); }
  // Keeps a copy of `text` followed by `more` until the next Clear.
  std::string_view Keep(std::string_view text,
                        std::string_view more = {}) ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return texts_.Keep(text, more);
  }
  // Keeps an error until the next Clear, shared and not copied; null stays null.
  const ErrorInfo* Keep(const SharedError& error) ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  std::vector<Effect> effects_;
  std::vector<Message> members_;
  std::vector<SharedError> errors_;
  KeptText texts_;
  bool wants_verdicts_ = false;
  std::vector<ItemVerdict> verdicts_;
};

}  // namespace presence

#endif  // PRESENCE_CLIENT_EFFECTS_H_
