// What holds for the story of any trace: it tells what the replay did, in the same order, names the
// lines that it says it names, and is fit to be shown.

#include "sim/explain/story.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/members/newness.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"
#include "tests/explain/explain_trace.h"
#include "tests/explain/trace_pool.h"

namespace presence::testing {
namespace {

std::string EventText(uint64_t line, std::string_view channel, EventType type, LeaveReason reason,
                      uint32_t connections, const Message& message) {
  return absl::StrCat(line, " ", std::string(channel), " ", std::string(EventTypeName(type)), " ",
                      static_cast<int>(reason), " ", connections, " ",
                      std::string(message.client_id), "@", std::string(message.connection_id));
}

// What a replay tells, as lines; the kinds that a story must have one for one.
class Told : public sim::ReplaySink {
 public:
  void Write(const sim::ReplayOutput& output) override {
    const std::string_view channel = output.channel.value_or("");
    if (const auto* event = std::get_if<MemberEvent>(output.effect)) {
      // A story counts connections once its line is done: only the last event of a client's line
      // is sure to agree.
      lines.push_back(
          EventText(output.line, channel, event->type, event->reason, 0, event->message));
    } else if (const auto* state = std::get_if<StateChanged>(output.effect)) {
      lines.push_back(absl::StrCat(output.line, " ", std::string(channel), " state ",
                                   std::string(StateName(state->state))));
    } else if (const auto* sync = std::get_if<SyncChanged>(output.effect)) {
      lines.push_back(absl::StrCat(output.line, " ", std::string(channel), " sync ",
                                   static_cast<int>(sync->phase)));
    } else if (std::holds_alternative<SendPresence>(*output.effect)) {
      lines.push_back(
          absl::StrCat(output.line, " ", std::string(channel), " send ", output.msg_serial));
    } else if (std::holds_alternative<CallResult>(*output.effect)) {
      lines.push_back(absl::StrCat(output.line, " ", std::string(channel), " result ",
                                   std::string(output.call_id)));
    }
  }
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>, const Channel&) override {}

  std::vector<std::string> lines;
};

// The same of a story, and a judge of its items.
class Judge : public sim::StorySink {
 public:
  void WriteBlock(const sim::StoryBlock& block) override {
    ASSERT_FALSE(block.items.empty());
    EXPECT_GT(block.line, last_line_);
    last_line_ = block.line;
    for (const sim::StoryItem& item : block.items) {
      EXPECT_EQ(item.number, ++last_number_);
      EXPECT_EQ(item.line, block.line);
      EXPECT_EQ(item.t, block.t);
      CheckWords(item);
      CheckCauses(item, block.items.front().number);
      CheckStored(item);
      Fold(item);
      Tell(item);
    }
  }
  void WriteEnd(const sim::StoryState& state) override {
    const std::string channel(state.channel.value_or(""));
    size_t members = 0;
    state.engine->members().ForEach([&](const Message& member) {
      ++members;
      const auto kept =
          stored_.find({channel, std::string(member.connection_id), std::string(member.client_id)});
      ASSERT_NE(kept, stored_.end()) << member.client_id;
      EXPECT_EQ(kept->second.id, member.id);
    });
    EXPECT_LE(members, stored_.size());
  }

  std::vector<std::string> lines;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // channel, connection, client
  struct Stored {
    uint64_t line = 0;
    uint64_t item = 0;
    std::string id;
    int64_t timestamp = 0;
    bool tombstone = false;
  };

  static void CheckWords(const sim::StoryItem& item) {
    EXPECT_FALSE(item.words.empty() && item.number > 1 && item.kind != sim::StoryKind::kReceived);
    unsigned char before = 0;
    for (const char c : item.words) {
      const auto byte = static_cast<unsigned char>(c);
      EXPECT_FALSE(byte < 0x20 || byte == 0x7F || (before == 0xC2 && byte < 0xA0)) << item.words;
      before = byte;
    }
    EXPECT_NE(sim::StoryKindName(item.kind), "unknown");
  }
  void CheckCauses(const sim::StoryItem& item, uint64_t head) {
    if (item.number == head) return;
    EXPECT_FALSE(item.causes.empty()) << item.words;
    for (const uint64_t cause : item.causes) {
      EXPECT_GT(cause, 0u);
      EXPECT_LT(cause, item.number) << item.words;
    }
  }
  // What an item says that it was compared with is what an earlier item stored.
  void CheckStored(const sim::StoryItem& item) {
    if (!item.stored.has_value()) return;
    const auto kept = stored_.find(KeyOf(item));
    ASSERT_NE(kept, stored_.end()) << item.words;
    EXPECT_EQ(item.stored->line, kept->second.line) << item.words;
    EXPECT_EQ(item.stored->item, kept->second.item) << item.words;
    EXPECT_EQ(item.stored->id, kept->second.id) << item.words;
    EXPECT_EQ(item.stored->timestamp, kept->second.timestamp) << item.words;
    EXPECT_EQ(item.stored->tombstone, kept->second.tombstone) << item.words;
  }
  void Fold(const sim::StoryItem& item) {
    using sim::StoryKind;
    const Key key = KeyOf(item);
    switch (item.kind) {
      case StoryKind::kItemAccepted:
        stored_[key] = {item.line, item.number, std::string(item.message.id),
                        ToMs(item.message.timestamp), item.action == PresenceAction::kLeave};
        break;
      case StoryKind::kSwept:
      case StoryKind::kEmptied:
      case StoryKind::kTombstoneDropped:
        stored_.erase(key);
        break;
      default:
        break;
    }
  }
  static Key KeyOf(const sim::StoryItem& item) {
    return {std::string(item.channel.value_or("")), std::string(item.message.connection_id),
            std::string(item.message.client_id)};
  }
  void Tell(const sim::StoryItem& item) {
    using sim::StoryKind;
    const std::string place = absl::StrCat(item.line, " ", std::string(item.channel.value_or("")));
    if (item.event.has_value()) {
      lines.push_back(EventText(item.line, item.channel.value_or(""), *item.event, item.reason, 0,
                                item.message));
    }
    switch (item.kind) {
      case StoryKind::kStateChanged:
        lines.push_back(absl::StrCat(place, " state ", std::string(StateName(*item.state))));
        break;
      case StoryKind::kSyncStarted:
        lines.push_back(absl::StrCat(place, " sync 0"));
        break;
      case StoryKind::kSyncCompleted:
        lines.push_back(absl::StrCat(place, " sync 1"));
        break;
      case StoryKind::kSyncDiscarded:
        lines.push_back(absl::StrCat(place, " sync 2"));
        break;
      case StoryKind::kOperationSent:
      case StoryKind::kOperationResent:
      case StoryKind::kReentrySent:
        lines.push_back(absl::StrCat(place, " send ", *item.msg_serial));
        break;
      case StoryKind::kGetAnswered:
      case StoryKind::kGetFailed:
      case StoryKind::kSubscribed:
      case StoryKind::kSubscribeFailed:
      case StoryKind::kOperationDone:
      case StoryKind::kOperationFailed:
        lines.push_back(absl::StrCat(place, " result ", std::string(item.call_id)));
        break;
      default:
        break;
    }
  }

  uint64_t last_line_ = 0;
  uint64_t last_number_ = 0;
  std::map<Key, Stored> stored_;
};

std::vector<std::string> Replay(std::string_view trace) {
  Told told;
  sim::Replayer replayer(told);
  sim::LineReader lines(sim::ReadMemory(trace));
  sim::TraceReader reader;
  std::string_view text;
  while (lines.Next(text).value_or(false)) {
    if (sim::TraceReader::IsBlank(text)) continue;
    if (!reader.Read(text).ok() || !replayer.Apply(lines.line_number(), reader.line()).ok()) break;
  }
  return told.lines;
}

void CheckStory(const PooledTrace& trace) {
  SCOPED_TRACE(trace.name);
  Judge judge;
  EXPECT_EQ(Explain(trace.text, judge), "");
  EXPECT_EQ(judge.lines, Replay(trace.text));
}

TEST(Story, OfEveryWrittenTraceTellsWhatTheReplayDid) {
  for (const PooledTrace& trace : WrittenTraces()) CheckStory(trace);
}

TEST(Story, OfRandomTracesTellsWhatTheReplayDid) {
  for (const PooledTrace& trace : RandomTraces()) {
    CheckStory(trace);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace presence::testing
