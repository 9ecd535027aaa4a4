#ifndef TESTS_MODEL_LINES_H_
#define TESTS_MODEL_LINES_H_

// What a channel does and is, as lines that a person can read and a test can compare. The model and
// the engine are both shown by these functions, so that a difference of lines is a difference of
// behaviour.
//
// The words of the engine's own errors and diagnostics are not compared, only that there are some:
// no rule fixes them. Words that came from the server are.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"

namespace presence {

using Lines = std::vector<std::string>;

// Text in quotes; bytes that do not show are written \xNN.
std::string Quoted(std::string_view text);
std::string Line(const ErrorInfo& error);
std::string Line(const Message& message);
std::string Line(const OutgoingItem& item);

// One effect; a CallResult with the members it gave.
std::string Line(const StateChanged& change);
std::string Line(const SyncChanged& change);
std::string Line(const SetCleared& cleared);
std::string Line(const MemberEvent& event);
std::string Line(const Diagnostic& diagnostic);
std::string Line(const CallResult& result, const std::vector<Message>& members);
std::string Line(const SendAttach& send);
std::string Line(const SendDetach& send);
std::string Line(const SendPresence& send);
std::string Line(const ChannelUpdate& update);

// All effects of one input of the engine.
Lines LinesOf(const Effects& effects);

// Everything that can be read of a channel. Its views hold until the channel's next input.
struct Snapshot {
  ChannelState state = ChannelState::kInitialized;
  Channel::SyncState sync_state = Channel::SyncState::kNone;
  std::vector<Message> members;      // in joining order
  std::vector<Message> own_members;  // in joining order
  size_t member_count = 0;
  size_t client_count = 0;
  size_t tombstones = 0;
  uint64_t tombstones_evicted = 0;
  size_t queued = 0;
  size_t in_flight = 0;
  size_t waiting = 0;
  std::vector<std::pair<SubscriptionId, EventMask>> subscriptions;
  // By the order of the names in lines.cc.
  std::array<uint64_t, 15> stats{};

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

Snapshot SnapshotOf(const Channel& channel);
Lines LinesOf(const Snapshot& snapshot);

// The lines of both, with the first difference marked.
std::string Difference(const Lines& engine, const Lines& model);

}  // namespace presence

#endif  // TESTS_MODEL_LINES_H_
