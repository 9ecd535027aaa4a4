#ifndef SIM_EXPLAIN_STORY_H_
#define SIM_EXPLAIN_STORY_H_

// What a replay comes to, told for people: a block for each line of a trace that did something, in
// it an item for each thing that happened, with its rule, its reason and its words. Who shows it (a
// terminal, a page) shows the same words.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "presence/client/channel_input.h"
#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence {
class Channel;
}  // namespace presence

namespace presence::sim {

// What an item tells. "Member" says that `StoryItem::message` names one.
enum class StoryKind : uint8_t {
  // The line itself: the first item of its block.
  kReceived,    // a frame from the server
  kSent,        // a frame that the client sent, as captured
  kCalled,      // a local call
  kOwnerMoved,  // a state line
  kConnection,  // a connection line; frames that say the same are kReceived

  // An item of a PRESENCE or SYNC frame. Member.
  kItemAccepted,   // newer than what was stored, or nothing was; `event` if the visible set changed
  kItemDropped,    // not newer than `stored`
  kItemIgnored,    // ABSENT, an unknown action, or a LEAVE of somebody who is not there
  kItemMalformed,  // skipped with a diagnostic
  kFrameIgnored,   // the whole frame: of no use in the channel's state

  // Members that go without an item of their own. Member, `event` is kLeave and `reason` says why.
  kSwept,    // a completed sync did not name it (RTP19)
  kEmptied,  // ATTACHED said that nobody is present (RTP19a)
  kCleared,  // detached or failed: forgotten without an event. No member: `count` of them
  // Who left during a sync is remembered until its end. Member.
  kTombstoneKept,
  kTombstoneDropped,  // the sync is over, or there were too many

  // Syncs. `sync_id`, `serial`.
  kSyncStarted,
  kSyncAdopted,    // an announced sync has the id of its first page now
  kSyncPage,       // a page of the running sync that is neither its first nor its last
  kSyncDiscarded,  // another one starts, or its channel was attached, detached or failed
  kSyncCompleted,
  kLatePage,  // of a sync that is over: its items count, it starts and ends nothing

  // The channel.
  kStateChanged,    // `state`
  kChannelUpdated,  // RTL12, RTP17e
  kSendsAttach,     // what its owner must send
  kSendsDetach,
  kWarning,  // a diagnostic of the engine that is about no item

  // Own members, to be entered again (RTP17). Member, by client id.
  kOwnKept,
  kOwnDropped,

  // get and isUserPresent. `call_id`.
  kGetWaits,
  kGetAnswered,
  kGetFailed,
  // Subscriptions. `call_id`.
  kSubscribed,
  kSubscribeFailed,

  // enter, update, leave. `call_id`; `msg_serial` where a frame goes out. Member, by client id,
  // where that is known.
  kOperationQueued,
  kOperationSent,
  kOperationResent,    // again, unchanged, on a new transport (RTN19a)
  kOperationRequeued,  // the connection has a new id: sent anew once attached (RTL3d2)
  kOperationDone,
  kOperationFailed,
  // An own member is entered again (RTP17g). Member, by client id.
  kReentrySent,
  kReentryDone,
  kReentryFailed,
  kReentrySkipped,  // something of it is under way
  kAckUnknown,      // an ACK or NACK of serials that the replay did not send

  // What is odd about the server, the client or the capture, though it follows the rules. Perhaps
  // a member.
  kSuspicion,
};
inline constexpr int kStoryKindCount = static_cast<int>(StoryKind::kSuspicion) + 1;

// The word for a kind in data for programs, such as "item-dropped"; stable.
std::string_view StoryKindName(StoryKind kind);

// What was stored of a member when another message of it came.
struct StoredSide {
  Version version;
  std::string_view id;     // empty: none
  int64_t timestamp = 0;   // ms since the epoch
  uint64_t line = 0;       // the line that it came from; 0: not known any more
  uint64_t item = 0;       // the number of the item that stored it; 0: not known any more
  bool tombstone = false;  // it has left, and is remembered until the sync ends
};

// One thing that happened. Views hold during the call that it is given to.
struct StoryItem {
  uint64_t number = 0;  // in the whole story, from 1
  uint64_t line = 0;    // of the trace, from 1
  int64_t t = 0;        // the engine's now, ms since the epoch
  // nullopt: no line has named it, or the item is about the connection.
  std::optional<std::string_view> channel;
  StoryKind kind = StoryKind::kReceived;

  // Whom it is about: empty ids if nobody. Of an item of a frame: as completed from its frame. Of
  // the payload only data. Of what a line says of the client's connection: its id and its client.
  Message message;
  // The place of an item in its frame, from 0; of all others nullopt.
  std::optional<uint32_t> index;
  std::optional<PresenceAction> action;  // what the item, or operation, does; if that is known
  bool own = false;                      // the member is of the client's own connection
  std::optional<EventType> event;        // how the visible set changed, if it did
  LeaveReason reason = LeaveReason::kNone;
  uint32_t connections = 0;  // with `event`: of this client, visible afterwards

  // The rule, in a few words, and where the presence specification has it ("RTP2b2"); empty: none.
  std::string_view rule;
  std::string_view point;
  // Of items of frames: how they compared. nullopt: there was nothing to compare with.
  std::optional<StoredSide> stored;
  NewnessRule newness = NewnessRule::kNothingStored;

  std::string_view sync_id;  // empty: none, or not known
  std::string_view serial;   // the channelSerial of a page, as it came
  std::optional<ChannelState> state;
  std::optional<ConnectionState> connection_state;
  std::string_view call_id;  // as JSON text
  std::optional<int64_t> msg_serial;
  size_t count = 0;  // of what `kind` says

  // What made it so: numbers of earlier items, the nearest cause first. The first item of its block
  // is not among them unless nothing else is.
  std::span<const uint64_t> causes;

  // One sentence or less: no line ends, no control characters, UTF-8.
  std::string_view words;
};

// What one line of the trace did. Views hold during the call that it is given to.
struct StoryBlock {
  uint64_t line = 0;
  int64_t t = 0;
  // At least one; the first says what the line is.
  std::span<const StoryItem> items;
};

class MemberName;

// What a channel is at the end, or at a moment that was asked for.
struct StoryState {
  uint64_t line = 0;  // after this one
  int64_t t = 0;
  bool at_end = true;  // of the trace
  std::optional<std::string_view> channel;
  const Channel* engine = nullptr;
  uint64_t sync_line = 0;            // where the running sync began; 0: none runs
  const MemberName* only = nullptr;  // who is wanted; null: everybody
};

// Takes a story, block by block, in the order of the trace.
class StorySink {
 public:
  virtual ~StorySink() = default;
  virtual void WriteBlock(const StoryBlock& block) = 0;
  // At the end of the trace, for each channel in order of first appearance.
  virtual void WriteEnd(const StoryState& state) = 0;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_STORY_H_
