#ifndef SIM_REPLAY_REPLAY_CHECKER_H_
#define SIM_REPLAY_REPLAY_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "presence/members/newness.h"
#include "sim/replay/replayer.h"
#include "sim/replay/room_history.h"

namespace presence::sim {

// Checks a replay from outside, with its own history, at every input:
//
//   fold          events folded from empty are the visible members, byte for byte, in the order in
//                 which they joined
//   leave         a leave names a visible member; every other event leaves its member visible
//   connections   each event counts its client's visible connections right
//   monotonic     what replaces a visible member's message is newer than it
//   sync          a completed sync leaves nobody visible who was not seen in it; no sync is running
//                 when a get that waits for one is answered
//   answer        a get answers the visible members that pass its filter, in the order in which
//                 they joined; isUserPresent whether there is one of that client
//   once          every call is answered once, and only after it was asked
//   connection    while the connection is suspended, closed or failed, the channel is on its way or
//                 attached only if frames or its owner moved it there since
//   waiting       a get waits only where an answer can come: in attaching, attached during a sync,
//                 or detaching; and on a connection that is down only if "connection" allows these
//   own           what the server has echoed or acknowledged of the connection's own members is
//                 what is kept of them, to be entered again (RTP17)
//   bounded       queue, in-flight list and tombstones are within their limits
//   delivery      who was unsubscribed is not among those to be told, and who subscribed is
//   room          at a line that lists what somebody who goes through the channel's room has asked
//                 for and was told: what RoomHistory compares it with
//   agreement     at a line that says so: the visible members are those that it lists
//   liveness      at a line that says so: every call is answered, and the channel neither on its
//                 way nor in a sync
//   engine        the invariants that the engine states of itself
//
// With Pace::kEveryInput each input costs O(members of the room), with kWhenEarned O(its items).
class ReplayChecker : public ReplayObserver {
 public:
  // How often the whole set is compared with the events, and the engine asked for its invariants:
  // "fold" and "engine". All others are checked at every input.
  enum class Pace : uint8_t {
    // At every input. Where neither the set nor what events say has changed since, they are as they
    // were found then, and are not compared again (MemberSet::changes).
    kEveryInput,
    // For large rooms, where N inputs would cost N squared. At every input "fold" is checked of
    // the members that the input or its events name, and of the number of all. The whole set is
    // compared only once the inputs since the last time, and their items, are as many as its
    // members (divided by kPaidMembers). So an input costs O(its items) on average, and what is
    // wrong elsewhere in the set is found late: who uses this calls CheckWhole at the end.
    kWhenEarned,
  };
  static constexpr size_t kPaidMembers = 1;

  struct Violation {
    std::string invariant;  // its name
    std::string what;       // in words
  };

  explicit ReplayChecker(Pace pace);
  ReplayChecker() : ReplayChecker(Pace::kEveryInput) {}
  ~ReplayChecker() override;

  void OnApply(size_t index, Timestamp now, const ChannelInput& input, const Effects& effects,
               const Channel& channel) override;
  void OnCall(size_t index, const CallLine& call, std::string_view id,
              const Channel& channel) override;
  void OnOutput(size_t index, const ReplayOutput& output) override;
  void OnCheck(size_t index, const CheckLine& line, const Channel& channel) override;

  // Looks at the whole set of the `index`th channel now.
  void CheckWhole(size_t index, const Channel& channel);

  // Calls on the `index`th channel that have not been answered yet.
  size_t unanswered(size_t index) const;

  // The first violation, if there was one; nothing is checked after it.
  const std::optional<Violation>& violation() const { return violation_; }

 private:
  struct History;

  History& HistoryOf(size_t index);
  void CheckEvent(History& history, const MemberEvent& event);
  void CheckSync(History& history, const SyncChanged& changed);
  void CheckPage(History& history, const ChannelInput& input, const Effects& effects,
                 const Channel& channel);
  void CheckResult(History& history, const CallResult& result, const Effects& effects,
                   const Channel& channel);
  void CheckAnswer(const History& history, const CallResult& result,
                   std::span<const Message> members);
  void CheckFold(const History& history, const Channel& channel);
  void CheckFoldOf(const History& history, std::string_view connection_id,
                   std::string_view client_id, const Channel& channel);
  void CheckTouched(History& history, const ChannelInput& input, const Effects& effects,
                    const Channel& channel);
  void CheckWhole(History& history, const Channel& channel);
  void CheckOwn(const History& history, const ChannelInput& input, const Effects& effects,
                const Channel& channel);
  void CheckEchoed(PresenceAction action, const Message& echo, const Channel& channel);
  void CheckAcknowledged(std::string_view client, PresenceAction action, const Channel& channel);
  void CheckConnection(History& history, const ChannelInput& input, const Effects& effects,
                       const Channel& channel);
  void CheckBounds(const Channel& channel);
  void CheckSubscriptions(const ChannelInput& input, const Channel& channel);
  RoomHistory* RoomAt(size_t index);
  void NoteCall(History& history, const ChannelInput& input);
  void NoteSeen(History& history, const ChannelInput& input);
  void Fail(std::string_view invariant, std::string what);

  const Pace pace_;
  std::vector<std::unique_ptr<History>> histories_;  // by channel
  // By channel: of those for which a line has said what somebody who goes through the room was
  // told.
  std::vector<std::unique_ptr<RoomHistory>> rooms_;
  std::optional<Violation> violation_;
};

}  // namespace presence::sim

#endif  // SIM_REPLAY_REPLAY_CHECKER_H_
