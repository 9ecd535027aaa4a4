// Why somebody is present, or is not: of every trace the line that is named is the one that did it;
// and of each way to be a ghost, or to be missing, the words.

#include "sim/explain/why.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "sim/explain/explainer.h"
#include "sim/explain/sentences.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"
#include "tests/explain/explain_trace.h"
#include "tests/explain/trace_pool.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

using sim::Why;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Question = Why::Question;

// --- Every trace ---

// Who came and went, by the replay's events alone.
class Events : public sim::ReplaySink {
 public:
  struct Life {
    std::string channel, connection_id, client_id;
    bool present = false;
    uint64_t joined = 0;
    uint64_t stored = 0;
    uint64_t gone = 0;
  };

  void Write(const sim::ReplayOutput& output) override {
    const std::string channel(output.channel.value_or(""));
    if (output.channel.has_value() && std::exchange(unnamed_, false)) {
      // The first name takes over what had none.
      for (Life& life : lives) life.channel = channel;
    }
    if (std::holds_alternative<SetCleared>(*output.effect)) {
      for (Life& life : lives) {
        if (!life.present || life.channel != channel) continue;
        life.present = false;
        life.gone = output.line;
      }
    }
    const auto* const event = std::get_if<MemberEvent>(output.effect);
    if (event == nullptr) return;
    Life& life = LifeOf(channel, event->message);
    if (event->type == EventType::kLeave) {
      life.present = false;
      life.gone = output.line;
      return;
    }
    if (!life.present) life.joined = output.line;
    life.present = true;
    life.stored = output.line;
  }
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>, const Channel&) override {}

  std::vector<Life> lives;

 private:
  Life& LifeOf(const std::string& channel, const Message& message) {
    for (Life& life : lives) {
      if (life.channel == channel && life.connection_id == message.connection_id &&
          life.client_id == message.client_id) {
        return life;
      }
    }
    Life& life = lives.emplace_back();
    life.channel = channel;
    life.connection_id = message.connection_id;
    life.client_id = message.client_id;
    return life;
  }

  bool unnamed_ = true;
};

// Gives one story to many.
class Everybody : public sim::StorySink {
 public:
  void WriteBlock(const sim::StoryBlock& block) override {
    for (const auto& why : asked) why->WriteBlock(block);
  }
  void WriteEnd(const sim::StoryState& state) override {
    for (const auto& why : asked) why->WriteEnd(state);
  }
  std::vector<std::unique_ptr<Why>> asked;
};

std::string FirstLines(const std::string& text, size_t count) {
  size_t end = 0;
  for (size_t i = 0; i < count && end < text.size(); ++i) {
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  }
  return text.substr(0, end);
}

// Replays `trace` and asks for everybody.
void CheckAnswers(const std::string& trace) {
  Events events;
  sim::Replayer replayer(events);
  sim::LineReader lines(sim::ReadMemory(trace));
  sim::TraceReader reader;
  std::string_view text;
  while (lines.Next(text).value_or(false)) {
    if (sim::TraceReader::IsBlank(text)) continue;
    ASSERT_TRUE(reader.Read(text).ok());
    ASSERT_TRUE(replayer.Apply(lines.line_number(), reader.line()).ok());
  }
  std::map<std::string, std::vector<const Events::Life*>> of_client;
  for (const Events::Life& life : events.lives) of_client[life.client_id].push_back(&life);
  Everybody everybody;
  std::vector<std::string> clients;
  for (const auto& [client, lives] : of_client) {
    clients.push_back(client);
    everybody.asked.push_back(std::make_unique<Why>(Question::kPresent, client));
  }
  ASSERT_EQ(Explain(trace, everybody), "");
  for (size_t i = 0; i < clients.size(); ++i) {
    const std::vector<std::string> paragraphs = everybody.asked[i]->Paragraphs();
    std::string all;
    for (const std::string& paragraph : paragraphs) absl::StrAppend(&all, paragraph, "\n");
    std::map<std::string, std::pair<size_t, uint64_t>> channels;  // present, gone last
    for (const Events::Life* life : of_client[clients[i]]) {
      auto& [present, gone] = channels[life->channel];
      if (life->present) ++present;
      gone = std::max(gone, life->gone);
    }
    for (const Events::Life* life : of_client[clients[i]]) {
      const auto& [present, gone] = channels[life->channel];
      if (life->present && present <= 4) {
        std::string named = sim::Named(life->connection_id);
        EXPECT_THAT(
            all, HasSubstr(absl::StrCat("On ", named, " it came with line ", life->joined, ":")));
        if (life->stored != life->joined) {
          EXPECT_THAT(
              all, HasSubstr(absl::StrCat("What is stored of it is of line ", life->stored, ":")));
        }
      } else if (present == 0) {
        EXPECT_THAT(all, HasSubstr(absl::StrCat("It went with line ", gone, ":")));
      }
    }
    for (const auto& [channel, told] : channels) {
      const std::string where =
          channel.empty() ? std::string() : absl::StrCat(" in ", sim::Named(channel));
      EXPECT_THAT(all, HasSubstr(absl::StrCat(sim::Named(clients[i]),
                                              told.first > 0 ? " is present" : " is not present",
                                              where, " at the end")));
    }
  }
}

TEST(Why, NamesTheLineThatDidItInEveryWrittenTrace) {
  for (const PooledTrace& trace : WrittenTraces()) {
    SCOPED_TRACE(trace.name);
    // Names with control characters are escaped in an answer, and not in what is expected of it.
    if (trace.text.find("\\u00") != trace.text.npos) continue;
    CheckAnswers(trace.text);
  }
}

TEST(Why, NamesTheLineThatDidItAfterEachLineOfTheMuseum) {
  for (const PooledTrace& trace : WrittenTraces()) {
    if (!trace.name.starts_with("tests/museum/") || trace.text.find("\\u00") != trace.text.npos) {
      continue;
    }
    const auto count = std::count(trace.text.begin(), trace.text.end(), '\n');
    for (size_t lines = 1; lines < static_cast<size_t>(count); ++lines) {
      SCOPED_TRACE(absl::StrCat(trace.name, ", ", lines, " lines"));
      CheckAnswers(FirstLines(trace.text, lines));
    }
  }
}

TEST(Why, NamesTheLineThatDidItInRandomTraces) {
  for (const PooledTrace& trace : RandomTraces()) {
    SCOPED_TRACE(trace.name);
    CheckAnswers(trace.text);
    const auto count = static_cast<size_t>(std::count(trace.text.begin(), trace.text.end(), '\n'));
    for (const size_t part : {size_t{1}, size_t{2}}) {
      CheckAnswers(FirstLines(trace.text, count * part / 3));
    }
    if (::testing::Test::HasFailure()) return;
  }
}

// --- The words ---

std::vector<std::string> Ask(Question question, std::string client, std::string_view trace) {
  Why why(question, std::move(client));
  EXPECT_EQ(Explain(trace, why), "");
  return why.Paragraphs();
}

std::string Museum(const std::string& name) {
  return ReadFileOrFail("tests/museum/" + name + ".jsonl");
}

std::string AskOne(Question question, std::string client, std::string_view trace) {
  const std::vector<std::string> paragraphs = Ask(question, std::move(client), trace);
  EXPECT_EQ(paragraphs.size(), 1u);
  return paragraphs.front();
}

std::string Present(std::string client, std::string_view trace) {
  return AskOne(Question::kPresent, std::move(client), trace);
}
std::string Absent(std::string client, std::string_view trace) {
  return AskOne(Question::kAbsent, std::move(client), trace);
}

// Who is a ghost in an engine with the bug, and not in ours: the line and the rule that saw them
// off.
struct Ghost {
  const char* trace;
  const char* client;
  const char* line;
  const char* rule;
};

TEST(Why, OfTheMuseumsGhostsNamesTheLineAndTheRuleThatSawThemOff) {
  const Ghost kGhosts[] = {
      {"03_synthesized_leave_at_the_same_time", "ann", "line 3:", "(RTP2b1a)"},
      {"11_newer_leaves_told_each", "ann", "line 4:", "(RTP2b2)"},
      {"15_tombstones_told_again", "ann", "line 4:", "(RTP2b2)"},
      {"17_leave_in_a_sync", "ann", "line 4:", "(RTP2b2)"},
      {"18_stale_page_after_a_leave", "ann", "line 4:", "(RTP2b2)"},
      {"14_two_syncs_merged", "gone since", "line 5:", "(RTP19)"},
  };
  for (const Ghost& ghost : kGhosts) {
    SCOPED_TRACE(ghost.trace);
    const std::string told = Present(ghost.client, Museum(ghost.trace));
    EXPECT_THAT(told,
                AllOf(StartsWith("It is not there: "),
                      HasSubstr(absl::StrCat("It went with ", ghost.line)), HasSubstr(ghost.rule)));
  }
}

// A ghost that is there by the rules: the server has not said yet that the old connection's members
// left.
TEST(Why, OfTheMuseumsMembersOfAnOldConnectionOfOursNamesWhatEndedIt) {
  const std::string bob = Present("bob", Museum("27_own_member_of_the_old_connection"));
  EXPECT_THAT(bob, AllOf(HasSubstr("On one it came with line 4: ENTER of bob (one)"),
                         HasSubstr("one was this client's own connection until line 5: CONNECTED"),
                         HasSubstr("for a grace period"), HasSubstr("The sync of line 10"),
                         HasSubstr("has not ended")));
  const std::string ann = Present("ann", Museum("09_serials_restart"));
  EXPECT_THAT(ann, AllOf(HasSubstr("on 2 connections"),
                         HasSubstr("one was this client's own connection until line 5: CONNECTED"),
                         HasSubstr("On two it came with line 7")));
}

TEST(Why, OfOneWhoWasOnlyToldToLeaveSaysThatTheStalePageCouldNotBringItBack) {
  EXPECT_THAT(Absent("ann", Museum("19_leave_before_the_stale_page")),
              AllOf(HasSubstr("nobody of that name has ever been"),
                    HasSubstr("line 3: LEAVE of ann (c1) accepted"),
                    HasSubstr("line 4: PRESENT of ann (c1) dropped: its msgSerial 4:0 is below 5:0 "
                              "of line 3, with which it left; it stays away (RTP2b2)")));
}

constexpr std::string_view kAttached =
    R"({"t":1000,"recv":{"action":4,"connectionId":"me","connectionDetails":{"clientId":"zoe"}}})"
    "\n"
    R"({"t":1001,"recv":{"action":11,"channel":"room","flags":1}})"
    "\n"
    R"({"t":1002,"recv":{"action":16,"channel":"room","channelSerial":"s:","presence":[{"action":1,"id":"c1:5:0","clientId":"ann","connectionId":"c1"}]}})"
    "\n";

TEST(Why, APresentOneWhoseLeaveWasStale) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":14,"channel":"room","id":"c1:4","connectionId":"c1","presence":[{"action":3,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Present("ann", trace),
              AllOf(StartsWith("ann is present in room at the end of the trace, on 1 connection. "
                               "On c1 it came with line 3: PRESENT of ann (c1) accepted: nothing "
                               "was stored of it; it is present now (RTP2d)."),
                    HasSubstr("It was told to leave, in vain: line 4: LEAVE of ann (c1) dropped: "
                              "its msgSerial 4:0 is below 5:0 of line 3; it stays (RTP2b2)."),
                    HasSubstr("It would go by a LEAVE with an id above c1:5:0"),
                    HasSubstr("Odd: line 4: a LEAVE of ann (c1) that is older than what is "
                              "stored")));
}

TEST(Why, APresentOneNamedByTheSync) {
  EXPECT_THAT(
      Present("ann", kAttached),
      AllOf(HasSubstr("It outlived the last sync: line 3:"), HasSubstr("and line 3 had named it"),
            HasSubstr("No LEAVE of it has come since."), Not(HasSubstr("Odd"))));
}

TEST(Why, APresentOneInASyncThatNeverEnds) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":16,"channel":"room","channelSerial":"t:1"}})" + "\n";
  EXPECT_THAT(Present("ann", trace),
              AllOf(HasSubstr("The sync of line 4: the sync t starts, with its first page"),
                    HasSubstr("has not ended: nobody is swept before it does."),
                    HasSubstr("never ends: the capture was cut, or the server owes a page")));
}

TEST(Why, APresentOneOfOurOwnConnectionOfBefore) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":14,"channel":"room","id":"me:0","connectionId":"me","presence":[{"action":2,"clientId":"zoe"}]}})"
      "\n"
      R"({"t":1500,"connection":{"state":"disconnected"}})"
      "\n"
      R"({"t":2003,"recv":{"action":4,"connectionId":"me2","connectionDetails":{"clientId":"zoe"}}})"
      "\n";
  EXPECT_THAT(Present("zoe", trace),
              AllOf(HasSubstr("me was this client's own connection until line 6: CONNECTED"),
                    HasSubstr("for a grace period"), HasSubstr("1000 ms have passed"),
                    HasSubstr("The channel is attaching")));
}

TEST(Why, APresentOneOfASuspendedChannel) {
  const std::string trace =
      std::string(kAttached) + R"({"t":1003,"connection":{"state":"suspended"}})" + "\n" +
      R"({"t":1004,"recv":{"action":14,"channel":"room","id":"c1:6","connectionId":"c1","presence":[{"action":3,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Present("ann", trace),
              AllOf(HasSubstr("The channel is suspended (line 4:"),
                    HasSubstr("line 5: LEAVE of ann (c1) ignored: the channel is suspended"),
                    HasSubstr("1 item came while the channel was in a state that takes none")));
}

TEST(Why, AnAbsentOneWhoseLeaveCame) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":14,"channel":"room","id":"c1:6","connectionId":"c1","presence":[{"action":3,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Absent("ann", trace),
              AllOf(HasSubstr(": it left."), HasSubstr("It went with line 4: LEAVE of ann (c1) "
                                                       "accepted: its msgSerial 6:0 is above 5:0 "
                                                       "of line 3")));
}

TEST(Why, AnAbsentOneWhoseConnectionTheServerLost) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":14,"channel":"room","id":"sys:6","connectionId":"c1","timestamp":1003,"presence":[{"action":3,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Absent("ann", trace),
              AllOf(HasSubstr("the server said so, for its connection was closed or lost"),
                    HasSubstr("(RTP2b1)")));
}

TEST(Why, AnAbsentOneWhomASyncDidNotName) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":16,"channel":"room","channelSerial":"t:"}})" + "\n";
  EXPECT_THAT(Absent("ann", trace),
              AllOf(HasSubstr("a sync ended without naming it"),
                    HasSubstr("Then line 4: the sync t starts, with its first page"),
                    HasSubstr("It went with line 4: ann (c1) swept"), HasSubstr("(RTP19)"),
                    HasSubstr("A page of that sync that named it")));
}

TEST(Why, AnAbsentOneOfAnEmptyAttach) {
  const std::string trace =
      std::string(kAttached) + R"({"t":1003,"recv":{"action":11,"channel":"room"}})" + "\n";
  EXPECT_THAT(Absent("ann", trace),
              AllOf(HasSubstr("the server said that nobody is"), HasSubstr("(RTP19a)"),
                    HasSubstr("ATTACHED with HAS_PRESENCE")));
}

TEST(Why, AnAbsentOneOfAChannelThatWasGivenUp) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":9,"channel":"room","error":{"code":40160,"statusCode":401,"message":"denied"}}})"
      "\n";
  EXPECT_THAT(Absent("ann", trace),
              AllOf(HasSubstr("the channel was given up, and its members with it"),
                    HasSubstr("It went with line 4:"), HasSubstr("(RTP5a)"),
                    HasSubstr("the channel is failed now: 40160 denied (RTL14)"),
                    HasSubstr("It may well be in the room still")));
}

TEST(Why, AChannelThatIsGivenUpAndAttachesAtOnceWasGivenUp) {
  // A get while the channel detaches asks for an attach, which begins in the line that ends the
  // detach.
  const std::string trace = std::string(kAttached) +
                            R"({"t":1003,"state":"detaching","channel":"room"})" + "\n" +
                            R"({"t":1004,"call":"get","channel":"room","id":"g"})" + "\n" +
                            R"({"t":1005,"recv":{"action":13,"channel":"room"}})" + "\n";
  EXPECT_THAT(Absent("ann", trace),
              AllOf(HasSubstr("It went with line 6:"),
                    HasSubstr("as line 6: the channel is detached now (RTL5d)"),
                    Not(HasSubstr("attaching"))));
}

TEST(Why, AnAbsentOneWhoIsInAnotherChannel) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":14,"channel":"room","id":"c1:6","connectionId":"c1","presence":[{"action":3,"clientId":"ann"}]}})"
      "\n"
      R"({"t":1004,"recv":{"action":14,"channel":"other","id":"c1:7","connectionId":"c1","presence":[{"action":2,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Ask(Question::kAbsent, "ann", trace),
              ElementsAre(HasSubstr("It is present in another channel, other."),
                          StartsWith("It is not absent: ann is present in other")));
}

TEST(Why, AnAbsentOneWhoAskedToEnterAndIsQueued) {
  const std::string trace = std::string(kAttached) +
                            R"({"t":1003,"connection":{"state":"disconnected"}})" + "\n" +
                            R"({"t":1004,"call":"enter","channel":"room","id":"e"})" + "\n";
  EXPECT_THAT(Absent("zoe", trace),
              AllOf(HasSubstr("nobody of that name has ever been"),
                    HasSubstr("Of this client's own doing: line 5: it is queued until the "
                              "connection is back (RTP16b).")));
}

TEST(Why, AnAbsentOneWhoseEnterTheServerRefused) {
  const std::string trace =
      std::string(kAttached) + R"({"t":1003,"call":"enter","channel":"room","id":"e"})" + "\n" +
      R"({"t":1004,"recv":{"action":2,"msgSerial":0,"error":{"code":91003,"statusCode":400,"message":"full"}}})" +
      "\n";
  EXPECT_THAT(Absent("zoe", trace), HasSubstr("fails, as the server refused it: 91003 full"));
}

TEST(Why, AnAbsentOneWhoseItemCouldNotBeRead) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":14,"channel":"room","presence":[{"action":2,"clientId":"bob"}]}})"
      "\n";
  EXPECT_THAT(Absent("bob", trace), AllOf(HasSubstr("what named it came to nothing"),
                                          HasSubstr("no connectionId, nor has its frame one")));
}

TEST(Why, AnUnknownOneOfACaptureThatBeginsLate) {
  constexpr std::string_view kLate =
      R"({"t":1,"recv":{"action":14,"channel":"room","id":"c1:6","connectionId":"c1","presence":[{"action":2,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Absent("bob", kLate),
              AllOf(HasSubstr("no line of the trace names a client of that name"),
                    HasSubstr("was never told who was there before the trace began"),
                    HasSubstr("the trace begins in the middle of the session")));
  EXPECT_THAT(Absent("bob", ""), HasSubstr("No line is about a channel at all."));
}

TEST(Why, WithoutTheModeThatIsOdd) {
  constexpr std::string_view kBlind =
      R"({"t":1,"recv":{"action":11,"channel":"room","flags":65536}})"
      "\n";
  EXPECT_THAT(Absent("bob", kBlind), HasSubstr("attached without the mode PRESENCE_SUBSCRIBE"));
}

TEST(Why, OneIdWithTwoMessagesIsOdd) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":14,"channel":"room","presence":[{"action":4,"id":"c1:5:0","connectionId":"c1","clientId":"ann","data":"other"}]}})"
      "\n";
  EXPECT_THAT(Present("ann", trace), HasSubstr("the id c1:5:0 came with other data on line 3"));
}

TEST(Why, WhoIsBackWithoutEnteringIsOdd) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1003,"recv":{"action":16,"channel":"room","channelSerial":"t:"}})" + "\n" +
      R"({"t":1004,"recv":{"action":14,"channel":"room","id":"c1:6","connectionId":"c1","presence":[{"action":4,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Present("ann", trace),
              HasSubstr("is back without having entered: the sync that was complete on line 4 did "
                        "not name it"));
}

TEST(Why, SerialsThatAreMissingAreOdd) {
  const std::string trace =
      std::string(kAttached) +
      R"({"t":1004,"recv":{"action":14,"channel":"room","id":"c1:9","connectionId":"c1","presence":[{"action":4,"clientId":"ann"}]}})"
      "\n";
  EXPECT_THAT(Present("ann", trace), HasSubstr("the msgSerials 6 to 8 are missing"));
}

TEST(Why, ThousandsOfConnectionsOfOneClientAreToldInAFewWords) {
  std::string trace(kAttached);
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(
        &trace, R"({"t":1004,"recv":{"action":14,"channel":"room","id":"x)", i,
        R"(:0","connectionId":"x)", i,
        R"(","presence":[{"action":2,"clientId":"ann"},{"action":4,"clientId":"ann"}]}})", "\n");
  }
  const std::string told = Present("ann", trace);
  EXPECT_THAT(told, HasSubstr("on 3001 connections"));
  EXPECT_THAT(told, HasSubstr("And on 2997 more connections."));
  EXPECT_LT(told.size(), 4000u);
}

TEST(Why, OfConnectionsThatHaveGoneTheLastAreKnown) {
  std::string trace(kAttached);
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(
        &trace, R"({"t":1004,"recv":{"action":14,"channel":"room","id":"x)", i,
        R"(:0","connectionId":"x)", i,
        R"(","presence":[{"action":2,"clientId":"bob"},{"action":3,"clientId":"bob"}]}})", "\n");
  }
  const std::string told = Absent("bob", trace);
  EXPECT_THAT(told, AllOf(HasSubstr("On x2999 it came with line 3003:"),
                          HasSubstr("It had been there on 99 other connections, too: line 2904:"),
                          HasSubstr("; and more.")));
  EXPECT_LT(told.size(), 4000u);
}

}  // namespace
}  // namespace presence::testing
