#ifndef SIM_REPLAY_ROOM_HISTORY_H_
#define SIM_REPLAY_ROOM_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/channel.h"
#include "presence/json/json_value.h"
#include "sim/replay/replayer.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// What a channel was given and has said since the last check line that lists what somebody who goes
// through its room has asked for and was told (CheckLine::room), to be compared with the next one:
//
//   calls       the channel is given what was asked for, in that order, and nothing else; who is
//               refused was asking while the channel was neither attaching nor attached, or asked
//               for what nobody can be asked; a leave is given even then, and fails
//   events      each goes to the listeners that are subscribed, once and in the channel's order, as
//               it is; to nobody after its unsubscribe or the release
//   answers     each call completes once, with what the channel answers, or with an error at the
//               release, or when the client is destroyed
//   attachment  attach and detach are not calls of a channel: each is done once, and well only if
//               the channel has been where it was to go; after a release it is not attached
//   states      whoever listens to states is told each, once and in order
class RoomHistory {
 public:
  // Begins with the channel in this state.
  explicit RoomHistory(ChannelState state);

  // The channel is about to be given a call, in this state.
  void OnCall(const CallLine& call, std::string_view id, ChannelState state);
  void OnOutput(const ReplayOutput& output);
  // Compares; what differs, in words, or nothing. The channel is in this state now. Begins anew.
  std::string Check(const JsonArray& entries, ChannelState now);

 private:
  friend class RoomComparison;

  struct Given {
    JsonObject call;
    bool is_open = false;  // the room had no reason to refuse it
  };
  struct Said {
    enum class Kind : uint8_t { kEvent, kAnswer, kState };
    Kind kind;
    JsonObject entry;
    size_t releases = 0;  // that the channel knew of before it said this
  };
  // A call that the channel was given, and which has not completed.
  struct Open {
    JsonValue id;
    bool must_fail = false;
  };

  bool IsFull(size_t bytes);

  // No more is kept than a line could list.
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  std::vector<Given> given_;
  std::vector<Said> said_;
  std::vector<ChannelState> states_;  // that the channel was in
  // That the channel knows of: now, and when the last such line was compared.
  size_t releases_ = 0;
  size_t releases_before_ = 0;
  size_t bytes_ = 0;
  std::vector<Open> open_;        // in the order given
  std::vector<JsonValue> ended_;  // ids of calls that a release has completed before the channel
  std::map<std::string, size_t, std::less<>> attaching_;  // attach, detach: not done, how many
};

}  // namespace presence::sim

#endif  // SIM_REPLAY_ROOM_HISTORY_H_
