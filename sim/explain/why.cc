#include "sim/explain/why.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/absl_view.h"
#include "presence/client/channel.h"
#include "sim/base/controls.h"
#include "sim/explain/sentences.h"

namespace presence::sim {
namespace {

constexpr size_t kMaxEarlier = 1000;  // connections of our own
constexpr size_t kMaxLivesTold = 4;

}  // namespace

// --- The story ---

Why::Room& Why::RoomOf(const std::optional<std::string_view>& name) {
  const std::string_view wanted = name.value_or("");
  if (last_room_ != nullptr && last_room_->name == wanted) return *last_room_;
  if (const auto known = by_name_.find(wanted); known != by_name_.end()) {
    return *(last_room_ = known->second);
  }
  // The first name takes over what had none.
  if (!rooms_.empty() && !rooms_.front()->is_named && !wanted.empty()) {
    last_room_ = rooms_.front().get();
  } else {
    last_room_ = rooms_.emplace_back(std::make_unique<Room>()).get();
  }
  by_name_.emplace(wanted, last_room_);
  last_room_->name = wanted;
  last_room_->is_named = name.has_value();
  return *last_room_;
}

Why::Life& Why::LifeOf(Room& room, std::string_view connection_id) {
  for (Life& life : room.lives) {
    if (life.connection_id == connection_id) return life;
  }
  if (room.lives.size() - room.present >= kMaxGone) {
    const auto oldest = std::find_if(room.lives.begin(), room.lives.end(),
                                     [](const Life& life) { return !life.present; });
    room.lives.erase(oldest);
  }
  Life& life = room.lives.emplace_back();
  life.connection_id = connection_id;
  return life;
}

Why::Link Why::LinkOf(const StoryItem& item) {
  Link link;
  link.line = item.line;
  link.text = absl::StrCat("line ", item.line, ": ", AbslView(item.words));
  if (!item.point.empty()) absl::StrAppend(&link.text, " (", AbslView(item.point), ")");
  return link;
}

void Why::Keep(Links& links, Link link) {
  links.push_back(std::move(link));
  if (links.size() > kMaxLinks) links.pop_front();
}

void Why::WriteBlock(const StoryBlock& block) {
  NoteConnection(block.items.front());
  for (const StoryItem& item : block.items) {
    near_.See(item.message.client_id);
    if (item.channel.has_value()) {
      Note(RoomOf(item.channel), item);
    } else if (item.index.has_value() || item.state.has_value() || !item.sync_id.empty()) {
      Note(RoomOf(std::nullopt), item);
    }
  }
}

void Why::NoteConnection(const StoryItem& head) {
  if (!head.connection_state.has_value()) return;
  if (*head.connection_state != ConnectionState::kConnected) {
    connection_lost_ = LinkOf(head);
  } else {
    const std::string_view id = head.message.connection_id;
    if (!id.empty() && id != connection_id_) {
      if (!connection_id_.empty()) {
        connection_new_ = LinkOf(head);
        absl::StrAppend(&connection_new_->text,
                        ", another one than before, so what happened meanwhile was not told");
        if (!earlier_.contains(connection_id_)) {
          earlier_order_.push_back(connection_id_);
          if (earlier_order_.size() > kMaxEarlier) {
            earlier_.erase(earlier_order_.front());
            earlier_order_.pop_front();
          }
        }
        earlier_[connection_id_] = *connection_new_;
      }
      connection_id_ = id;
    }
    if (!head.message.client_id.empty()) identity_ = head.message.client_id;
  }
}

void Why::Note(Room& room, const StoryItem& item) {
  const bool of_item = item.index.has_value();
  if (of_item && !room.first_item.has_value()) room.first_item = item.line;
  switch (item.kind) {
    case StoryKind::kStateChanged:
      room.state = LinkOf(item);
      room.state_is = item.state;
      if (item.state == ChannelState::kDetached || item.state == ChannelState::kFailed ||
          item.state == ChannelState::kInitialized) {
        room.given_up = room.state;
      }
      if (item.state == ChannelState::kAttached) {
        room.attached = LinkOf(item);
        if (!room.first_set.has_value()) room.first_set = item.line;
      }
      break;
    case StoryKind::kCleared:
      room.cleared = LinkOf(item);
      if (room.given_up.has_value() && room.given_up->line == item.line) {
        absl::StrAppend(&room.cleared->text, ", as ", room.given_up->text);
      }
      for (Life& life : room.lives) {
        if (life.present) {
          Go(room, life, item);
          life.gone = room.cleared;
        }
      }
      room.sync.reset();
      break;
    case StoryKind::kSyncStarted:
      room.sync = LinkOf(item);
      if (!room.first_set.has_value()) room.first_set = item.line;
      break;
    case StoryKind::kSyncAdopted:
    case StoryKind::kSyncPage:
      break;
    case StoryKind::kSyncDiscarded:
      room.sync.reset();
      break;
    case StoryKind::kSyncCompleted:
      room.completed = LinkOf(item);
      if (!room.first_set.has_value()) room.first_set = item.line;
      for (Life& life : room.lives) {
        if (life.present && room.sync.has_value() && life.seen >= room.sync->line) {
          life.spared = LinkOf(item);
          absl::StrAppend(&life.spared->text, ", and line ", life.seen, " had named it");
        }
      }
      room.sync.reset();
      break;
    case StoryKind::kWarning:
      room.no_mode = LinkOf(item);
      break;
    default:
      break;
  }
  if (of_item && item.kind == StoryKind::kItemIgnored && item.rule == kIgnoredByState) {
    ++room.ignored;
  }
  if (item.message.client_id == client_) NoteMember(room, item);
}

void Why::NoteMember(Room& room, const StoryItem& item) {
  const bool leaves = item.action == PresenceAction::kLeave;
  switch (item.kind) {
    case StoryKind::kItemAccepted: {
      Life& life = LifeOf(room, item.message.connection_id);
      life.ours = item.own;
      if (leaves) {
        if (life.present) return Go(room, life, item);
        return Keep(life.since, LinkOf(item));
      }
      life.seen = item.line;
      if (!life.present) {
        life.present = true;
        ++room.present;
        ++life.lives;
        life.joined = LinkOf(item);
        life.stored.reset();
        life.spared.reset();
        life.stale_leaves.clear();
        life.since.clear();
        life.lost.reset();
        life.serial.reset();
      } else {
        life.stored = LinkOf(item);
      }
      life.id = item.message.id;
      life.t = item.t;
      const Version version = VersionOf(item.message);
      if (version.kind != Version::Kind::kSerial) {
        life.serial.reset();
        return;
      }
      if (life.serial.has_value() && version.msg_serial - 1 > life.serial->first) {
        const auto first = life.serial->first + 1;
        const auto last = version.msg_serial - 1;
        const std::string missing =
            first == last ? absl::StrCat("the msgSerial ", first, " is")
                          : absl::StrCat("the msgSerials ", first, " to ", last, " are");
        Keep(life.odd,
             {item.line,
              absl::StrCat("between line ", item.line, " and what was stored before it ", missing,
                           " missing: something else was sent with that, or the "
                           "capture lacks it")});
      }
      life.serial = {version.msg_serial, version.index};
      return;
    }
    case StoryKind::kItemDropped: {
      Life& life = LifeOf(room, item.message.connection_id);
      if (!life.present) return Keep(life.since, LinkOf(item));
      if (leaves) return Keep(life.stale_leaves, LinkOf(item));
      life.seen = item.line;
      return;
    }
    case StoryKind::kItemIgnored:
    case StoryKind::kItemMalformed: {
      Life& life = LifeOf(room, item.message.connection_id);
      return Keep(life.present ? life.odd : life.since, LinkOf(item));
    }
    case StoryKind::kSwept:
    case StoryKind::kEmptied:
      return Go(room, LifeOf(room, item.message.connection_id), item);
    case StoryKind::kSuspicion:
      return Keep(LifeOf(room, item.message.connection_id).odd, LinkOf(item));
    case StoryKind::kSent:
    case StoryKind::kAckUnknown:
    case StoryKind::kOperationQueued:
    case StoryKind::kOperationSent:
    case StoryKind::kOperationRequeued:
    case StoryKind::kOperationDone:
    case StoryKind::kOperationFailed:
    case StoryKind::kOwnKept:
    case StoryKind::kOwnDropped:
    case StoryKind::kReentrySent:
    case StoryKind::kReentryDone:
    case StoryKind::kReentryFailed:
      return Keep(room.own, LinkOf(item));
    default:
      return;
  }
}

void Why::Go(Room& room, Life& life, const StoryItem& item) {
  if (!life.present) return;
  life.present = false;
  --room.present;
  life.gone = LinkOf(item);
  life.gone_by = item.kind;
  life.reason = item.reason;
  life.since.clear();
  const uint64_t stored = life.stored.has_value() ? life.stored->line : life.joined->line;
  life.lost.reset();
  const bool told = item.kind == StoryKind::kItemAccepted;
  if (!told && connection_new_.has_value() && connection_new_->line > stored) {
    life.lost = connection_new_;
  }
  life.sync = item.kind == StoryKind::kSwept ? room.sync : std::nullopt;
}

void Why::WriteEnd(const StoryState& state) {
  Room& room = RoomOf(state.channel);
  room.syncing_at_end = state.engine->sync_state() == Channel::SyncState::kInProgress;
  room.end_line = state.line;
  room.end_t = state.t;
  room.at_end = state.at_end;
  room.state_name = StateName(state.engine->state());
}

// --- The answer ---

std::vector<std::string> Why::Paragraphs() const {
  std::vector<std::string> paragraphs;
  for (const std::unique_ptr<Room>& room : rooms_) {
    if (room->lives.empty() && room->own.empty()) continue;
    paragraphs.push_back(room->present > 0 ? PresentParagraph(*room) : AbsentParagraph(*room));
  }
  if (paragraphs.empty()) paragraphs.push_back(UnknownParagraph());
  for (std::string& paragraph : paragraphs) EscapeControls(paragraph);
  return paragraphs;
}

std::string Why::Where(const Room& room) const {
  return absl::StrCat(
      room.is_named ? absl::StrCat(" in ", Named(room.name)) : "",
      room.at_end ? " at the end of the trace" : absl::StrCat(" after line ", room.end_line));
}

std::string Why::PresentParagraph(const Room& room) const {
  std::string text = absl::StrCat(Named(client_), " is present", Where(room), ", on ",
                                  Counted(room.present, "connection"), ".");
  if (question_ == Question::kAbsent) {
    text = absl::StrCat("It is not absent: ", text);
  }
  Links odd;
  size_t told = 0;
  const Life* only = nullptr;
  for (const Life& life : room.lives) {
    for (const Link& link : life.odd) odd.push_back(link);
    if (!life.present) continue;
    if (++told > kMaxLivesTold) continue;
    absl::StrAppend(&text, " On ", Named(life.connection_id), " it came with ", life.joined->text,
                    ".");
    if (life.stored.has_value()) {
      absl::StrAppend(&text, " What is stored of it is of ", life.stored->text, ".");
    }
    for (const Link& link : life.stale_leaves) {
      absl::StrAppend(&text, " It was told to leave, in vain: ", link.text, ".");
    }
    if (life.spared.has_value()) {
      absl::StrAppend(&text, " It outlived the last sync: ", life.spared->text, ".");
    }
    const auto earlier = earlier_.find(life.connection_id);
    if (earlier != earlier_.end()) {
      absl::StrAppend(
          &text, " ", Named(life.connection_id), " was this client's own connection until ",
          earlier->second.text,
          ". The server keeps the members of a lost connection for a grace period, 15 s unless "
          "asked for another, and only then says that they left; ",
          room.end_t - life.t, " ms have passed since it was stored.");
    } else if (life.stale_leaves.empty()) {
      absl::StrAppend(&text, " No LEAVE of it has come since.");
    }
    only = &life;
  }
  if (told > kMaxLivesTold) {
    absl::StrAppend(&text, " And on ", Counted(told - kMaxLivesTold, "more connection"), ".");
  }
  absl::StrAppend(&text, told > 1 ? " Each would go" : " It would go", " by a LEAVE ",
                  told > 1 ? std::string("that is newer than what is stored of it")
                  : only->serial.has_value() ? absl::StrCat("with an id above ", Named(only->id),
                                                            ", or one that the server makes for it")
                                             : std::string("that is not older than what is stored"),
                  ", by a sync that ends without naming it, or with the channel.");
  if (room.sync.has_value() && room.syncing_at_end) {
    absl::StrAppend(&text, " The sync of ", room.sync->text,
                    ", has not ended: nobody is swept before it does.");
  }
  if (room.state_is == ChannelState::kSuspended) {
    absl::StrAppend(&text, " The channel is suspended (", room.state->text,
                    "): its members stand as they were then, and may have left since.");
  } else if (room.state_is == ChannelState::kAttaching) {
    absl::StrAppend(&text, " The channel is attaching (", room.state->text,
                    "): who has left meanwhile will be known once it is attached.");
  }
  AppendElsewhere(room, text);
  AppendOdd(room, odd, text);
  return text;
}

std::string Why::AbsentParagraph(const Room& room) const {
  std::string text = absl::StrCat(Named(client_), " is not present", Where(room));
  // The connection that went last says why.
  const Life* last = nullptr;
  Links odd;
  for (const Life& life : room.lives) {
    for (const Link& link : life.odd) odd.push_back(link);
    if (!life.gone.has_value()) continue;
    if (last == nullptr || life.gone->line >= last->gone->line) last = &life;
  }
  if (question_ == Question::kPresent) text = absl::StrCat("It is not there: ", text);
  if (last == nullptr) {
    absl::StrAppend(&text, ": nobody of that name has ever been");
    std::string nothing;
    for (const Life& life : room.lives) {
      for (const Link& link : life.since) absl::StrAppend(&nothing, "; ", link.text);
    }
    if (!nothing.empty()) {
      absl::StrAppend(&text, ", and what named it came to nothing", nothing, ".");
    } else {
      absl::StrAppend(&text, ".");
    }
    AppendOwn(room, text);
    AppendElsewhere(room, text);
    AppendOdd(room, odd, text);
    return text;
  }
  const Life& life = *last;
  switch (life.gone_by) {
    case StoryKind::kSwept:
      absl::StrAppend(&text, ": a sync ended without naming it.");
      break;
    case StoryKind::kEmptied:
      absl::StrAppend(&text, ": the server said that nobody is.");
      break;
    case StoryKind::kCleared:
      absl::StrAppend(&text, ": the channel was given up, and its members with it.");
      break;
    default:
      absl::StrAppend(&text, life.reason == LeaveReason::kLost
                                 ? ": the server said so, for its connection was closed or lost."
                                 : ": it left.");
  }
  absl::StrAppend(&text, " On ", Named(life.connection_id), " it came with ", life.joined->text);
  if (life.stored.has_value()) {
    absl::StrAppend(&text, "; what was stored of it last is of ", life.stored->text);
  }
  absl::StrAppend(&text, ".");
  for (const Link& link : life.stale_leaves) {
    absl::StrAppend(&text, " It was told to leave before, in vain: ", link.text, ".");
  }
  if (life.lost.has_value()) absl::StrAppend(&text, " Then ", life.lost->text, ".");
  if (life.sync.has_value()) absl::StrAppend(&text, " Then ", life.sync->text, ".");
  absl::StrAppend(&text, " It went with ", life.gone->text, ".");
  for (const Link& link : life.since) {
    absl::StrAppend(&text, " Since then, to no effect: ", link.text, ".");
  }
  switch (life.gone_by) {
    case StoryKind::kSwept:
      absl::StrAppend(
          &text,
          " No LEAVE of it has come: it left while this client could not hear of it, or "
          "the server forgot it. A page of that sync that named it, or an item of it "
          "between the sync's start and its end, would have kept it.");
      break;
    case StoryKind::kEmptied:
      absl::StrAppend(&text,
                      " ATTACHED with HAS_PRESENCE, and a page that named it, would have kept it.");
      break;
    case StoryKind::kCleared:
      absl::StrAppend(
          &text,
          " It may well be in the room still: attached again, the channel would be told "
          "by a sync.");
      break;
    default:
      absl::StrAppend(&text, life.reason == LeaveReason::kLost
                                 ? " It would be there had it come back in time, or entered since."
                                 : " It would be there had it entered since.");
  }
  const size_t others = static_cast<size_t>(
      std::count_if(room.lives.begin(), room.lives.end(),
                    [&](const Life& other) { return &other != &life && other.gone.has_value(); }));
  if (others > 0) {
    absl::StrAppend(&text, " It had been there on ", Counted(others, "other connection"), ", too:");
    size_t told = 0;
    for (const Life& other : room.lives) {
      if (&other == &life || !other.gone.has_value()) continue;
      if (++told > kMaxLivesTold) break;
      absl::StrAppend(&text, told == 1 ? " " : "; ", other.gone->text);
    }
    absl::StrAppend(&text, others > kMaxLivesTold ? "; and more." : ".");
  }
  if (room.sync.has_value() && room.syncing_at_end) {
    absl::StrAppend(&text, " The sync of ", room.sync->text,
                    ", has not ended: a page of it may name it still.");
  }
  AppendOwn(room, text);
  AppendElsewhere(room, text);
  AppendOdd(room, odd, text);
  return text;
}

// The client was never named.
std::string Why::UnknownParagraph() const {
  const bool at_end = rooms_.empty() || rooms_.front()->at_end;
  std::string text =
      absl::StrCat(Named(client_), " is not present: no line of the trace",
                   at_end ? "" : absl::StrCat(" up to line ", rooms_.front()->end_line),
                   " names a client of that name.");
  const std::vector<std::string> nearest = near_.Nearest();
  if (!nearest.empty()) {
    std::vector<std::string> named;
    for (const std::string& name : nearest) named.push_back(Named(name));
    absl::StrAppend(&text, " Names that are near to it: ", absl::StrJoin(named, ", "), ".");
  }
  if (rooms_.empty()) absl::StrAppend(&text, " No line is about a channel at all.");
  for (const std::unique_ptr<Room>& room : rooms_) {
    const std::string where = room->is_named ? absl::StrCat("The channel ", Named(room->name))
                                             : std::string("The channel");
    if (!room->completed.has_value()) {
      absl::StrAppend(
          &text, " ", where,
          room->sync.has_value()
              ? " was never told who is there: no sync has ended, and this one not yet: " +
                    room->sync->text + "."
              : " was never told who was there before the trace began: no sync of it has "
                "ended.");
    } else {
      absl::StrAppend(&text, " ", where,
                      " was told who is there, and not of it: ", room->completed->text, ".");
    }
    AppendOdd(*room, {}, text);
  }
  return text;
}

// What the client itself did about this user.
void Why::AppendOwn(const Room& room, std::string& text) const {
  if (room.own.empty()) return;
  absl::StrAppend(&text, " Of this client's own doing:");
  for (const Link& link : room.own) {
    absl::StrAppend(&text, &link == &room.own.front() ? " " : "; ", link.text);
  }
  absl::StrAppend(&text, ".");
}

void Why::AppendElsewhere(const Room& room, std::string& text) const {
  for (const std::unique_ptr<Room>& other : rooms_) {
    if (other.get() == &room || other->present == 0) continue;
    absl::StrAppend(&text, " It is present in another channel, ", Named(other->name), ".");
  }
}

void Why::AppendOdd(const Room& room, const Links& odd, std::string& text) const {
  std::vector<std::string> notes;
  for (const Link& link : odd) {
    if (notes.size() < kMaxLinks) notes.push_back(link.text);
  }
  if (room.no_mode.has_value()) notes.push_back(room.no_mode->text);
  if (room.ignored > 0) {
    notes.push_back(absl::StrCat(Counted(room.ignored, "item"),
                                 " came while the channel was in a state that takes none"));
  }
  if (room.syncing_at_end && room.sync.has_value() && room.at_end) {
    notes.push_back(absl::StrCat("the sync of ", room.sync->text,
                                 ", never ends: the capture was cut, or the server owes a page"));
  }
  if (room.first_item.has_value() &&
      (!room.first_set.has_value() || *room.first_item < *room.first_set)) {
    notes.push_back(
        absl::StrCat("the trace begins in the middle of the session: members are named on line ",
                     *room.first_item, ", before any ATTACHED or sync says who was there already"));
  }
  if (notes.empty()) return;
  absl::StrAppend(&text, " Odd: ", absl::StrJoin(notes, "; "), ".");
}

}  // namespace presence::sim
