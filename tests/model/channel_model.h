#ifndef TESTS_MODEL_CHANNEL_MODEL_H_
#define TESTS_MODEL_CHANNEL_MODEL_H_

// A second implementation of one channel, written from the rules and not from the engine: lists and
// scans, no index, nothing clever, nothing fast. It takes the same inputs and says what the engine
// should have said, so that every rule is written down twice.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/owned_message.h"
#include "tests/model/lines.h"

namespace presence {

class ChannelModel {
 public:
  struct Options {
    bool strict_mode = false;
    bool queue_messages = true;
    bool attach_on_subscribe = true;
    int64_t max_message_size = 65536;
    size_t max_queued = 1000;
    size_t max_in_flight = 1000;
    size_t max_queued_bytes = size_t{8} << 20;
    size_t max_in_flight_bytes = size_t{8} << 20;
    size_t max_tombstones = 100'000;
    size_t max_tombstone_bytes = 16'777'216;
    size_t max_members = SIZE_MAX;
  };

  // How often something rare happened, to see that the generators reach it.
  struct Marks {
    uint64_t leave_inside_sync = 0;
    uint64_t sync_restarted = 0;
    uint64_t tombstone_hit_by_stale_page = 0;
    uint64_t synthesized_leave_with_equal_timestamp = 0;
    uint64_t reentry_with_new_id = 0;
    uint64_t reentered_once_answered = 0;
  };

  explicit ChannelModel(const Options& options) : options_(options) {}

  // The effects, line by line; nullopt if the input makes no sense and is refused.
  std::optional<Lines> Apply(Timestamp now, const ChannelInput& input);

  // Its views hold until the next input.
  Snapshot snapshot() const;
  const Marks& marks() const { return marks_; }
  std::optional<OutgoingItem> Unacknowledged(OperationToken token) const;

 private:
  using Reason = std::optional<ErrorInfo>;

  // Places in Snapshot::stats.
  enum Stat : size_t {
    kFrames,
    kFramesIgnored,
    kItems,
    kAccepted,
    kStale,
    kMalformed,
    kIgnored,
    kEventCounts,
    kSyncsStarted = kEventCounts + kEventTypeCount,
    kSyncsCompleted,
    kSyncsDiscarded,
    kSynthesizedLeaves,
  };

  struct Member {
    OwnedMessage message;
    bool seen = false;  // in the running sync
  };
  struct Waiter {
    RequestId request = 0;
    CallResult::Kind kind = CallResult::Kind::kMembers;
    std::string client_id;
    std::string connection_id;
    bool wait_for_sync = true;
    bool waits_for_sync = false;
    bool asked_in_detaching = false;
  };
  struct Operation {
    OperationToken token = 0;
    RequestId request = 0;
    PresenceAction action = PresenceAction::kEnter;
    std::optional<std::string> client_id;
    OwnedMessage message;  // the payload
  };
  struct Reentry {
    OperationToken token = 0;
    OwnedMessage message;
    bool attached_since = false;  // attached anew after it was sent
  };

  // The effects of one input, by the part of the order they belong to.
  struct Out {
    Lines states, discarded, cleared, started, events, completed, waiters, operations, attach,
        reentries, sends, updates;
  };

  bool IsRefused(const ChannelInput& input) const;
  static ErrorInfo Error(ErrorCode code, const Reason& cause = std::nullopt);

  void On(const AttachedFrame& frame);
  void On(const DetachedFrame& frame);
  void On(const ErrorFrame& frame);
  void On(const PresenceFrame& frame);
  void On(const SyncFrame& frame);
  void On(const OtherFrame& frame);
  void On(const OwnerMove& move);
  void On(const ConnectionUpdate& update);
  void On(const OperationsAcked& acked);
  void On(const OperationsNacked& nacked);
  void On(const GetCall& call);
  void On(const IsUserPresentCall& call);
  void On(const SubscribeCall& call);
  void On(const UnsubscribeCall& call);
  void On(const OperationCall& call);

  // Members.
  bool TakesItems() const;
  bool IsFullFor(const Message& message) const;
  void ApplyItems(const PresenceFrame& frame, bool is_page);
  bool ApplyPresent(EventType type, const Message& item, bool is_page);
  void ApplyLeave(const Message& item);
  void ApplyOwn(PresenceAction action, const Message& item, bool is_acknowledged);
  void Emit(EventType type, LeaveReason reason, const Message& message);
  void RemoveUnless(bool keep_seen, LeaveReason reason);
  void BuryLeave(const Message& item);
  void StartSync(const std::string& id);
  void DiscardSync();
  void EndSync();

  // States.
  void SetState(ChannelState state, const Reason& reason);
  void BecomeAttaching(const Reason& reason);
  void BecomeDetached(const Reason& reason);
  void BecomeSuspended(const Reason& reason);
  void BecomeFailed(const Reason& reason);
  void ClearSets();
  bool ConnectionDown() const;
  bool Connected() const { return connection_state_ == ConnectionState::kConnected; }
  ErrorInfo ConnectionReason() const;

  // Calls.
  void AskForAttach();
  void Ask(Waiter waiter);
  void Answer(const Waiter& waiter);
  void AnswerWaiters();
  void FailWaiters(const Reason& reason, bool spare_asked_in_detaching);
  void Reply(Lines& lines, RequestId request, CallResult::Kind kind, const Reason& error);
  static size_t BytesOf(const Operation& operation);
  size_t QueuedBytes() const;
  bool FitsInFlight(size_t bytes) const;
  Reason Refusal(const OperationCall& call, bool& because_of_state) const;
  std::string ClientOf(const std::optional<std::string>& named) const;
  void Forget(const std::string& client_id);
  void FailOperation(const Operation& operation, const ErrorInfo& reason);
  void FailQueue(const Reason& reason);
  void FailInFlight(const ErrorInfo& reason);
  void SendQueued();
  void Reenter();
  void ReenterOne(const std::string& client_id);
  static OutgoingItem ItemOf(const Operation& operation);
  static OutgoingItem ItemOf(const Reentry& reentry);

  const Options options_;
  Out out_;
  Marks marks_;
  Timestamp now_ = Timestamp::min();

  ChannelState state_ = ChannelState::kInitialized;
  Reason state_reason_;
  bool wishes_attach_ = false;
  bool lacks_presence_subscribe_ = false;

  ConnectionState connection_state_ = ConnectionState::kConnected;
  std::string connection_id_;
  std::string last_connected_id_;
  std::optional<std::string> identity_;  // as the connection said it, "*" and "" included
  std::optional<std::string> last_connected_identity_;
  std::optional<int64_t> max_message_size_;
  Reason connection_reason_;

  std::vector<Member> members_;           // in joining order
  std::vector<OwnedMessage> tombstones_;  // the oldest first
  std::vector<OwnedMessage> own_;         // in joining order
  bool syncing_ = false;
  bool sync_completed_ = false;
  std::string sync_id_;
  std::string last_completed_id_;
  std::string last_discarded_id_;

  std::vector<std::pair<SubscriptionId, EventMask>> subscriptions_;
  std::vector<Waiter> waiters_;
  std::vector<Operation> queue_;
  std::vector<Operation> in_flight_;
  std::vector<Reentry> reentries_;
  OperationToken next_token_ = 1;

  uint64_t tombstones_evicted_ = 0;
  std::array<uint64_t, 15> stats_{};  // as Snapshot::stats
};

}  // namespace presence

#endif  // TESTS_MODEL_CHANNEL_MODEL_H_
