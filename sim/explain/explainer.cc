#include "sim/explain/explainer.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "sim/explain/block_builder.h"
#include "sim/explain/facts.h"
#include "sim/explain/sentences.h"
#include "sim/replay/replayer.h"

namespace presence::sim {
namespace {

// What the client sent, of which an ACK may come that the replay knows nothing of.
constexpr size_t kMaxSentKept = 1000;

std::string_view PageIdOf(std::string_view serial) { return serial.substr(0, serial.find(':')); }
bool IsLastPage(std::string_view serial) {
  const size_t colon = serial.find(':');
  return colon == serial.npos || colon + 1 == serial.size();
}

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

}  // namespace

// Watches the replay of one line at a time. The replay tells of each channel that an input has
// reached, then of its effects, one by one: a step.
class Explainer::Watcher : public ReplaySink, public ReplayObserver {
 public:
  explicit Watcher(StorySink& sink) : sink_(sink), replayer_(*this, this) {}

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
    bool told_failures = false;
    std::optional<Origin> completed;  // the sync, by this item
    std::optional<Origin> cleared;    // the set
  };

  // The first item of a block.
  void Head(const TraceLine& line);
  void HeadFrame(const wire::Frame& frame, bool sent);
  bool IsWorthTelling(const TraceLine& line) const;
  void Acknowledged(const wire::Frame& frame, uint64_t unknown);

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
  void TellVerdicts() {
    TellVerdictsUntil([](const ItemVerdict&) { return false; });
  }
  template <typename Stop>
  void TellVerdictsUntil(const Stop& stop);
  void TellExpelled(const MemberEvent& event);
  void TellTombstonesDropped(size_t count, std::string_view why);
  void TellOwn(std::string_view client_id, Origin by);
  void TellAcked();
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
};

Explainer::Explainer(StorySink& sink) : watcher_(std::make_unique<Watcher>(sink)) {}
Explainer::~Explainer() = default;

absl::Status Explainer::Apply(uint64_t line_number, const TraceLine& line) {
  return watcher_->Apply(line_number, line);
}

void Explainer::Finish(bool at_end) { watcher_->Finish(at_end); }

bool Explainer::any_frames() const { return watcher_->replayer().frames() > 0; }

int64_t Explainer::now_ms() const { return watcher_->replayer().now_ms(); }

// --- Lines ---

absl::Status Explainer::Watcher::Apply(uint64_t line_number, const TraceLine& line) {
  line_ = line_number;
  block_.Begin(line_number);
  Head(line);
  head_ = Here();
  const uint64_t unknown = replayer_.unknown_acknowledged();
  if (absl::Status status = replayer_.Apply(line_number, line); !status.ok()) {
    block_.Abandon();
    return status;
  }
  const auto* const received = std::get_if<ReceivedLine>(&line.content);
  if (received != nullptr && replayer_.unknown_acknowledged() > unknown) {
    Acknowledged(received->frame, replayer_.unknown_acknowledged() - unknown);
  }
  block_.SetTime(replayer_.now_ms());
  if (block_.size() > 1 || IsWorthTelling(line)) {
    block_.WriteTo(sink_);
  } else {
    block_.Abandon();
  }
  return absl::OkStatus();
}

// Lines that are told even if nothing came of them.
bool Explainer::Watcher::IsWorthTelling(const TraceLine& line) const {
  const auto says_something = [](int64_t action) {
    return action != wire::kHeartbeat && action != wire::kMessage && action != wire::kObject &&
           action != wire::kAnnotation && action >= 0 && action <= wire::kAnnotation;
  };
  if (const auto* const received = std::get_if<ReceivedLine>(&line.content)) {
    return says_something(received->frame.action);
  }
  if (const auto* const sent = std::get_if<SentLine>(&line.content)) {
    return says_something(sent->frame.action);
  }
  return std::holds_alternative<CallLine>(line.content) ||
         std::holds_alternative<StateLine>(line.content) ||
         std::holds_alternative<ConnectionLine>(line.content);
}

void Explainer::Watcher::Head(const TraceLine& line) {
  if (const auto* const received = std::get_if<ReceivedLine>(&line.content)) {
    HeadFrame(received->frame, false);
  } else if (const auto* const sent = std::get_if<SentLine>(&line.content)) {
    HeadFrame(sent->frame, true);
    const wire::Frame& frame = sent->frame;
    if (frame.action == wire::kPresence && frame.msg_serial.has_value()) {
      sent_[*frame.msg_serial] = {Here(), WordsOf(frame, true),
                                  std::string(block_.front().message.client_id),
                                  std::string(frame.channel)};
      if (sent_.size() > kMaxSentKept) sent_.erase(sent_.begin());
    }
  } else if (const auto* const call = std::get_if<CallLine>(&line.content)) {
    call_id_ = call->id.has_value() ? std::string(*call->id) : absl::StrCat(line_);
    StoryItem& item = Add(StoryKind::kCalled, WordsOf(*call, call_id_));
    item.call_id = block_.Keep(call_id_);
    if (call->client_id.has_value()) item.message.client_id = block_.Keep(*call->client_id);
    if (call->name == CallLine::Name::kOperation) item.action = call->action;
    Call& asked = calls_[next_request_++];  // as the replayer numbers them
    asked.origin = Here();
    asked.id = call_id_;
  } else if (const auto* const state = std::get_if<StateLine>(&line.content)) {
    Add(StoryKind::kOwnerMoved, WordsOf(*state)).state = state->state;
  } else if (const auto* const connection = std::get_if<ConnectionLine>(&line.content)) {
    StoryItem& item = Add(StoryKind::kConnection, WordsOf(*connection));
    item.connection_state = connection->state;
    item.message.connection_id = block_.Keep(connection->id.value_or(""));
    item.message.client_id = block_.Keep(connection->client_id.value_or(""));
    if (connection->client_id.has_value()) identity_ = std::string(*connection->client_id);
  } else {
    Add(StoryKind::kReceived, "");
  }
}

void Explainer::Watcher::HeadFrame(const wire::Frame& frame, bool sent) {
  StoryItem& item = Add(sent ? StoryKind::kSent : StoryKind::kReceived, WordsOf(frame, sent));
  if (!frame.channel.empty()) item.channel = block_.Keep(frame.channel);
  item.serial = block_.Keep(frame.action == wire::kSync ? frame.channel_serial : "");
  item.sync_id = PageIdOf(item.serial);
  item.msg_serial = frame.msg_serial;
  if (sent && frame.presence.size() == 1) {
    const std::string_view named = frame.presence.front().client_id;
    item.message.client_id = block_.Keep(named.empty() ? identity_ : named);
  }
  if (!sent && frame.action == wire::kConnected) {
    item.connection_state = ConnectionState::kConnected;
    item.message.connection_id = block_.Keep(frame.connection_id);
    item.message.client_id = block_.Keep(frame.details_client_id);
    identity_ = std::string(frame.details_client_id);
  } else if (!sent && wire::SpeaksOfConnection(frame)) {
    item.connection_state = frame.action == wire::kDisconnected ? ConnectionState::kDisconnected
                            : frame.action == wire::kClosed     ? ConnectionState::kClosed
                                                                : ConnectionState::kFailed;
  }
}

// Serials were acknowledged that the replay did not send: those of a capture, most of the time.
void Explainer::Watcher::Acknowledged(const wire::Frame& frame, uint64_t unknown) {
  const int64_t first = frame.msg_serial.value_or(0);
  const int64_t count = std::max<int64_t>(frame.count.value_or(1), 1);
  for (auto sent = sent_.lower_bound(first);
       sent != sent_.end() && sent->first - first < count && unknown > 0; ++sent, --unknown) {
    StoryItem& item =
        Add(StoryKind::kAckUnknown,
            absl::StrCat("it answers line ", sent->second.origin.line, ": ", sent->second.words));
    item.msg_serial = sent->first;
    item.message.client_id = block_.Keep(sent->second.client_id);
    if (!sent->second.channel.empty()) item.channel = block_.Keep(sent->second.channel);
    Because(sent->second.origin);
  }
  if (unknown == 0) return;
  StoryItem& item =
      Add(StoryKind::kAckUnknown, absl::StrCat("of what was sent as ", Counted(unknown, "serial"),
                                               " of these, nothing is known"));
  item.msg_serial = first;
  item.count = unknown;
}

// --- Items ---

StoryItem& Explainer::Watcher::Add(StoryKind kind, std::string words, Rule rule) {
  StoryItem& item = block_.Add(kind, std::move(words));
  if (step_.story != nullptr && step_.name.has_value()) item.channel = block_.Keep(*step_.name);
  item.rule = rule.name;
  item.point = rule.point;
  return item;
}

StoryItem& Explainer::Watcher::AddOf(StoryKind kind, const Message& member, std::string words,
                                     Rule rule) {
  StoryItem& item = Add(kind, std::move(words), rule);
  item.message = block_.Keep(member);
  item.own = step_.channel != nullptr && !member.connection_id.empty() &&
             member.connection_id == step_.channel->connection().id();
  return item;
}

// --- Steps ---

void Explainer::Watcher::OnApply(size_t index, Timestamp, const ChannelInput& input,
                                 const Effects& effects, const Channel& channel) {
  while (channels_.size() <= index) channels_.push_back(std::make_unique<ChannelStory>());
  ChannelStory& story = *channels_[index];
  step_ = Step();
  step_.story = &story;
  step_.channel = &channel;
  step_.input = &input;
  step_.effects = &effects;
  step_.effects_left = effects.size();
  if (const auto name = replayer_.NameOf(index)) step_.name.emplace(*name);
  const bool of_connection = std::holds_alternative<ConnectionUpdate>(input) ||
                             std::holds_alternative<OperationsAcked>(input) ||
                             std::holds_alternative<OperationsNacked>(input);
  if (!of_connection && step_.name.has_value()) {
    block_.front().channel = block_.Keep(*step_.name);
  }
  if (const auto* const call = std::get_if<OperationCall>(&input)) {
    Call& asked = calls_[call->request];
    asked.action = call->action;
    asked.client_id = std::string(call->client_id.value_or(channel.connection().identity()));
    block_.front().message.client_id = block_.Keep(asked.client_id);
  }
  if (channel.stats().frames_ignored > story.frames_ignored) TellFrameIgnored();
  story.frames_ignored = channel.stats().frames_ignored;
  if (const auto* const sync = std::get_if<SyncFrame>(&input)) TellPage(*sync);
  if (std::holds_alternative<OperationsAcked>(input)) TellAcked();
  if (step_.effects_left == 0) EndStep();
}

void Explainer::Watcher::Write(const ReplayOutput& output) {
  output_ = &output;
  if (step_.effects_left == 0) {  // not of a step: sent again on a new transport
    if (const auto* const send = std::get_if<SendPresence>(output.effect)) TellResend(*send);
    return;
  }
  std::visit([this](const auto& effect) { Tell(effect); }, *output.effect);
  if (--step_.effects_left == 0) EndStep();
}

void Explainer::Watcher::EndStep() {
  TellVerdicts();
  ChannelStory& story = *step_.story;
  const Channel& channel = *step_.channel;
  if (step_.cleared.has_value()) {
    story.facts.Clear(*step_.cleared);
    story.own.clear();
    story.syncing = false;
  }
  const uint64_t evicted = channel.members().tombstones_evicted();
  if (evicted > story.tombstones_evicted) {
    TellTombstonesDropped(evicted - story.tombstones_evicted, "there are too many of them");
    story.tombstones_evicted = evicted;
  }
  for (const ItemVerdict& verdict : step_.effects->verdicts()) {
    const bool echo = !verdict.message.connection_id.empty() &&
                      verdict.message.connection_id == channel.connection().id();
    if (echo) TellOwn(verdict.message.client_id, head_);
  }
  TellWaits();
  if (std::holds_alternative<ConnectionUpdate>(*step_.input)) TellRequeued();
  step_.story = nullptr;
  step_.channel = nullptr;
}

void Explainer::Watcher::TellFrameIgnored() {
  const ChannelInput& input = *step_.input;
  const std::string_view state = StateName(step_.channel->state());
  const auto* const sync = std::get_if<SyncFrame>(&input);
  const auto* const frame = sync != nullptr ? &sync->page : std::get_if<PresenceFrame>(&input);
  if (frame != nullptr) {
    Add(StoryKind::kFrameIgnored,
        absl::StrCat("ignored: the channel is ", AbslView(state), ", and takes no members then"),
        {kIgnoredByState, "RTL17"})
        .count = frame->items.size();
    Because(step_.story->state);
    TellItemsIgnored(*frame);
    return;
  } else if (std::holds_alternative<AttachedFrame>(input)) {
    Add(StoryKind::kFrameIgnored, "nothing to do: the channel is attached, and this resumes it",
        {"resumed while attached", "RTP17i"});
  } else if (std::holds_alternative<DetachedFrame>(input)) {
    Add(StoryKind::kFrameIgnored, absl::StrCat("nothing to do: the channel is ", AbslView(state)),
        {"DETACHED where nothing is attached", {}});
  } else {
    return;
  }
  Because(step_.story->state);
}

// Each by itself: who asks for a member wants to know that it was named.
void Explainer::Watcher::TellItemsIgnored(const PresenceFrame& frame) {
  for (size_t i = 0; i < frame.items.size(); ++i) {
    const IncomingItem& named = frame.items[i];
    Message message;
    message.client_id = named.client_id;
    message.connection_id = named.connection_id.empty() ? frame.connection_id : named.connection_id;
    StoryItem& item = AddOf(
        StoryKind::kItemIgnored, message,
        absl::StrCat(ActionNamed(named.action), " of ",
                     MemberNamed(message.client_id, message.connection_id),
                     " ignored: the channel is ", AbslView(StateName(step_.channel->state()))),
        {kIgnoredByState, "RTL17"});
    item.index = static_cast<uint32_t>(i);
    if (named.action.has_value() && *named.action >= 0 && *named.action <= 4) {
      item.action = static_cast<PresenceAction>(*named.action);
    }
    Because(step_.story->state);
  }
}

// A page that starts no sync: what else it is.
void Explainer::Watcher::TellPage(const SyncFrame& frame) {
  ChannelStory& story = *step_.story;
  if (block_.size() > 1) return;  // ignored
  bool starts = false;
  bool completes = false;
  for (const Effect& effect : *step_.effects) {
    const auto* const changed = std::get_if<SyncChanged>(&effect);
    if (changed == nullptr) continue;
    starts = starts || changed->phase == SyncChanged::Phase::kStarted;
    completes = completes || changed->phase == SyncChanged::Phase::kCompleted;
  }
  if (starts) return;
  const std::string_view id = PageIdOf(frame.channel_serial);
  const std::string_view running = step_.channel->sync_id();
  if (!completes && (!story.syncing || running != id)) {
    Add(StoryKind::kLatePage,
        absl::StrCat("a late page: the sync ", Named(id),
                     " is over; its items count as they are new, and it starts and ends nothing"),
        {"a page of a sync that is over", "RTP18a"})
        .sync_id = block_.Keep(id);
    return;
  }
  ++story.pages;
  if (story.sync_id.empty() && !id.empty()) {
    Add(StoryKind::kSyncAdopted,
        absl::StrCat(SyncNamed({}, story.sync.line),
                     " has its id now, that of its first page: ", Named(id)),
        {"an announced sync adopts the first page's id", "RTP18a"})
        .sync_id = block_.Keep(id);
    Because(story.sync);
    story.sync_id = std::string(id);
  } else if (!IsLastPage(frame.channel_serial)) {
    StoryItem& item =
        Add(StoryKind::kSyncPage,
            absl::StrCat("page ", story.pages, " of ", SyncNamed(story.sync_id, story.sync.line)));
    item.sync_id = block_.Keep(id);
    item.count = story.pages;
    Because(story.sync);
  }
}

// --- Effects: states and syncs ---

void Explainer::Watcher::Tell(const StateChanged& changed) {
  std::string words = absl::StrCat("the channel is ", AbslView(StateName(changed.state)), " now",
                                   ReasonNamed(changed.reason));
  StoryItem& item = Add(StoryKind::kStateChanged, std::move(words),
                        RuleOf(*step_.input, step_.story->last_state, changed.state));
  item.state = changed.state;
  Because(head_);
  step_.story->state = Here();
  step_.story->last_state = changed.state;
  const bool clears = changed.state == ChannelState::kDetached ||
                      changed.state == ChannelState::kFailed ||
                      changed.state == ChannelState::kInitialized;
  if (clears) step_.cleared = Here();
}

void Explainer::Watcher::Tell(const SyncChanged& changed) {
  ChannelStory& story = *step_.story;
  const auto* const page = std::get_if<SyncFrame>(step_.input);
  const bool attached = std::holds_alternative<AttachedFrame>(*step_.input);
  const std::string sync = SyncNamed(changed.sync_id, story.sync.line);
  switch (changed.phase) {
    case SyncChanged::Phase::kDiscarded: {
      std::string why = "the set is cleared";
      Rule rule = {"no sync outlives its channel", "RTP5a"};
      if (page != nullptr) {
        const std::string_view id = PageIdOf(page->channel_serial);
        why = id.empty() ? "a page without an id is a sync of its own"
                         : absl::StrCat("a page of another one, ", Named(id), ", has come");
        rule = {"a new sync discards the running one", id.empty() ? "RTP18c" : "RTP18a"};
      } else if (attached) {
        why = "the channel was attached anew";
        rule = {"ATTACHED begins the set's state anew", "RTP1"};
      }
      Add(StoryKind::kSyncDiscarded,
          absl::StrCat(sync, " is discarded before its end: ", why, "; nobody is swept for it"),
          rule)
          .sync_id = block_.Keep(changed.sync_id);
      Because(story.sync);
      story.syncing = false;
      return;
    }
    case SyncChanged::Phase::kStarted: {
      std::string words;
      Rule rule;
      if (page == nullptr) {
        words = "a sync starts, announced by ATTACHED";
        rule = {"ATTACHED with HAS_PRESENCE", "RTP1"};
      } else if (PageIdOf(page->channel_serial).empty()) {
        words = "a sync starts, of a page without an id";
        rule = {"a page without an id", "RTP18c"};
      } else {
        words = absl::StrCat("the sync ", Named(changed.sync_id), " starts, with its first page");
        rule = {"a page of an id that is new", "RTP18a"};
      }
      absl::StrAppend(&words, "; who is present and not named by its end will be swept");
      Add(StoryKind::kSyncStarted, std::move(words), rule).sync_id = block_.Keep(changed.sync_id);
      Because(head_);
      story.syncing = true;
      story.sync = Here();
      story.sync_id = std::string(changed.sync_id);
      story.pages = page == nullptr ? 0 : 1;
      return;
    }
    case SyncChanged::Phase::kCompleted: {
      TellVerdicts();
      const bool empty = page == nullptr;
      if (empty) {
        Add(StoryKind::kSyncCompleted, "the set is complete: nobody is present",
            {"ATTACHED without HAS_PRESENCE", "RTP19a"});
        Because(head_);
      } else {
        StoryItem& item =
            Add(StoryKind::kSyncCompleted,
                absl::StrCat(sync, " is complete, after ", Counted(story.pages, "page"), ": ",
                             Counted(step_.channel->members().size(), "member"), " present, ",
                             step_.swept == 0 ? "nobody" : absl::StrCat(step_.swept), " swept"),
                IsLastPage(page->channel_serial) &&
                        page->channel_serial.find(':') == std::string_view::npos
                    ? Rule{"a page without a cursor is the last", "RTP18c"}
                    : Rule{"an empty cursor: the last page", "RTP18b"});
        item.sync_id = block_.Keep(changed.sync_id);
        item.count = step_.swept;
        Because(story.sync);
      }
      step_.completed = Here();
      story.syncing = false;
      story.sync_id.clear();
      TellTombstonesDropped(story.facts.tombstones(), "the sync is over");
      return;
    }
  }
}

void Explainer::Watcher::Tell(const SetCleared& cleared) {
  Add(StoryKind::kCleared,
      absl::StrCat(Counted(cleared.members, "member"), " forgotten, without events"),
      {"detached or failed: the set is cleared", "RTP5a"})
      .count = cleared.members;
  if (step_.cleared.has_value()) Because(*step_.cleared);
  step_.cleared = Here();
}

void Explainer::Watcher::TellTombstonesDropped(size_t count, std::string_view why) {
  if (count == 0) return;
  for (const Facts::Key& key : step_.story->facts.TakeTombstones(count)) {
    Message member;
    member.client_id = key.client_id;
    member.connection_id = key.connection_id;
    AddOf(StoryKind::kTombstoneDropped, member,
          absl::StrCat("that ", MemberNamed(key.client_id, key.connection_id), " left on line ",
                       key.left.line, " need not be remembered any more: ", AbslView(why)),
          {"tombstones last until the sync ends", "RTP2h2b"});
    Because(key.left);
  }
}

// --- Effects: members ---

void Explainer::Watcher::Tell(const MemberEvent& event) {
  if (event.reason == LeaveReason::kSwept || event.reason == LeaveReason::kEmpty) {
    TellVerdicts();
    return TellExpelled(event);
  }
  TellVerdictsUntil([](const ItemVerdict& verdict) { return verdict.event.has_value(); });
}

void Explainer::Watcher::Tell(const Diagnostic& diagnostic) {
  if (!step_.effects->verdicts().empty()) {
    return TellVerdictsUntil(
        [](const ItemVerdict& verdict) { return verdict.kind == ItemVerdict::Kind::kMalformed; });
  }
  Add(StoryKind::kWarning, std::string(diagnostic.text), {"no mode PRESENCE_SUBSCRIBE", "RTP11f"});
}

// Tells the verdicts that have not been told yet, up to the first that `stop` says.
template <typename Stop>
void Explainer::Watcher::TellVerdictsUntil(const Stop& stop) {
  const std::span<const ItemVerdict> verdicts = step_.effects->verdicts();
  while (step_.verdicts_told < verdicts.size()) {
    const ItemVerdict& verdict = verdicts[step_.verdicts_told++];
    TellVerdict(verdict);
    if (stop(verdict)) return;
  }
}

void Explainer::Watcher::TellVerdict(const ItemVerdict& verdict) {
  ChannelStory& story = *step_.story;
  std::optional<Fact> fact;
  if (const Fact* const known = story.facts.Find(verdict.message)) fact = *known;
  Judgement judgement;
  judgement.verdict = &verdict;
  judgement.syncing = story.syncing;
  if (verdict.stored.has_value()) {
    StoredSide& side = judgement.stored.emplace();
    side.version = *verdict.stored;
    side.timestamp = ToMs(verdict.stored->timestamp);
    if (fact.has_value()) {
      side.id = fact->id;
      side.line = fact->stored.line;
      side.item = fact->stored.item;
      side.tombstone = fact->state == Fact::State::kTombstone;
    }
  }
  StoryKind kind = StoryKind::kItemAccepted;
  switch (verdict.kind) {
    case ItemVerdict::Kind::kAccepted:
      break;
    case ItemVerdict::Kind::kStale:
      kind = StoryKind::kItemDropped;
      break;
    case ItemVerdict::Kind::kMalformed:
      kind = StoryKind::kItemMalformed;
      break;
    default:
      kind = StoryKind::kItemIgnored;
  }
  StoryItem& item = AddOf(kind, verdict.message, WordsOf(judgement), RuleOf(judgement));
  const Origin here = Here();
  item.index = static_cast<uint32_t>(verdict.index);
  if (verdict.action.has_value() && *verdict.action >= 0 && *verdict.action <= 4) {
    item.action = static_cast<PresenceAction>(*verdict.action);
  }
  item.event = verdict.event;
  item.newness = verdict.newness.rule;
  item.stored = judgement.stored;
  if (item.stored.has_value()) item.stored->id = block_.Keep(item.stored->id);
  const bool leaves = item.action == PresenceAction::kLeave;
  if (verdict.event.has_value()) {
    item.connections = step_.channel->members().connections_of(verdict.message.client_id);
    if (leaves) {
      item.reason = VersionOf(verdict.message).kind == Version::Kind::kSynthesized
                        ? LeaveReason::kLost
                        : LeaveReason::kLeft;
    }
  }
  const LeaveReason reason = item.reason;
  if (fact.has_value() && verdict.stored.has_value()) Because(fact->stored);
  if (verdict.kind == ItemVerdict::Kind::kStale && !leaves) story.facts.See(verdict.message, here);
  if (verdict.kind == ItemVerdict::Kind::kAccepted) {
    const Version version = VersionOf(verdict.message);
    if (!leaves) {
      story.facts.Store(verdict.message, version, here);
      story.facts.See(verdict.message, here);
    } else if (story.syncing) {
      const bool was_buried = fact.has_value() && fact->state == Fact::State::kTombstone;
      story.facts.Bury(verdict.message, version, reason, here);
      if (was_buried) return TellOddities(verdict, fact);
      AddOf(StoryKind::kTombstoneKept, verdict.message,
            absl::StrCat("that ",
                         MemberNamed(verdict.message.client_id, verdict.message.connection_id),
                         " left is remembered until the sync ends, so that an older item of a page "
                         "cannot bring it back"),
            {"a LEAVE during a sync", "RTP2h2a"});
      Because(here);
    } else {
      story.facts.Remove(verdict.message, reason, here);
    }
  }
  TellOddities(verdict, fact);
}

// What is strange about an item, though it follows the rules.
void Explainer::Watcher::TellOddities(const ItemVerdict& verdict, const std::optional<Fact>& fact) {
  const Message& message = verdict.message;
  const std::string who = MemberNamed(message.client_id, message.connection_id);
  const bool leaves = verdict.action == static_cast<int64_t>(PresenceAction::kLeave);
  const Version version = VersionOf(message);
  const auto suspect = [&](std::string words, Origin because) {
    AddOf(StoryKind::kSuspicion, message, std::move(words));
    Because(because);
  };
  const Origin here = Here();
  if (verdict.kind == ItemVerdict::Kind::kStale && !verdict.by_tombstone) {
    const bool same_id = fact.has_value() && !fact->id.empty() && fact->id == message.id;
    if (leaves && !same_id) {
      suspect(absl::StrCat("a LEAVE of ", who,
                           " that is older than what is stored: messages come "
                           "out of order, or the server numbers them wrongly"),
              here);
    } else if (same_id && version.kind == Version::Kind::kSerial) {
      const auto stored = step_.channel->members().Find(message.connection_id, message.client_id);
      if (leaves) {
        suspect(absl::StrCat("a LEAVE of ", who,
                             " with the id of a message that was none: ", Named(message.id)),
                fact->stored);
      } else if (stored.has_value() && stored->id == message.id &&
                 stored->payload != message.payload) {
        suspect(absl::StrCat("the id ", Named(message.id), " came with other data on line ",
                             fact->stored.line, ": one id should be one message"),
                fact->stored);
      }
    }
  }
  if (verdict.kind != ItemVerdict::Kind::kAccepted) return;
  if (version.kind == Version::Kind::kUnparsed) {
    suspect(absl::StrCat("the id ", Named(message.id), " of ", who,
                         " is not connectionId:msgSerial:index, so only times can order it"),
            here);
  }
  const bool returns = !leaves && fact.has_value() && fact->state == Fact::State::kGone &&
                       fact->reason == LeaveReason::kSwept;
  if (!returns) return;
  const bool old = version.kind == Version::Kind::kSerial &&
                   fact->version.kind == Version::Kind::kSerial &&
                   std::pair(version.msg_serial, version.index) <=
                       std::pair(fact->version.msg_serial, fact->version.index);
  if (old || verdict.action != static_cast<int64_t>(PresenceAction::kEnter)) {
    suspect(
        absl::StrCat(who, " is back without having entered: the sync that was complete on line ",
                     fact->gone.line, " did not name it, though it seems to have been present"),
        fact->gone);
  }
}

void Explainer::Watcher::TellExpelled(const MemberEvent& event) {
  ChannelStory& story = *step_.story;
  const std::string who = MemberNamed(event.message.client_id, event.message.connection_id);
  std::optional<Fact> fact;
  if (const Fact* const known = story.facts.Find(event.message)) fact = *known;
  std::string had;
  if (fact.has_value()) {
    absl::StrAppend(&had, "; what it had last is of line ", fact->stored.line);
    if (!fact->id.empty()) absl::StrAppend(&had, ", ", Named(fact->id));
  }
  const bool swept = event.reason == LeaveReason::kSwept;
  const std::string why =
      swept
          ? absl::StrCat(" swept: ", SyncNamed(story.sync_id, story.sync.line), " did not name it")
          : std::string(" left: ATTACHED said that nobody is present");
  StoryItem& item = AddOf(swept ? StoryKind::kSwept : StoryKind::kEmptied, event.message,
                          absl::StrCat(who, why, had),
                          swept ? Rule{"missing from a completed sync", "RTP19"}
                                : Rule{"ATTACHED without HAS_PRESENCE", "RTP19a"});
  item.event = event.type;
  item.reason = event.reason;
  item.connections = event.connections;
  item.action = PresenceAction::kLeave;
  item.sync_id = block_.Keep(story.sync_id);
  if (swept) ++step_.swept;
  if (fact.has_value()) Because(fact->stored);
  if (swept) Because(story.sync);
  story.facts.Remove(event.message, event.reason, Here());
}

// --- Own members ---

// Tells whether a client has become one to be entered again, or is so no more.
void Explainer::Watcher::TellOwn(std::string_view client_id, Origin by) {
  ChannelStory& story = *step_.story;
  const bool is_kept = step_.channel->own_members().Find(client_id).has_value();
  const auto known = story.own.find(client_id);
  if (is_kept == (known != story.own.end())) return;
  Message member;
  member.client_id = client_id;
  member.connection_id = step_.channel->connection().id();
  if (is_kept) {
    AddOf(StoryKind::kOwnKept, member,
          absl::StrCat(Named(client_id),
                       " is a member of our own now, and is entered again when the channel is "
                       "attached anew"),
          {"own members", "RTP17"});
    Because(by);
    story.own.emplace(client_id, Here());
  } else {
    AddOf(StoryKind::kOwnDropped, member,
          absl::StrCat(Named(client_id),
                       " is no member of our own any more, and is not entered again"),
          {"own members", "RTP17"});
    Because(by);
    Because(known->second);
    story.own.erase(known);
  }
}

// --- Calls and operations ---

void Explainer::Watcher::TellAcked() {
  ChannelStory& story = *step_.story;
  const auto& acked = std::get<OperationsAcked>(*step_.input);
  for (const AcknowledgedOperation& done : acked.operations) {
    const auto found = story.in_flight.find(done.token);
    if (found == story.in_flight.end() || found->second.request.has_value()) continue;
    Message member;
    member.client_id = found->second.client_id;
    AddOf(StoryKind::kReentryDone, member,
          absl::StrCat("the server has entered ", Named(found->second.client_id),
                       " again, as asked on line ", found->second.sent.line),
          {"re-entry", "RTP17g"})
        .msg_serial = done.msg_serial;
    Because(found->second.sent);
    story.in_flight.erase(found);
  }
}

void Explainer::Watcher::Tell(const CallResult& result) {
  TellVerdicts();
  ChannelStory& story = *step_.story;
  Call call;
  if (const auto found = calls_.find(result.request); found != calls_.end()) {
    call = std::move(found->second);
    calls_.erase(found);
  }
  const std::string name =
      absl::StrCat("call ", CallNamed(call.id),
                   call.origin.line == line_ ? "" : absl::StrCat(" of line ", call.origin.line));
  const std::string failure = result.error == nullptr ? "" : ErrorNamed(*result.error);
  const auto answer = [&](StoryKind kind, std::string words, Rule rule) {
    StoryItem& item = Add(kind, std::move(words), rule);
    item.call_id = block_.Keep(call.id);
    item.action = call.action;
    item.message.client_id = block_.Keep(call.client_id);
    Because(call.queued);
    Because(call.origin);
    return &item;
  };
  switch (result.kind) {
    case CallResult::Kind::kMembers:
    case CallResult::Kind::kIsPresent: {
      if (result.error != nullptr) {
        answer(StoryKind::kGetFailed, absl::StrCat(name, " fails: ", failure),
               {"the set cannot be told",
                step_.channel->state() == ChannelState::kSuspended ? "RTP11d" : "RTP11"});
        return;
      }
      const std::string told = result.kind == CallResult::Kind::kIsPresent
                                   ? std::string(result.present ? "present" : "not present")
                                   : Counted(output_->members.size(), "member");
      const char* when = "";
      if (step_.completed.has_value()) {
        when = ", now that the set is complete";
      } else if (step_.channel->state() == ChannelState::kSuspended) {
        when = ", as they were before the channel was suspended";
      } else if (story.syncing) {
        when = ", though a sync runs, for it does not wait for one";
      }
      answer(StoryKind::kGetAnswered, absl::StrCat(name, " is answered: ", told, when),
             {"the set as of now", "RTP11"})
          ->count = output_->members.size();
      if (step_.completed.has_value()) Because(*step_.completed);
      return;
    }
    case CallResult::Kind::kSubscription:
      if (result.error != nullptr) {
        answer(StoryKind::kSubscribeFailed, absl::StrCat(name, " fails: ", failure), {});
      } else {
        answer(StoryKind::kSubscribed, absl::StrCat(name, " is done"), {});
      }
      return;
    case CallResult::Kind::kOperation: {
      Origin sent;
      for (auto at = story.in_flight.begin(); at != story.in_flight.end(); ++at) {
        if (at->second.request != result.request) continue;
        sent = at->second.sent;
        story.in_flight.erase(at);
        break;
      }
      const bool refused = std::holds_alternative<OperationsNacked>(*step_.input);
      if (result.error == nullptr) {
        answer(StoryKind::kOperationDone,
               absl::StrCat(name, " is done: the server acknowledged it"),
               {"acknowledged", "RTP16a"});
      } else if (refused) {
        answer(StoryKind::kOperationFailed,
               absl::StrCat(name, " fails, as the server refused it: ", failure),
               {"refused by the server", "RTN7a"});
      } else {
        answer(StoryKind::kOperationFailed, absl::StrCat(name, " fails: ", failure),
               sent.item != 0          ? Rule{"the connection will not answer it", "RTN7e"}
               : call.queued.item != 0 ? Rule{"what is queued fails with its channel", "RTP5a"}
                                       : Rule{"refused at once", "RTP16c"});
      }
      Because(sent);
      TellOwn(call.client_id, Here());
      return;
    }
  }
}

void Explainer::Watcher::Tell(const SendAttach&) {
  TellVerdicts();
  Add(StoryKind::kSendsAttach, "ATTACH is to be sent");
  if (step_.story->state.line == line_) Because(step_.story->state);
}

void Explainer::Watcher::Tell(const SendDetach&) {
  TellVerdicts();
  Add(StoryKind::kSendsDetach, "DETACH is to be sent once more", {"detach again", "RTN19b"});
}

void Explainer::Watcher::Tell(const SendPresence& send) {
  TellVerdicts();
  ChannelStory& story = *step_.story;
  InFlight& sent = story.in_flight[send.token];
  sent.request = send.request;
  sent.action = send.item.action;
  sent.msg_serial = output_->msg_serial;
  Message member;
  if (!send.request.has_value()) {
    sent.client_id = std::string(send.item.client_id.value_or(""));
    member.client_id = sent.client_id;
    member.id = send.item.id;
    member.payload = send.item.payload;
    StoryItem& item = AddOf(
        StoryKind::kReentrySent, member,
        absl::StrCat("ENTER of ", Named(sent.client_id), " goes out as msgSerial ", sent.msg_serial,
                     ": it is a member of our own, and the channel was attached",
                     send.item.id.empty() ? "" : "; with its id, as the connection is the same"),
        {"re-entry of own members", send.item.id.empty() ? "RTP17g" : "RTP17g1"});
    item.msg_serial = sent.msg_serial;
    item.action = send.item.action;
    if (const auto own = story.own.find(sent.client_id); own != story.own.end()) {
      Because(own->second);
    }
    Because(story.state);
    sent.sent = Here();
    return;
  }
  const auto call = calls_.find(*send.request);
  Origin asked;
  Origin queued;
  std::string id;
  if (call != calls_.end()) {
    asked = call->second.origin;
    queued = call->second.queued;
    id = call->second.id;
    sent.client_id = call->second.client_id;
  }
  member.client_id = sent.client_id;
  member.payload = send.item.payload;
  std::string words = absl::StrCat(ActionNamed(static_cast<int64_t>(send.item.action)), " of call ",
                                   Named(id), " goes out as msgSerial ", sent.msg_serial);
  if (queued.item != 0) {
    absl::StrAppend(&words, ", queued since line ", queued.line);
  }
  StoryItem& item = AddOf(StoryKind::kOperationSent, member, std::move(words),
                          queued.item != 0 ? Rule{"the queue goes out once attached", "RTP5b"}
                                           : Rule{"attached: sent at once", "RTP16a"});
  item.msg_serial = sent.msg_serial;
  item.action = send.item.action;
  item.call_id = block_.Keep(id);
  Because(queued);
  Because(asked);
  if (queued.item != 0) Because(story.state);
  sent.sent = Here();
}

void Explainer::Watcher::TellResend(const SendPresence& send) {
  // Of which channel it is, the token alone does not say; the replay does.
  const std::string_view name = output_->channel.value_or("");
  InFlight* sent = nullptr;
  for (size_t i = 0; i < channels_.size() && sent == nullptr; ++i) {
    if (replayer_.NameOf(i).value_or("") != name) continue;
    const auto found = channels_[i]->in_flight.find(send.token);
    if (found != channels_[i]->in_flight.end()) sent = &found->second;
  }
  Message member;
  if (sent != nullptr) member.client_id = sent->client_id;
  member.payload = send.item.payload;
  StoryItem& item = AddOf(
      StoryKind::kOperationResent, member,
      absl::StrCat(ActionNamed(static_cast<int64_t>(send.item.action)), ", msgSerial ",
                   output_->msg_serial,
                   sent == nullptr ? "" : absl::StrCat(", first sent on line ", sent->sent.line),
                   ", goes out again, unchanged: the transport is another one, the connection the "
                   "same"),
      {"sent again on a new transport", "RTN19a"});
  if (output_->channel.has_value()) item.channel = block_.Keep(*output_->channel);
  item.msg_serial = output_->msg_serial;
  item.action = send.item.action;
  if (sent != nullptr) Because(sent->sent);
}

void Explainer::Watcher::Tell(const ChannelUpdate& update) {
  ChannelStory& story = *step_.story;
  if (const auto* const nacked = std::get_if<OperationsNacked>(step_.input)) {
    // One for each re-entry that was refused, in the order of the serials.
    for (const AcknowledgedOperation& done : nacked->operations) {
      const auto found = story.in_flight.find(done.token);
      if (found == story.in_flight.end() || found->second.request.has_value()) continue;
      Message member;
      member.client_id = found->second.client_id;
      AddOf(StoryKind::kReentryFailed, member,
            absl::StrCat("the server refused to enter ", Named(found->second.client_id), " again",
                         ReasonNamed(update.reason)),
            {"a re-entry that is refused is told", "RTP17e"})
          .msg_serial = done.msg_serial;
      Because(found->second.sent);
      story.in_flight.erase(found);
      return;
    }
  }
  Add(StoryKind::kChannelUpdated,
      absl::StrCat("the channel is attached as before, ",
                   update.resumed ? "resumed" : "but the server has lost track of it",
                   ReasonNamed(update.reason)),
      {"ATTACHED while attached", "RTL12"});
}

// A call that got neither answer nor frame: it waits.
void Explainer::Watcher::TellWaits() {
  const ChannelInput& input = *step_.input;
  const Channel& channel = *step_.channel;
  const auto* const get = std::get_if<GetCall>(&input);
  const auto* const is_present = std::get_if<IsUserPresentCall>(&input);
  const auto* const operation = std::get_if<OperationCall>(&input);
  if (get == nullptr && is_present == nullptr && operation == nullptr) return;
  const RequestId request = get != nullptr          ? get->request
                            : is_present != nullptr ? is_present->request
                                                    : operation->request;
  const auto found = calls_.find(request);
  if (found == calls_.end()) return;  // answered
  Call& call = found->second;
  ChannelStory& story = *step_.story;
  const std::string until =
      absl::StrCat(channel.state() == ChannelState::kDetaching
                       ? "the detach is over and the channel attached again"
                   : channel.state() == ChannelState::kAttached
                       ? (channel.connection().connected() ? "there is room in flight"
                                                           : "the connection is back")
                       : "the channel is attached");
  if (operation == nullptr) {
    const bool for_sync = channel.state() == ChannelState::kAttached;
    Add(StoryKind::kGetWaits,
        absl::StrCat("it waits until ",
                     for_sync ? SyncNamed(story.sync_id, story.sync.line) + " ends" : until),
        for_sync ? Rule{"get waits for the sync", "RTP11c1"}
                 : Rule{"get waits for the attach", "RTP11e"})
        .call_id = block_.Keep(call.id);
    Because(call.origin);
    Because(for_sync ? story.sync : story.state);
    call.queued = Here();
    return;
  }
  for (const auto& [token, sent] : story.in_flight) {
    if (sent.request == request) return;
  }
  Message member;
  member.client_id = call.client_id;
  StoryItem& item = AddOf(StoryKind::kOperationQueued, member,
                          absl::StrCat("it is queued until ", until), {"queued", "RTP16b"});
  item.call_id = block_.Keep(call.id);
  item.action = call.action;
  Because(call.origin);
  Because(story.state);
  call.queued = Here();
}

// With a new connection id, what was in flight is in the queue again, and re-entries are forgotten.
void Explainer::Watcher::TellRequeued() {
  ChannelStory& story = *step_.story;
  if (step_.channel->operations_in_flight() > 0) return;
  for (const auto& [token, sent] : story.in_flight) {
    if (!sent.request.has_value()) {
      if (step_.channel->Unacknowledged(token).has_value()) return;
      continue;
    }
    const auto call = calls_.find(*sent.request);
    if (call == calls_.end()) continue;
    Message member;
    member.client_id = sent.client_id;
    StoryItem& item =
        AddOf(StoryKind::kOperationRequeued, member,
              absl::StrCat(ActionNamed(static_cast<int64_t>(sent.action)), " of call ",
                           CallNamed(call->second.id), ", sent on line ", sent.sent.line,
                           ", was not acknowledged and goes back to the queue: nobody will answer "
                           "for the old connection"),
              {"queued again for the new connection", "RTL3d2"});
    item.call_id = block_.Keep(call->second.id);
    item.action = sent.action;
    Because(sent.sent);
    Because(head_);
    call->second.queued = Here();
  }
  story.in_flight.clear();
}

void Explainer::Watcher::WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                                  const Channel& channel) {
  StoryState state;
  state.line = line;
  state.t = t;
  state.channel = name;
  state.engine = &channel;
  state.at_end = at_end_;
  // In the order in which they were made, as they are told.
  const ChannelStory* const story = ended_ < channels_.size() ? channels_[ended_].get() : nullptr;
  if (story != nullptr && story->syncing) state.sync_line = story->sync.line;
  ++ended_;
  sink_.WriteEnd(state);
}

}  // namespace presence::sim
