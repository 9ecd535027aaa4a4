#ifndef SIM_WORLD_WORLD_CHECKER_H_
#define SIM_WORLD_WORLD_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/owned_message.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "sim/replay/replay_checker.h"
#include "sim/world/bounds.h"
#include "sim/world/plan.h"

namespace presence::sim {

// What a WorldChecker has found wrong.
struct WorldViolation {
  std::string invariant;
  std::string what;
  uint32_t client = 0;  // whose trace shows it
  uint32_t room = 0;
  // What the client should have come to, and has not, where that is what is wrong; kAttachments:
  // calls to attach or detach are answered otherwise than once.
  enum class Missing : uint8_t { kNothing, kMembers, kSettled, kAttachments };
  Missing missing = Missing::kNothing;
};

// Watches a world from outside, with its own history of what was told, asked and answered:
//
//   of each client alone   what ReplayChecker checks (fold, leave, connections, monotonic, sync,
//                          answer, once, bounded, engine)
//   delivery     no event for a listener after its unsubscribe
//   agreement    a client that is attached, in sync and has nothing on its way to it sees exactly
//                the host's members (with datagrams, or clocks that disagree: once a sync has
//                completed undisturbed)
//   serials      a connection's presence frames count from 0, without a gap (RTN7b) unless
//                something failed with the connection that was never sent
//   attachment   every attach and every detach is answered once
//   session      the invariants that a session states of itself
//   room         of users who go through rooms, what RoomDeliveries checks
//   waiting      a get that waits for the sync is not answered while one is running
//   host         the host's members are what its events said, in the order in which they joined
//   intent       once all is quiet, whoever last asked to be present and was acknowledged is, with
//                that data; whoever asked to leave, or is gone, is not
//   liveness     once all is quiet, every call is answered and every client agrees
class WorldChecker {
 public:
  using Violation = WorldViolation;

  // Counts the bounds of clients that are reached. Both must outlive the checker.
  WorldChecker(const Plan& plan, BoundCounts& bounds);
  WorldChecker(const WorldChecker&) = delete;
  WorldChecker& operator=(const WorldChecker&) = delete;
  ~WorldChecker();

  // --- What happens, told by the world ---

  // A client's engine was given `input`.
  void OnApply(uint32_t client, uint32_t room, Timestamp now, const ChannelInput& input,
               const Effects& effects, const Channel& channel);
  // An event was delivered to a listener; a listener was unsubscribed.
  void OnDelivered(uint32_t client, SubscriptionId to);
  void OnUnsubscribed(uint32_t client, SubscriptionId subscription);
  // A user asks for something: an operation, or to be told who is there once the sync is over; is
  // answered; has a connection.
  void OnOperation(uint32_t client, uint32_t room, RequestId request, PresenceAction action,
                   std::string_view member, const Payload& payload, std::string_view connection_id);
  void OnWaitForSync(uint32_t client, RequestId request) { waits_[client].insert(request); }
  void OnResult(uint32_t client, uint32_t room, const CallResult& result, const Channel& channel);
  void OnConnected(uint32_t client, std::string_view connection_id);
  // The connection is lost, and what was in flight may have failed.
  void OnLost(uint32_t client) { gaps_are_legal_[client] = true; }
  // A user attaches or detaches; the connection is closed or failed; a call is answered.
  // `by_server`: the server has seen to it. The request 0 is of a room that was released: nobody
  // waits for the answer.
  void OnAttach(uint32_t client, uint32_t room, RequestId request);
  void OnDetach(uint32_t client, uint32_t room, RequestId request);
  void OnClosed(uint32_t client, uint32_t room, const Channel& channel);
  void OnAttachmentResult(uint32_t client, const AttachmentResult& result, bool by_server);
  void CheckSession(uint32_t client, const ClientSession& session);
  // What a room or its client did is checked; is wrong.
  void CountRoomCheck() { ++checks_; }
  void FailRoom(uint32_t client, uint32_t room, std::string what) {
    Fail("room", client, room, std::move(what));
  }

  // The host said that a member came, changed or went; forgot a room; said ATTACHED to a client.
  void OnHostEvent(uint32_t room, const MemberEvent& event);
  void OnHostForgot(uint32_t room);
  void OnSyncIssued(uint32_t client, uint32_t room, bool clean);
  // What the client gets is not what an ordered stream would bring, or what clocks that agree
  // would.
  void OnDisturbed(uint32_t client);

  // --- Moments to look ---

  // Whether agreement is due now, and has not been seen to since something changed.
  bool IsToAgree(uint32_t client, uint32_t room, const Channel& channel) const;
  // Nothing is on its way to the client, and the host holds nothing back.
  void CheckAgreement(uint32_t client, uint32_t room, const Channel& channel);
  // A client's presence frame arrives, and `expected` is the serial that has not been used yet.
  void CheckSerial(uint32_t client, uint32_t room, int64_t expected, int64_t serial);
  // `members` are the host's own.
  void CheckHost(uint32_t room, const MemberSet& members);
  // Whether the client, which has a connection, waits for nothing in the room.
  void CheckSettled(uint32_t client, uint32_t room, const Channel& channel);
  // Things go on happening for too long.
  void FailLiveness(std::string_view what) { Fail("liveness", 0, 0, std::string(what)); }
  // All is quiet. `connected`: the client has a connection, under this id.
  void CheckQuiet(uint32_t client, uint32_t room, const Channel& channel, bool connected,
                  const std::string& connection_id);
  // All is quiet: nobody else is in the room than who has asked to be. `connection_ids` are those
  // that the clients have, by client: empty: none; nullopt: it is too early to say. `witness` is a
  // client that sees who is there, if there is one: what is wrong is its violation.
  void CheckRoomQuiet(uint32_t room, std::span<const std::optional<std::string>> connection_ids,
                      std::optional<uint32_t> witness);

  // Calls of the client in all its rooms that are not answered yet.
  size_t unanswered(uint32_t client) const;
  // Whether the client needs a sync that nothing disturbs to know who is there.
  bool IsDisturbed(uint32_t client, uint32_t room) { return SeatOf(client, room).disturbed; }
  // The first violation, if there was one; nothing is checked after it.
  const std::optional<Violation>& violation() const { return violation_; }
  // The client's calls to attach and detach in the room and what came of them, in order, as a check
  // line lists them (sim/trace/room_entry.h).
  JsonArray attachments(uint32_t client, uint32_t room) const;
  // The room's members as the host has told them. The views hold until the next call.
  std::vector<Message> members(uint32_t room) const;
  // Looks so far.
  uint64_t checks() const { return checks_; }

 private:
  using Key = std::pair<std::string, std::string>;  // connection id, client id
  using KeyView = std::pair<std::string_view, std::string_view>;
  // So that a key is looked up without being copied.
  struct KeyLess {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a < b; }
  };
  using Members = std::map<Key, OwnedMessage, KeyLess>;

  // What a client asked of its presence under one client id.
  struct Intent {
    bool present = false;   // else: absent
    RequestId request = 0;  // of the call
    bool answered = false;
    bool failed = false;
    bool uncertain = false;     // the room was left since, and perhaps not for good
    std::string connection_id;  // when it was asked
    OwnedMessage message;       // with the payload asked for
  };
  // A call to attach or to detach.
  struct Attachment {
    AttachmentResult::Kind kind = AttachmentResult::Kind::kAttach;
    uint32_t room = 0;
  };
  struct AttachmentNote {
    Attachment of;
    bool is_answer = false;  // else: it was asked for
    bool failed = false;
  };
  struct Seat {  // a client in a room
    ReplayChecker alone;
    bool disturbed = false;
    bool clean_since_attached = true;
    uint64_t changes = 0;  // of its set
    uint64_t agreed_host_changes = UINT64_MAX;
    uint64_t agreed_changes = UINT64_MAX;
    std::map<std::string, Intent> intents;  // by client id
    bool reentry_refused = false;
    bool is_limited = false;  // it has not taken in somebody, as there were too many
    uint64_t tombstones_evicted = 0;
    // Since the last sync began its bounds have kept it from seeing what is.
    bool is_short = false;
    // The latest sync was discarded, or follows such a one: pages of that may still come.
    bool is_cut_short = false;
  };
  struct Room {
    Members members;                       // folded from the host's events
    std::vector<Members::iterator> order;  // as they joined
    uint64_t changes = 0;
    bool was_forgotten = false;
  };

  Seat& SeatOf(uint32_t client, uint32_t room);
  void Fail(std::string_view invariant, uint32_t client, uint32_t room, std::string what,
            Violation::Missing missing = Violation::Missing::kNothing);
  void FailPresence(uint32_t client, uint32_t room, Members::iterator member, std::string what);
  void CheckIntent(uint32_t client, uint32_t room, const std::string& member, const Intent& intent,
                   bool attached, const std::string& connection_id);

  void Watch(uint32_t client, uint32_t room, Seat& seat, const Effect& effect,
             const Channel& channel);
  void CountBounds(Seat& seat, const Effects& effects, const Channel& channel);
  void Reached(Bound bound) { ++bounds_[static_cast<size_t>(bound)]; }
  static void Disturb(Seat& seat) {
    seat.disturbed = true;
    seat.clean_since_attached = false;
  }
  // What was asked there is over, or, if it is still asked, uncertain.
  void Leave(uint32_t client, uint32_t room);
  // What was asked before that call is over.
  void EndIntents(uint32_t client, uint32_t room, RequestId before);

  const Plan& plan_;
  BoundCounts& bounds_;
  std::vector<std::vector<std::unique_ptr<Seat>>> seats_;  // by client, by room; null: not yet
  std::vector<Room> rooms_;
  std::vector<std::set<SubscriptionId>> unsubscribed_;  // by client
  // By client.
  std::vector<std::map<RequestId, std::pair<uint32_t, std::string>>> operations_;
  std::vector<std::set<RequestId>> waits_;  // gets that wait for a sync
  std::vector<std::map<RequestId, Attachment>> attachments_;
  std::vector<std::vector<AttachmentNote>> attachment_notes_;
  std::vector<bool> gaps_are_legal_;                     // in the serials of its connection
  std::map<std::string, uint32_t, std::less<>> owners_;  // clients, by connection id
  std::optional<Violation> violation_;
  uint64_t checks_ = 0;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_WORLD_CHECKER_H_
