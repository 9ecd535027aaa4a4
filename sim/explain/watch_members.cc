// What the story tells of frames: states, syncs, members.

#include <span>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "sim/explain/story_watcher.h"

namespace presence::sim {
namespace {

std::string_view PageIdOf(std::string_view serial) { return serial.substr(0, serial.find(':')); }
bool IsLastPage(std::string_view serial) {
  const size_t colon = serial.find(':');
  return colon == serial.npos || colon + 1 == serial.size();
}

}  // namespace

void StoryWatcher::TellFrameIgnored() {
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
void StoryWatcher::TellItemsIgnored(const PresenceFrame& frame) {
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
void StoryWatcher::TellPage(const SyncFrame& frame) {
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

void StoryWatcher::Tell(const StateChanged& changed) {
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

void StoryWatcher::Tell(const SyncChanged& changed) {
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

void StoryWatcher::Tell(const SetCleared& cleared) {
  Add(StoryKind::kCleared,
      absl::StrCat(Counted(cleared.members, "member"), " forgotten, without events"),
      {"detached or failed: the set is cleared", "RTP5a"})
      .count = cleared.members;
  if (step_.cleared.has_value()) Because(*step_.cleared);
  step_.cleared = Here();
}

void StoryWatcher::TellTombstonesDropped(size_t count, std::string_view why) {
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

// Tells the verdicts that have not been told yet, up to the first that `stop` says.
template <typename Stop>
void StoryWatcher::TellVerdictsUntil(const Stop& stop) {
  const std::span<const ItemVerdict> verdicts = step_.effects->verdicts();
  while (step_.verdicts_told < verdicts.size()) {
    const ItemVerdict& verdict = verdicts[step_.verdicts_told++];
    TellVerdict(verdict);
    if (stop(verdict)) return;
  }
}

void StoryWatcher::TellVerdicts() {
  TellVerdictsUntil([](const ItemVerdict&) { return false; });
}

void StoryWatcher::Tell(const MemberEvent& event) {
  if (event.reason == LeaveReason::kSwept || event.reason == LeaveReason::kEmpty) {
    TellVerdicts();
    return TellExpelled(event);
  }
  TellVerdictsUntil([](const ItemVerdict& verdict) { return verdict.event.has_value(); });
}

void StoryWatcher::Tell(const Diagnostic& diagnostic) {
  if (!step_.effects->verdicts().empty()) {
    return TellVerdictsUntil(
        [](const ItemVerdict& verdict) { return verdict.kind == ItemVerdict::Kind::kMalformed; });
  }
  Add(StoryKind::kWarning, std::string(diagnostic.text), {"no mode PRESENCE_SUBSCRIBE", "RTP11f"});
}

void StoryWatcher::TellVerdict(const ItemVerdict& verdict) {
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
void StoryWatcher::TellOddities(const ItemVerdict& verdict, const std::optional<Fact>& fact) {
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

void StoryWatcher::TellExpelled(const MemberEvent& event) {
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
  if (fact.has_value() && new_connection_.line > fact->stored.line) Because(new_connection_);
  story.facts.Remove(event.message, event.reason, Here());
}

}  // namespace presence::sim
