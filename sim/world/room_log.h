#ifndef SIM_WORLD_ROOM_LOG_H_
#define SIM_WORLD_ROOM_LOG_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/room/room.h"
#include "presence/session/session_input.h"

namespace presence::sim {

// Takes down what a user who goes through rooms asks for and is told, room by room, for the check
// lines of his trace (see sim/trace/room_entry.h). A user's calls have numbers of their own here:
// which call of the channel each has become is known only later.
class RoomLog {
 public:
  // `names` are those of the rooms, by place.
  explicit RoomLog(std::vector<std::string> names);
  RoomLog(const RoomLog&) = delete;
  RoomLog& operator=(const RoomLog&) = delete;

  // --- What the user asks for ---

  // `number` is the call's; nullopt: one that nobody waits for.
  void Ask(size_t place, const ChannelCall& call, std::optional<size_t> number);
  // The last subscribe in the room at `place` under this id is never made: who asked for it was
  // unsubscribed before its turn.
  void TakeBackSubscribe(size_t place, SubscriptionId listener);
  void AskAttachment(size_t place, std::string_view call);
  void Release(size_t place);
  // The detach of the last release was refused.
  void RefuseRelease(size_t place, const ErrorInfo& error);
  void EndClient();

  // --- What he is told ---

  void Tell(size_t place, SubscriptionId listener, const PresenceEvent& event);
  void Tell(size_t place, const RoomStateChange& change, bool is_update);
  // A call completed that became this one of the channel, which is 0 where it became none.
  void Complete(size_t place, size_t number, RequestId request, const ErrorInfo* error);
  void Complete(size_t place, RequestId request, const std::vector<PresenceMember>& members);
  void Complete(size_t place, RequestId request, bool present);
  void CompleteAttachment(size_t place, std::string_view call, const ErrorInfo* error);

  // What there is of the room at `place` since the last time. `request_of` says which call of the
  // channel a call has become; 0: none.
  JsonArray Take(size_t place, const std::function<RequestId(size_t number)>& request_of);

 private:
  struct Entry {
    JsonObject object;
    std::optional<size_t> number;  // its id is not known yet
  };

  void Add(size_t place, JsonObject entry) { entries_[place].push_back({std::move(entry), {}}); }

  const std::vector<std::string> names_;
  std::vector<std::vector<Entry>> entries_;  // by place
};

}  // namespace presence::sim

#endif  // SIM_WORLD_ROOM_LOG_H_
