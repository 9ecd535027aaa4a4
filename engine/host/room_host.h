#ifndef PRESENCE_HOST_ROOM_HOST_H_
#define PRESENCE_HOST_ROOM_HOST_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/error.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/internal/host_connection.h"
#include "presence/host/snapshot.h"
#include "presence/members/internal/stored_message.h"
#include "presence/members/member_set.h"
#include "presence/message.h"

namespace presence {

// The authority on who is in one room, as a server embeds it: a state machine without clock, thread
// or socket. Same inputs, same effects, byte for byte, so that a log of inputs in front of several
// hosts makes them replicas.
//
//   RoomHost host{{.instance = "n7-2026-01-17"}};
//   HostEffects effects;
//   absl::Status status = host.Apply(now, AttachRequest{.connection = 1}, effects);
//   for (const HostEffect& effect : effects) ...  // send frames
//
// The owner's duties: (1) hand in what happens to connections and what they ask, in the order in
// which it happens; (2) carry out the effects in their order, before the next input; frames to one
// connection must arrive in the order sent, or not at all after a loss; (3) call AdvanceTo when
// NextDeadline says so; (4) decide on permissions, and on ids of connections.
//
// Time: an earlier `now` counts as the latest one seen, so timestamps of members never decrease.
// Apply does its input and nothing that is due; AdvanceTo does what is due and nothing else. So an
// input and a deadline at the same instant happen in the order in which the owner calls, except
// that a resume is refused from the very instant at which the grace period is over.
//
// One thread at a time; different hosts on different threads freely. Not copyable or movable.
// Nothing calls back into the owner.
//
// Costs: an operation O(1), and O(attached connections) for whom it is sent to; n of them in one
// batch, for those who are sent their own only, O(n log n) together; a page O(page); an attach
// O(page); a connection's end O(its members). What was kept for those who have left is given
// back: beyond its MemberSet a host keeps at most 64 KiB or as much again as it uses, whichever is
// more, and what the latest effects view until the next input.
//
// Invariants, beyond those of MemberSet (CheckInvariants verifies all):
//  1. Every member is of a connection that is open, lost ones included.
//  2. Every member's id is connectionId:msgSerial:index, of a serial that was taken, its timestamp
//     not later than the latest time seen.
//  3. Who is attached is not lost, and listed in the order of attaching; who is lost, in that of
//     deadlines.
//  4. A sync runs only for a connection attached with PRESENCE_SUBSCRIBE, and has a page to send.
//  5. A batch has a time exactly while items are pending.
//  6. Refusals remembered are of serials taken, ascending; the bytes of their texts are counted
//     right.
//  7. The bytes that members hold are counted right.
//  8. Each connection is found by its handle and by its id. Only who is not attached was attached.
class RoomHost {
 public:
  // The longest connection id, and the longest client id of a connection, in bytes.
  static constexpr size_t kMaxConnectionId = 4096;
  static constexpr size_t kMaxIdentity = 4096;

  // Zero where something must be at least one counts as one, negative as zero.
  struct Options {
    // Names this life of the host: ids of syncs and of synthesized leaves begin with it. Two lives
    // of one room need two names, unless the second is restored from the first. Real clients read
    // ids of letters, digits, `_` and `-` only, so anything else becomes an underscore.
    std::string instance = "host";
    // Members on one page of a sync, and bytes of their ids and payloads. A page has at least one
    // member, however large.
    size_t sync_page_size = 100;
    size_t sync_page_bytes = size_t{256} << 10;
    // Between two pages to one connection, of one sync or of two.
    std::chrono::milliseconds sync_page_interval{0};
    // How long the members of a lost connection stay.
    std::chrono::milliseconds grace_period{15000};
    // Members of the room, and bytes of their ids and payloads; an operation that would make them
    // more is refused with 91003.
    size_t max_members = 100'000;
    size_t max_member_bytes = size_t{1} << 30;
    // Of the items of one frame together, in bytes as OperationSize counts them, and, whatever that
    // makes of them, twice as much and 1 KiB in bytes as they came: ids, data, encodings, extras;
    // beyond: 40009. At most 2^28.
    int64_t max_message_size = 65536;
    // Items of one connection that are taken and not yet broadcast, and so items of one frame;
    // beyond: 42910.
    size_t max_in_flight = 1000;
    // How long an operation waits for others before all are broadcast together; 0: not at all.
    // Operations are acknowledged at once in any case.
    std::chrono::milliseconds batch_interval{0};
    // Items of one broadcast; so many pending ones are broadcast before their time. Items that came
    // in one frame are broadcast in one, so that a large frame makes a larger one alone.
    size_t max_batch = 100;
    // Refused operations of one connection that are remembered, so that they are refused again when
    // sent again. Beyond, the oldest is forgotten, and would be acknowledged. A client sends again
    // only what was not answered, so as many as it may have in flight are enough. And bytes of
    // their texts, causes included; the latest is remembered however long it is.
    size_t max_remembered_refusals = 1000;
    size_t max_remembered_refusal_bytes = size_t{64} << 10;
  };

  // Counts since the host was made; a restored one begins at 0 again.
  struct Stats {
    uint64_t operations = 0;                // items taken, applied or not
    uint64_t frames_acked = 0;              // of operations, those sent again not counted
    uint64_t frames_refused = 0;            // NACKs, those given again not counted
    uint64_t frames_repeated = 0;           // sent again, answered again, not applied
    uint64_t events[kEventTypeCount] = {};  // changes of the set, by EventType
    uint64_t synthesized_leaves = 0;        // of these, those that no operation asked for
    uint64_t broadcasts = 0;                // frames, each for any number of connections
    uint64_t syncs_started = 0;
    uint64_t syncs_completed = 0;  // the last page sent
    uint64_t pages = 0;
    uint64_t connections_expired = 0;  // grace periods that ended
  };

  explicit RoomHost(const Options& options);
  RoomHost() : RoomHost(Options()) {}
  RoomHost(const RoomHost&) = delete;
  RoomHost& operator=(const RoomHost&) = delete;

  // --- Inputs ---

  // Takes one input and puts its effects into `effects`, whose old content is dropped. An error
  // means that the input makes no sense here; nothing has changed, time included, and there are no
  // effects. NotFound: the connection is not known; if a client is behind it, close its transport
  // or give it a new connection. InvalidArgument: the caller's code is what needs mending. What a
  // client does wrong is no error but answered with NACK.
  [[nodiscard]] absl::Status Apply(Timestamp now, const HostInput& input, HostEffects& effects);

  // Does what is due by `now`: members of connections whose grace period is over leave, a batch is
  // broadcast, each running sync whose time has come sends one page. Calling early, late or twice
  // is harmless.
  void AdvanceTo(Timestamp now, HostEffects& effects);
  // When to call AdvanceTo next, perhaps in the past: then at once; nullopt: no need.
  std::optional<Timestamp> NextDeadline() const;

  // --- Export and restore ---

  // Everything that determines later behaviour, options aside. O(members + connections).
  RoomSnapshot Export() const;
  // A host that goes on where the exported one was: with the same options, the same inputs have the
  // same effects. Who restores after a crash hands in ConnectionLost for all connections whose
  // transports are gone. InvalidArgument: the snapshot contradicts itself, and says how.
  static absl::StatusOr<std::unique_ptr<RoomHost>> Restore(const Options& options,
                                                           const RoomSnapshot& snapshot);

  // --- Reads ---

  const Options& options() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return options_; }
  // Who is present, by the messages as they are broadcast.
  const MemberSet& members() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return members_; }
  size_t size() const { return members_.size(); }
  size_t client_count() const { return members_.client_count(); }
  // Bytes of the members' ids and payloads.
  size_t member_bytes() const { return member_bytes_; }
  // Connections that are known, lost ones included, and those that are attached.
  size_t connection_count() const { return connections_.size(); }
  size_t attached_count() const { return attached_.size(); }
  bool Knows(ConnectionHandle connection) const { return Find(connection) != nullptr; }
  bool IsAttached(ConnectionHandle connection) const;
  // Syncs that have a page to send, paused ones too, and items that are not broadcast yet.
  size_t running_syncs() const { return syncs_; }
  size_t pending_items() const { return flushed_ ? 0 : pending_used_; }
  // The latest time seen.
  Timestamp room_time() const { return now_; }
  const Stats& stats() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return stats_; }

  // The first invariant that does not hold, in words; empty if all hold. O(members + connections).
  std::string CheckInvariants() const;

 private:
  friend struct RoomHostTestPeer;

  // Of connections, by their handles, and by their ids.
  struct ByHandle {
    using is_transparent = void;
    static ConnectionHandle HandleOf(ConnectionHandle handle) { return handle; }
    static ConnectionHandle HandleOf(const HostConnection::Owned& one) { return one->handle; }
    template <typename T>
    size_t operator()(const T& one) const {
      return HashOfHandle(HandleOf(one));
    }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return HandleOf(a) == HandleOf(b);
    }
  };
  struct ById {
    using is_transparent = void;
    static std::string_view IdOf(std::string_view id) { return id; }
    static std::string_view IdOf(const HostConnection* connection) { return connection->id(); }
    template <typename T>
    size_t operator()(const T& one) const {
      return HashOfId(IdOf(one));
    }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return IdOf(a) == IdOf(b);
    }
  };
  static size_t HashOfHandle(ConnectionHandle handle);
  static size_t HashOfId(std::string_view id);

  struct Pending {
    OutItem out() const { return {action, message.view()}; }

    PresenceAction action = PresenceAction::kEnter;
    bool ends_frame = false;  // it is the last one of those that came together
    StoredMessage message;
    size_t kept = 0;  // the most bytes that `message` has held
  };
  // Of deadlines: what is due at the same time keeps its order.
  using DueKey = std::pair<Timestamp, uint64_t>;

  void On(const ConnectionOpened& opened);
  void On(const ConnectionLost& lost);
  void On(const ConnectionResumed& resumed);
  void On(const ConnectionClosed& closed);
  void On(const PagesPaused& paused);
  void On(const AttachRequest& request);
  void On(const DetachRequest& request);
  void On(const PresenceRequest& request);
  void On(const SyncRequest& request);

  absl::Status Validate(Timestamp now, const HostInput& input) const;
  void Begin(Timestamp now, HostEffects& effects);
  HostConnection* Find(ConnectionHandle connection) const;
  HostConnection* FindById(std::string_view connection_id) const;
  void Keep(HostConnection::Owned connection);
  static const char* WrongInId(std::string_view id);
  Timestamp After(std::chrono::milliseconds interval) const;
  static Timestamp JustAfter(Timestamp time);

  void Attach(HostConnection& connection, uint64_t modes);
  void Detach(HostConnection& connection);
  void RecipientsChanged();
  void StartSync(HostConnection& connection, bool in_turn);
  void EndSync(HostConnection& connection);
  void SchedulePages(HostConnection& connection);
  void UnschedulePages(const HostConnection& connection);
  void SendPage(HostConnection& connection);
  void Expel(const HostConnection& connection);
  void ExpelAttachable(const HostConnection& connection);
  void Forget(HostConnection& connection);

  static bool IsOperation(std::optional<int64_t> action);
  static size_t BytesOf(const Message& message);
  static size_t BytesOf(const Payload& payload);
  std::optional<ErrorInfo> Refusal(const HostConnection& connection,
                                   const PresenceRequest& request) const;
  bool FitsTheRoom(const HostConnection& connection, const PresenceRequest& request) const;
  void ApplyItem(HostConnection& connection, const PresenceRequest& request, size_t index);
  Message LeaveBefore(const HostConnection& connection, const Message& member, uint64_t joined,
                      std::string& id) const;
  const HostConnection* DoneAgain(const Message& member) const;
  size_t InFlight(const HostConnection& connection) const;
  Pending& AddPending(PresenceAction action, const Message& message);
  void ApplyPending(const Pending& pending);
  void BroadcastIfDue(bool advancing);
  size_t EndOfBroadcast(size_t begin) const;
  void BroadcastOwn(size_t begin, size_t end);
  std::string Load(const RoomSnapshot& snapshot);

  const Options options_;
  Timestamp now_ = Timestamp::min();
  HostEffects* effects_ = nullptr;  // the caller's, during a step

  MemberSet members_;
  size_t member_bytes_ = 0;  // of their ids and payloads
  absl::flat_hash_set<HostConnection::Owned, ByHandle, ByHandle> connections_;
  absl::flat_hash_set<HostConnection*, ById, ById> by_id_;  // the same
  size_t done_again_ = 0;  // connections of which operations were done again
  AttachedList attached_;
  std::map<DueKey, HostConnection*> graces_;  // of the lost, by deadline and order
  std::map<DueKey, HostConnection*> pages_;   // of syncs not paused, by time and order of attaching
  size_t syncs_ = 0;                          // that run, paused ones too

  // The connections that may see presence, in the order of attaching; made anew when needed.
  std::vector<ConnectionHandle> recipients_;
  bool recipients_stale_ = false;

  // Items taken and not yet broadcast, or, if flushed, of the last step's broadcast, whose views
  // are still in use. They stay where they are, and are used again.
  std::vector<std::unique_ptr<Pending>> pending_;
  size_t pending_used_ = 0;
  size_t pending_kept_ = 0;  // bytes of all its messages, used or not
  bool flushed_ = false;
  std::optional<Timestamp> batch_due_;
  bool hurry_ = false;  // during a step: the batch is broadcast at its end
  uint64_t batch_ = 1;  // counts batches; not part of what is exported

  uint64_t last_sync_ = 0;
  uint64_t last_leave_ = 0;
  uint64_t last_order_ = 0;

  Stats stats_;
};

}  // namespace presence

#endif  // PRESENCE_HOST_ROOM_HOST_H_
