#include "sim/explain/text_story.h"

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/client/channel.h"
#include "sim/base/controls.h"
#include "sim/explain/story_filter.h"
#include "sim/replay/words.h"

namespace presence::sim {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kBlue = "\x1b[34m";
constexpr std::string_view kMagenta = "\x1b[35m";
constexpr std::string_view kPlain = "\x1b[0m";

// What comes is green, what goes is red, what was of no effect yellow, syncs blue, what is odd
// magenta.
std::string_view ColourOf(const StoryItem& item) {
  if (item.event.has_value()) return *item.event == EventType::kLeave ? kRed : kGreen;
  switch (item.kind) {
    case StoryKind::kItemDropped:
    case StoryKind::kItemIgnored:
    case StoryKind::kItemMalformed:
    case StoryKind::kFrameIgnored:
    case StoryKind::kWarning:
      return kYellow;
    case StoryKind::kCleared:
    case StoryKind::kGetFailed:
    case StoryKind::kSubscribeFailed:
    case StoryKind::kOperationFailed:
    case StoryKind::kReentryFailed:
      return kRed;
    case StoryKind::kSyncStarted:
    case StoryKind::kSyncAdopted:
    case StoryKind::kSyncPage:
    case StoryKind::kSyncDiscarded:
    case StoryKind::kSyncCompleted:
    case StoryKind::kLatePage:
      return kBlue;
    case StoryKind::kSuspicion:
      return kMagenta;
    default:
      return {};
  }
}

// The channel that the block is about, if it is one alone.
std::optional<std::string_view> ChannelOf(const StoryBlock& block) {
  std::optional<std::string_view> channel = block.items.front().channel;
  if (channel.has_value()) return channel;
  for (const StoryItem& item : block.items) {
    if (!item.channel.has_value()) continue;
    if (channel.has_value() && channel != item.channel) return std::nullopt;
    channel = item.channel;
  }
  return channel;
}

}  // namespace

void TextStory::Paint(std::string_view colour, std::string_view text) {
  if (!colours_ || colour.empty()) {
    absl::StrAppend(&text_, AbslView(text));
  } else {
    absl::StrAppend(&text_, AbslView(colour), AbslView(text), AbslView(kPlain));
  }
}

void TextStory::WriteBlock(const StoryBlock& block) {
  const StoryItem& head = block.items.front();
  const std::optional<std::string_view> of = ChannelOf(block);
  std::string place;
  char number[24];
  std::snprintf(number, sizeof number, "%5llu  ", static_cast<unsigned long long>(block.line));
  place += number;
  AppendTime(block.t, place);
  place += "  ";
  if (of.has_value()) {
    AppendChannel(of, place);
    place += "  ";
  }
  EscapeControls(place);
  text_.clear();
  Paint(kDim, place);
  Paint(kBold, head.words);
  lines_.WriteLine(text_);
  for (const StoryItem& item : block.items.subspan(1)) {
    text_ = item.kind == StoryKind::kSuspicion ? "     ? " : "       ";
    if (item.channel.has_value() && item.channel != of) {
      std::string channel;
      AppendChannel(item.channel, channel);
      channel += ": ";
      EscapeControls(channel);
      text_ += channel;
    }
    Paint(ColourOf(item), item.words);
    if (!item.point.empty()) Paint(kDim, absl::StrCat("  [", AbslView(item.point), "]"));
    lines_.WriteLine(text_);
  }
}

void TextStory::WriteEnd(const StoryState& state) {
  const Channel& channel = *state.engine;
  std::string text =
      state.at_end ? std::string("At the end ") : absl::StrCat("After line ", state.line, " ");
  AppendChannel(state.channel, text);
  absl::StrAppend(&text, " is ", AbslView(StateName(channel.state())));
  if (state.sync_line != 0) {
    absl::StrAppend(&text, ", in the sync begun on line ", state.sync_line);
  }
  size_t shown = 0;
  std::vector<std::string> members;
  const auto show = [&](const Message& member) {
    if (state.only != nullptr && !state.only->Names(member.client_id, member.connection_id)) return;
    ++shown;
    std::string& line = members.emplace_back("  ");
    AppendMember(member, line);
    AppendPayload(member.payload, line);
    EscapeControls(line);
  };
  channel.members().ForEach(show);
  const size_t all = channel.members().size();
  absl::StrAppend(&text, ", with ", all, all == 1 ? " member" : " members");
  if (state.only != nullptr) {
    absl::StrAppend(&text, shown == 0 ? ", this one not among them" : ", among them");
  }
  if (shown > 0) text += ':';
  EscapeControls(text);
  text_.clear();
  Paint(kBold, text);
  lines_.WriteLine(text_);
  for (const std::string& line : members) lines_.WriteLine(line);
}

}  // namespace presence::sim
