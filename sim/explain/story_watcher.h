#ifndef SIM_EXPLAIN_STORY_WATCHER_H_
#define SIM_EXPLAIN_STORY_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "sim/explain/block_builder.h"
#include "sim/explain/facts.h"
#include "sim/explain/sentences.h"
#include "sim/explain/story.h"
#include "sim/replay/replayer.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// A call that has no answer yet.
struct Call {
  Origin origin;
  std::string id;         // JSON text
  std::string client_id;  // of an operation
  std::optional<PresenceAction> action;
  Origin queued;  // where it was queued, or waits
};

// A frame that went out and is not acknowledged.
struct InFlight {
  Origin sent;
  std::optional<RequestId> request;  // nullopt: a re-entry
  std::string client_id;
  PresenceAction action = PresenceAction::kEnter;
  int64_t msg_serial = 0;
};

// What a story remembers of a channel.
struct ChannelStory {
  Facts facts;
  ChannelState last_state = ChannelState::kInitialized;
  Origin state;  // what brought it there
  // The running sync.
  bool syncing = false;
  Origin sync;
  std::string sync_id;
  size_t pages = 0;

  std::map<OperationToken, InFlight> in_flight;
  std::map<std::string, Origin, std::less<>> own;  // by client: since when it is kept
  uint64_t frames_ignored = 0;
  uint64_t tombstones_evicted = 0;
};

// Watches the replay of one line at a time. The replay tells of each channel that an input has
// reached, then of its effects, one by one: a step.
class StoryWatcher : public ReplaySink, public ReplayObserver {
 public:
  explicit StoryWatcher(StorySink& sink) : sink_(sink), replayer_(*this, this) {}

  absl::Status Apply(uint64_t line_number, const TraceLine& line);
  void Finish(bool at_end) {
    at_end_ = at_end;
    ended_ = 0;
    replayer_.Finish();
  }
  const Replayer& replayer() const { return replayer_; }

  bool WantsVerdicts() const override { return true; }
  void OnApply(size_t index, Timestamp now, const ChannelInput& input, const Effects& effects,
               const Channel& channel) override;
  void Write(const ReplayOutput& output) override;
  void WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                const Channel& channel) override;

 private:
  // An input and its channel, while its effects are told.
  struct Step {
    ChannelStory* story = nullptr;
    const Channel* channel = nullptr;
    const ChannelInput* input = nullptr;
    const Effects* effects = nullptr;
    std::optional<std::string> name;
    size_t effects_left = 0;
    size_t verdicts_told = 0;
    size_t swept = 0;
    std::set<std::string, std::less<>> reentered;  // clients
    std::optional<Origin> completed;               // the sync, by this item
    std::optional<Origin> cleared;                 // the set
  };

  // The first item of a block.
  void Head(const TraceLine& line);
  void HeadFrame(const wire::Frame& frame, bool sent);
  bool IsWorthTelling(const TraceLine& line) const;
  void Acknowledged(const wire::Frame& frame, uint64_t unknown);
  void NoteConnection(const StoryItem& head);

  StoryItem& Add(StoryKind kind, std::string words, Rule rule = {});
  StoryItem& AddOf(StoryKind kind, const Message& member, std::string words, Rule rule = {});
  void Because(Origin origin) {
    if (origin.item != 0) block_.Because(origin.item);
  }
  Origin Here() const { return {line_, block_.last_number()}; }

  // Effects.
  void Tell(const StateChanged& changed);
  void Tell(const SyncChanged& changed);
  void Tell(const SetCleared& cleared);
  void Tell(const MemberEvent& event);
  void Tell(const Diagnostic& diagnostic);
  void Tell(const CallResult& result);
  void Tell(const SendAttach&);
  void Tell(const SendDetach&);
  void Tell(const SendPresence& send);
  void Tell(const ChannelUpdate& update);
  void TellResend(const SendPresence& send);

  void TellFrameIgnored();
  void TellItemsIgnored(const PresenceFrame& frame);
  void TellPage(const SyncFrame& frame);
  void TellVerdict(const ItemVerdict& verdict);
  void TellOddities(const ItemVerdict& verdict, const std::optional<Fact>& fact);
  void TellVerdicts();
  template <typename Stop>
  void TellVerdictsUntil(const Stop& stop);
  void TellExpelled(const MemberEvent& event);
  void TellTombstonesDropped(size_t count, std::string_view why);
  void TellOwn(std::string_view client_id, Origin by);
  void TellAcked();
  void TellNotReentered();
  Rule RuleOfFailure(int64_t code, bool was_sent, bool was_queued) const;
  void TellWaits();
  void TellRequeued();
  void EndStep();

  StorySink& sink_;
  Replayer replayer_;
  uint64_t line_ = 0;
  BlockBuilder block_;
  Origin head_;
  std::vector<std::unique_ptr<ChannelStory>> channels_;
  Step step_;
  const ReplayOutput* output_ = nullptr;  // the effect in hand
  std::map<RequestId, Call> calls_;
  RequestId next_request_ = 0;
  std::string call_id_;  // of the line, if it is a call
  bool at_end_ = true;
  size_t ended_ = 0;  // channels of which the end is told

  // A frame that the capture says the client sent.
  struct Sent {
    Origin origin;
    std::string words;
    std::string client_id;
    std::string channel;
  };
  std::map<int64_t, Sent> sent_;  // by msgSerial
  std::string identity_;          // of the client's connection
  std::string connection_id_;     // the latest known
  Origin new_connection_;         // what gave it, if it had another one before
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_STORY_WATCHER_H_
