#ifndef PRESENCE_CLIENT_CHANNEL_H_
#define PRESENCE_CLIENT_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "presence/client/channel_input.h"
#include "presence/client/connection.h"
#include "presence/client/effects.h"
#include "presence/client/internal/operations.h"
#include "presence/client/internal/waiters.h"
#include "presence/client/own_members.h"
#include "presence/members/internal/sync_tracker.h"
#include "presence/members/member_set.h"

namespace presence {

// The client's side of the presence of one channel (a chat room), as a state machine: inputs in,
// effects out, no clock, no thread, no socket. Same inputs, same effects, byte for byte.
//
//   Channel channel{Channel::Options()};
//   Effects effects;
//   absl::Status status = channel.Apply(now, AttachedFrame{kFlagHasPresence}, effects);
//   for (const Effect& effect : effects) ...  // tell listeners, send frames
//
// The owner's duties: (1) hand in every frame of the channel, every change of the connection and
// every call, in the order in which they happen; (2) carry out the effects in their order, before
// the next input; (3) number the frames it sends and bring ACKs and NACKs back (see Outbox).
//
// One thread at a time; different channels on different threads freely. Not copyable or movable.
// Nothing calls back into the owner. The input's bytes must live until its effects are used up;
// what must last longer is copied here.
//
// Invariants, beyond those of MemberSet, Waiters and Operations:
//  1. A sync of ids runs exactly when a sync of members runs.
//  2. Detached or failed: nobody is visible, nobody of our own is remembered.
//  3. Gets wait nowhere but attaching, attached and detaching. Attached: each one that waits, waits
//     for a running sync.
//  4. Attached and connected: an operation is queued only while it does not fit in flight.
//  5. Operations are queued nowhere but attaching, attached and detaching.
//  6. An attach is wished for in detaching only, and not with the connection suspended, closed or
//     failed; who asked since the detach began waits where one is wished for only.
//  7. There are at most max_members members, own members, and subscriptions.
class Channel {
 public:
  struct Options {
    // get without the mode PRESENCE_SUBSCRIBE: an error, instead of a diagnostic (RTP11f).
    bool strict_mode = false;
    // Operations asked for while attaching or disconnected are queued, instead of refused (RTP16b).
    bool queue_messages = true;
    // subscribe asks for an attach (RTP6d, RTP6e).
    bool attach_on_subscribe = true;
    // The largest operation, in bytes, unless the connection names a limit.
    int64_t max_message_size = 65536;
    // Operations and gets that wait, and operations sent and not yet acknowledged, at most; more
    // are refused with 42910. A new connection puts what is in flight back into the queue, whatever
    // waits there.
    size_t max_queued = 1000;
    size_t max_in_flight = 1000;
    // The same in bytes: of an operation its client id, if it names one, data as sent, encoding and
    // extras; of a get its filters. An operation alone may be in flight, however large.
    size_t max_queued_bytes = size_t{8} << 20;
    size_t max_in_flight_bytes = size_t{8} << 20;
    // Who left during a sync and must not come back by a late page: so many at most, and so many
    // bytes of their connection and client ids.
    size_t max_tombstones = 100'000;
    size_t max_tombstone_bytes = size_t{16} << 20;
    // Members, own members and subscriptions, of each at most; none unless set. An item that would
    // be one too many is malformed, a subscribe fails with 42910 and is not registered, and who was
    // entered beyond it is not remembered to be entered again.
    size_t max_members = SIZE_MAX;
  };

  // Counts since the channel was made. items = accepted + stale + malformed + ignored.
  struct Stats {
    uint64_t frames = 0;          // frames of the channel, of every kind
    uint64_t frames_ignored = 0;  // of these: of no use, or in a state that does not take them
    uint64_t items = 0;           // items of the PRESENCE and SYNC frames that were applied
    uint64_t accepted = 0;
    uint64_t stale = 0;                     // dropped as not newer
    uint64_t malformed = 0;                 // skipped with a diagnostic
    uint64_t ignored = 0;                   // ABSENT, unknown actions, LEAVE of nobody
    uint64_t events[kEventTypeCount] = {};  // by EventType
    uint64_t syncs_started = 0;
    uint64_t syncs_completed = 0;
    uint64_t syncs_discarded = 0;
    uint64_t synthesized_leaves = 0;  // made here: swept, or ATTACHED said empty
  };

  struct Subscription {
    SubscriptionId id = 0;
    EventMask events = kAllEvents;
  };

  enum class SyncState : uint8_t {
    kNone,        // no sync yet, or none since detached or failed
    kInProgress,  // one is running
    kComplete,    // one has completed (RTP13)
  };

  // `connection` is the owner's as it is now, to be told of its changes from here on, so that both
  // know the same last id; as it is by default, if the owner has none yet.
  explicit Channel(const Options& options, const Connection& connection = Connection());
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // --- Inputs ---

  // Takes one input and puts its effects into `effects`, whose old content is dropped. Time never
  // goes back: an earlier `now` counts as the latest one seen. An error means that the input makes
  // no sense (InvalidArgument: a value outside its set; NotFound: an unknown token); nothing has
  // changed, there are no effects, and the caller's code is what needs mending.
  [[nodiscard]] absl::Status Apply(Timestamp now, const ChannelInput& input, Effects& effects);

  // Does what is due by `now`. A channel has no deadline of its own today, so this only lets time
  // pass; it is here so that one owner's loop drives channels and hosts alike. Calling early, late
  // or twice is harmless.
  void AdvanceTo(Timestamp now, Effects& effects);
  // When to call AdvanceTo next; nullopt: never.
  std::optional<Timestamp> NextDeadline() const { return std::nullopt; }

  // --- Reads ---

  const Options& options() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return options_; }
  ChannelState state() const { return state_; }
  SyncState sync_state() const;
  // The id of the running sync; empty if it has none, its first page has not come yet, or none
  // runs. Holds until the next input.
  std::string_view sync_id() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return sync_.id(); }
  bool sync_complete() const { return sync_state() == SyncState::kComplete; }  // RTP13
  const MemberSet& members() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return members_; }
  const OwnMembers& own_members() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return own_members_; }
  const Connection& connection() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return connection_; }
  const Stats& stats() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return stats_; }
  // In the order subscribed. Whoever delivers an event gives it to those whose mask has its type.
  const std::vector<Subscription>& subscriptions() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return subscriptions_;
  }
  size_t queued_operations() const { return operations_.queued(); }
  size_t operations_in_flight() const { return operations_.in_flight(); }
  // In bytes, as max_queued_bytes and max_in_flight_bytes count; the gets that wait are among the
  // queued ones.
  size_t queued_bytes() const { return operations_.queued_bytes() + waiters_.bytes(); }
  size_t bytes_in_flight() const { return operations_.in_flight_bytes(); }
  size_t waiting_gets() const { return waiters_.size(); }
  // What was sent under `token` and is not acknowledged yet, to be sent again unchanged (RTN19a).
  // Its views hold until the next input.
  std::optional<OutgoingItem> Unacknowledged(OperationToken token) const
      ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // The first invariant that does not hold, in words; empty if all hold. O(members).
  std::string CheckInvariants() const;
  // The same but for those that members() states of itself, for who asks it where it has changed.
  // O(own members + what waits).
  std::string CheckOwnInvariants() const;

 private:
  friend struct ChannelTestPeer;

  // channel.cc: frames, states, the connection.
  void On(const AttachedFrame& frame);
  void On(const DetachedFrame& frame);
  void On(const ErrorFrame& frame);
  void On(const PresenceFrame& frame);
  void On(const SyncFrame& frame);
  void On(const OtherFrame& frame);
  void On(const OwnerMove& move);
  void On(const ConnectionUpdate& update);
  // channel_calls.cc: calls and their answers.
  void On(const OperationsAcked& acked);
  void On(const OperationsNacked& nacked);
  void On(const GetCall& call);
  void On(const IsUserPresentCall& call);
  void On(const SubscribeCall& call);
  void On(const UnsubscribeCall& call);
  void On(const OperationCall& call);

  // Everything that can be wrong with an input, before anything changes; most kinds are never
  // wrong.
  template <typename Input>
  absl::Status Validate(const Input&) const {
    return absl::OkStatus();
  }
  absl::Status Validate(const OwnerMove& move) const;
  absl::Status Validate(const ConnectionUpdate& update) const;
  absl::Status Validate(const OperationCall& call) const;
  absl::Status Validate(const OperationsAcked& acked) const;
  absl::Status Validate(const OperationsNacked& nacked) const;
  absl::Status ValidateTokens(std::span<const AcknowledgedOperation> operations) const;

  bool TakesItems() const;
  void ApplyItems(const PresenceFrame& frame, std::string_view kind);
  std::string_view ApplyItem(const PresenceFrame& frame, size_t index);
  void Judge(size_t index, const IncomingItem& item, const Message& message,
             const MemberSet::Outcome* outcome, std::string_view malformed);
  bool IsOneTooMany(const Message& message) const;
  void Emit(const MemberEvent& event);
  void Count(const MemberEvent& event);
  void EmitSync(SyncChanged::Phase phase, std::string_view sync_id);
  void Diagnose(std::string_view text);
  void DiscardSync();
  void CompleteSync();

  void SetState(ChannelState state, const SharedError& reason);
  void BecomeAttaching(const SharedError& reason);
  void BecomeDetached(const SharedError& reason);
  void GiveUpDetach(const SharedError& reason);
  void BecomeSuspended(const SharedError& reason);
  void BecomeFailed(const SharedError& reason);
  void ClearSets();

  SharedError AttachRefusal() const;
  bool WishForAttach();
  void Ask(Waiters::Waiter waiter);
  void Answer(std::span<const Waiters::Waiter> waiters);
  void ListMembers(const Waiters::Waiter& filter, CallResult& result);
  void AnswerWaiters();
  void FailWaiters(const std::vector<Waiters::Waiter>& waiters, const SharedError& reason);
  void Reply(RequestId request, CallResult::Kind kind, const SharedError& error);

  SharedError Refusal(const OperationCall& call) const;
  SharedError StateRefusal(const OperationCall& call) const;
  bool HasRoomInQueue(size_t bytes) const;
  std::string_view ClientOf(const Operations::Operation& operation) const;
  void FailOperation(const Operations::Operation& operation, const SharedError& reason);
  void FailQueue(ChannelState state, const SharedError& reason);
  void FailInFlight();
  void SendQueued();
  void Reenter(const Message& own);
  void ReenterAll();
  void ReenterAnswered(std::span<const std::string> clients);
  static OutgoingItem ItemOf(const Operations::Operation& operation);
  static OutgoingItem ItemOf(const Operations::Reentry& reentry);

  const Options options_;
  Timestamp now_ = Timestamp::min();
  Effects* effects_ = nullptr;  // the caller's, during Apply

  ChannelState state_ = ChannelState::kInitialized;
  SharedError state_reason_;               // why the channel is suspended
  bool wishes_attach_ = false;             // detaching only: attach again once detached (RTL4h)
  bool lacks_presence_subscribe_ = false;  // ATTACHED named modes, and not this one
  Connection connection_;

  SyncTracker sync_;
  bool sync_completed_ = false;
  MemberSet members_;
  OwnMembers own_members_;

  std::vector<Subscription> subscriptions_;
  Waiters waiters_;
  Operations operations_;

  Stats stats_;
};

}  // namespace presence

#endif  // PRESENCE_CLIENT_CHANNEL_H_
