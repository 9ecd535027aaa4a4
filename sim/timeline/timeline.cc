#include "sim/timeline/timeline.h"

#include "engine/json/writer.h"
#include "presence/client/channel.h"

namespace presence::sim {
namespace {

// Appends what comes after something else in an array or object.
void Comma(std::string& out) {
  if (!out.empty() && out.back() != '[' && out.back() != '{') out += ',';
}

void AppendField(std::string_view name, std::string_view text, std::string& out) {
  Comma(out);
  json::AppendString(name, out);
  out += ':';
  json::AppendString(text, out);
}
void AppendField(std::string_view name, int64_t number, std::string& out) {
  Comma(out);
  json::AppendString(name, out);
  out += ':';
  json::AppendInt(number, out);
}

std::string_view ActionName(PresenceAction action) {
  switch (action) {
    case PresenceAction::kAbsent:
      return "absent";
    case PresenceAction::kPresent:
      return "present";
    case PresenceAction::kEnter:
      return "enter";
    case PresenceAction::kLeave:
      return "leave";
    case PresenceAction::kUpdate:
      return "update";
  }
  return "";
}

// Whether an item that names no channel is about the connection, or the trace, rather than about
// the channel that no line has named.
bool IsOfNoChannel(const StoryItem& item) {
  switch (item.kind) {
    case StoryKind::kReceived:
    case StoryKind::kSent:
    case StoryKind::kOwnerMoved:
    case StoryKind::kConnection:
    case StoryKind::kAckUnknown:
      return true;
    case StoryKind::kSuspicion:
      return item.message.client_id.empty();
    default:
      return false;
  }
}

}  // namespace

int64_t Timeline::Pairs::Add(std::string_view one, std::string_view other) {
  const auto [known, added] = numbers_.try_emplace(std::pair(std::string(one), std::string(other)),
                                                   static_cast<int64_t>(size_));
  if (added) {
    ++size_;
    Comma(json_);
    json_ += '[';
    json::AppendString(one, json_);
    json_ += ',';
    json::AppendString(other, json_);
    json_ += ']';
  }
  return known->second;
}

bool Timeline::Wants(const StoryItem& item) const {
  return !options_.channel.has_value() || !item.channel.has_value() ||
         *item.channel == *options_.channel;
}

// The first channel that is named takes over the one that was not, as in the replay.
int64_t Timeline::AddChannel(std::optional<std::string_view> name) {
  if (!name.has_value()) {
    if (channels_.empty()) channels_.emplace_back();
    return 0;
  }
  const auto [known, added] =
      channel_numbers_.try_emplace(std::string(*name), static_cast<int64_t>(channels_.size()));
  if (!added) return known->second;
  if (channels_.size() == 1 && !channels_.front().has_value()) {
    known->second = 0;
    channels_.front() = known->first;
  } else {
    channels_.emplace_back(known->first);
  }
  return known->second;
}

int64_t Timeline::ChannelOf(const StoryItem& item) {
  if (!item.channel.has_value() && IsOfNoChannel(item)) return -1;
  return AddChannel(item.channel);
}

int64_t Timeline::MemberOf(std::string_view client_id, std::string_view connection_id) {
  const int64_t member = members_.Add(client_id, connection_id);
  own_.resize(members_.size());
  return member;
}

void Timeline::WriteBlock(const StoryBlock& block) {
  if (full_) return;
  // Whole lines only, so that what the page shows of a line is all of it.
  scratch_.clear();
  size_t wanted = 0;
  for (const StoryItem& item : block.items) wanted += Wants(item) ? 1 : 0;
  if (wanted == 0) return;
  if (items_count_ + wanted > options_.max_items) {
    full_ = true;
    return;
  }
  const size_t before = items_count_;
  for (const StoryItem& item : block.items) {
    places_.resize(item.number + 1, -1);
    if (!Wants(item)) continue;
    places_[item.number] = static_cast<int64_t>(items_count_++);
    AppendItem(item, scratch_);
  }
  if (items_.size() + scratch_.size() > options_.max_bytes) {
    items_count_ = before;
    full_ = true;
    return;
  }
  Comma(lines_);
  lines_ += '[';
  json::AppendInt(static_cast<int64_t>(block.line), lines_);
  lines_ += ',';
  json::AppendInt(block.t, lines_);
  lines_ += ']';
  ++lines_count_;
  last_line_ = block.line;
  Comma(items_);
  items_ += scratch_;
}

// [line, kind, channel, member, words, rule, [causes], {the rest}]
void Timeline::AppendItem(const StoryItem& item, std::string& out) {
  const auto number = [&out](int64_t value) {
    json::AppendInt(value, out);
    out += ',';
  };
  Comma(out);
  out += '[';
  number(static_cast<int64_t>(lines_count_));
  number(static_cast<int64_t>(item.kind));
  number(ChannelOf(item));
  int64_t member = -1;
  if (!item.message.client_id.empty()) {
    member = MemberOf(item.message.client_id, item.message.connection_id);
    if (item.own && !item.message.connection_id.empty()) own_[static_cast<size_t>(member)] = true;
  }
  number(member);
  json::AppendString(item.words, out);
  out += ',';
  number(item.rule.empty() && item.point.empty() ? -1 : rules_.Add(item.rule, item.point));
  out += '[';
  for (const uint64_t cause : item.causes) {
    if (cause >= places_.size() || places_[cause] < 0) continue;
    Comma(out);
    json::AppendInt(places_[cause], out);
  }
  out += "],{";
  if (item.event.has_value()) AppendField("event", EventTypeName(*item.event), out);
  if (item.reason != LeaveReason::kNone) AppendField("reason", LeaveReasonName(item.reason), out);
  if (item.action.has_value()) AppendField("action", ActionName(*item.action), out);
  if (item.stored.has_value() && !item.message.id.empty() && item.stored->id == item.message.id) {
    Comma(out);
    out += "\"same\":true";
  }
  if (item.kind == StoryKind::kStateChanged && item.state.has_value()) {
    AppendField("state", StateName(*item.state), out);
  }
  if (item.connection_state.has_value()) {
    AppendField("connection", ConnectionStateName(*item.connection_state), out);
  }
  if (!item.sync_id.empty()) AppendField("sync", item.sync_id, out);
  if (!item.serial.empty()) AppendField("serial", item.serial, out);
  if (!item.call_id.empty()) AppendField("call", item.call_id, out);
  if (item.msg_serial.has_value()) AppendField("msgSerial", *item.msg_serial, out);
  if (item.count > 0) AppendField("count", static_cast<int64_t>(item.count), out);
  out += "}]";
}

void Timeline::WriteEnd(const StoryState& state) {
  if (options_.channel.has_value() && state.channel.has_value() &&
      *state.channel != *options_.channel) {
    return;
  }
  std::string members;
  state.engine->members().ForEach([&](const Message& message) {
    if (!members.empty()) members += ',';
    json::AppendInt(MemberOf(message.client_id, message.connection_id), members);
  });
  Comma(ends_);
  ends_ += '{';
  AppendField("channel", AddChannel(state.channel), ends_);
  AppendField("state", StateName(state.engine->state()), ends_);
  ends_ += ",\"members\":[" + members + "]}";
}

std::string Timeline::Data(const About& about) const {
  std::string out = "{";
  out.reserve(items_.size() + lines_.size() + 4096);
  AppendField("format", 1, out);
  AppendField("made", about.made, out);
  AppendField("trace", about.trace, out);
  out += ",\"only\":";
  if (options_.channel.has_value()) {
    json::AppendString(*options_.channel, out);
  } else {
    out += "null";
  }
  out += ",\"cut\":";
  if (about.cut.empty()) {
    out += "null";
  } else {
    json::AppendString(about.cut, out);
  }
  out += ",\"kinds\":[";
  for (int kind = 0; kind < kStoryKindCount; ++kind) {
    Comma(out);
    json::AppendString(StoryKindName(static_cast<StoryKind>(kind)), out);
  }
  out += "],\"rules\":[" + rules_.json();
  out += "],\"channels\":[";
  for (const std::optional<std::string>& channel : channels_) {
    Comma(out);
    if (channel.has_value()) {
      json::AppendString(*channel, out);
    } else {
      out += "null";
    }
  }
  out += "],\"members\":[" + members_.json();
  out += "],\"own\":[";
  for (size_t member = 0; member < own_.size(); ++member) {
    if (!own_[member]) continue;
    Comma(out);
    json::AppendInt(static_cast<int64_t>(member), out);
  }
  out += "],\"lines\":[" + lines_ + "],\"items\":[";
  out += items_;
  out += "],\"ends\":[" + ends_ + "]}";
  return out;
}

}  // namespace presence::sim
