#ifndef PRESENCE_HOST_HOST_EFFECTS_H_
#define PRESENCE_HOST_HOST_EFFECTS_H_

// What a room host tells its owner: frames to send, and changes of the set.

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

#include "absl/base/attributes.h"
#include "presence/base/internal/spare.h"
#include "presence/error.h"
#include "presence/host/host_input.h"
#include "presence/message.h"

namespace presence {

// Each of these is a frame that the owner must send, in the order of the effects, to the connection
// `to`. A frame to a connection whose transport has just been lost may be dropped.

// ATTACHED. Flags: the modes that are granted, always; HAS_PRESENCE exactly if a sync follows;
// RESUMED if the connection is attached already, or was when its transport was lost.
struct AttachedReply {
  ConnectionHandle to = 0;
  uint64_t flags = 0;
  std::string_view channel_serial;  // of no meaning, never empty: real clients need one
};

// DETACHED.
struct DetachedReply {
  ConnectionHandle to = 0;
  std::optional<ErrorInfo> error;
};

// ERROR of the channel: it was not attached, or is no longer.
struct ErrorReply {
  ConnectionHandle to = 0;
  ErrorInfo error;
};

// ACK and NACK of `count` frames of operations, from `msg_serial` on.
struct AckReply {
  ConnectionHandle to = 0;
  int64_t msg_serial = 0;
  int64_t count = 1;
};
struct NackReply {
  ConnectionHandle to = 0;
  int64_t msg_serial = 0;
  int64_t count = 1;
  ErrorInfo error;
};

// An item of a frame that the host sends, filled in whole.
struct OutItem {
  PresenceAction action = PresenceAction::kPresent;
  Message message;
};

// SYNC: a page of a sync. The last one may be empty, and must be sent nevertheless: it ends the
// sync.
struct SyncPage {
  ConnectionHandle to = 0;
  std::string_view channel_serial;  // <sync id>:<cursor>; the last page's cursor is empty
  std::span<const OutItem> items;
};

// PRESENCE: one frame for all of `to`, so that it is encoded once. `to` is never empty.
struct Broadcast {
  std::span<const ConnectionHandle> to;
  std::span<const OutItem> items;
};

// A MemberEvent is no frame: it tells the server itself of a change of the set, at the moment of
// the change, whether or not its broadcast waits for a batch.
using HostEffect = std::variant<AttachedReply, DetachedReply, ErrorReply, AckReply, NackReply,
                                SyncPage, Broadcast, MemberEvent>;

// The ordered effects of one input, in a buffer that the caller owns and uses again: a step that
// fits what earlier steps needed allocates nothing. Of the memory that a large step needed, a Clear
// after a smaller one keeps at most 64 KiB, or as much again as that one used, whichever is more.
//
// The order within one input: the answer to a refused or repeated request; else member events as
// they arise, then for operations what of them is broadcast at once and the answer, for other
// inputs the answer, broadcasts, sync pages.
//
// All views hold until the host takes its next input or advances, and while this buffer lives.
class HostEffects {
 public:
  using const_iterator = std::vector<HostEffect>::const_iterator;

  HostEffects() = default;
  HostEffects(const HostEffects&) = delete;
  HostEffects& operator=(const HostEffects&) = delete;

  bool empty() const { return effects_.empty(); }
  size_t size() const { return effects_.size(); }
  const_iterator begin() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return effects_.begin(); }
  const_iterator end() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return effects_.end(); }
  const HostEffect& operator[](size_t i) const ABSL_ATTRIBUTE_LIFETIME_BOUND { return effects_[i]; }

  // --- For those who fill it ---

  void Clear() {
    size_t used = effects_.size() * sizeof(HostEffect);
    effects_.clear();
    used += strings_.Clear() + lists_.Clear();
    const size_t capacity =
        effects_.capacity() * sizeof(HostEffect) + strings_.capacity() + lists_.capacity();
    if (SparesTooMuch(capacity, used)) {
      std::vector<HostEffect>().swap(effects_);
      strings_ = {};
      lists_ = {};
    }
  }
  template <typename T>
  void Add(T&& effect) {
    effects_.emplace_back(std::forward<T>(effect));
  }
  // An empty string, and an empty list of items, that stay where they are until the next Clear.
  std::string& NewString() ABSL_ATTRIBUTE_LIFETIME_BOUND { return strings_.Fresh(); }
  std::vector<OutItem>& NewItems() ABSL_ATTRIBUTE_LIFETIME_BOUND { return lists_.Fresh(); }

 private:
  // Containers that are filled anew after each Clear, and meanwhile stay where they are.
  template <typename T>
  class Pool {
   public:
    T& Fresh() {
      if (used_ == all_.size()) all_.emplace_back();
      T& one = all_[used_++].container;
      one.clear();
      return one;
    }
    // Returns the bytes that were used. O(containers that were).
    size_t Clear() {
      size_t used = 0;
      for (; used_ > 0; --used_) {
        Entry& entry = all_[used_ - 1];
        const size_t bytes = entry.container.capacity() * sizeof(typename T::value_type);
        bytes_ += bytes - std::exchange(entry.bytes, bytes);
        used += sizeof(Entry) + entry.container.size() * sizeof(typename T::value_type);
      }
      return used;
    }
    // Bytes that it keeps, counted at the last Clear.
    size_t capacity() const { return bytes_ + all_.size() * sizeof(Entry); }

   private:
    struct Entry {
      T container;
      size_t bytes = 0;
    };
    std::deque<Entry> all_;  // a deque, so that views of what it holds stay good
    size_t used_ = 0;
    size_t bytes_ = 0;
  };

  std::vector<HostEffect> effects_;
  Pool<std::string> strings_;
  Pool<std::vector<OutItem>> lists_;
};

}  // namespace presence

#endif  // PRESENCE_HOST_HOST_EFFECTS_H_
