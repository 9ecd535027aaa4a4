// `presence explain` from outside: its flags, its answers, what it says of bad input.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kReconnect = "tests/testdata/captures/reconnect/";

// ann comes and goes; bob comes, is named by the sync, and his older LEAVE is dropped.
constexpr std::string_view kTrace =
    R"({"t":1795563142000,"recv":{"action":11,"channel":"room","flags":1}})"
    "\n"
    R"({"t":1795563142100,"recv":{"action":16,"channel":"room","channelSerial":"s:","presence":[{"action":1,"id":"c1:0:0","clientId":"ann","connectionId":"c1"},{"action":1,"id":"c2:4:0","clientId":"bob","connectionId":"c2"}]}})"
    "\n"
    R"({"note":"nothing"})"
    "\n"
    R"({"t":1795563143000,"recv":{"action":14,"channel":"room","id":"c1:1","connectionId":"c1","presence":[{"action":3,"clientId":"ann"}]}})"
    "\n"
    R"({"t":1795563144000,"recv":{"action":14,"channel":"room","id":"c2:3","connectionId":"c2","presence":[{"action":3,"clientId":"bob"}]}})"
    "\n";

Finished Explain(std::vector<std::string> flags, std::string_view trace = kTrace) {
  flags.insert(flags.begin(), "explain");
  flags.emplace_back("-");
  return Command(std::move(flags)).Input(trace).Run();
}

size_t Lines(std::string_view text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(ExplainCommand, AnswersNothingOfWhatItWasNotTold) {
  const Finished har = Explain({"--why-absent=ann"}, R"({"log":{"entries":[]}})");
  EXPECT_EQ(har.status, 1);
  EXPECT_EQ(har.out, "");
  EXPECT_THAT(har.err, HasSubstr("a HAR: `presence import FILE`"));
  const Finished channel = Explain({"--why-absent=ann", "--channel=rooms"});
  EXPECT_EQ(channel.out, "");
  EXPECT_EQ(channel.err, "presence: no line of - names the channel rooms; there is room\n");
  // Of a trace that breaks off, what came before counts.
  EXPECT_THAT(Explain({"--why-present=ann"}, std::string(kTrace) + "{").out,
              StartsWith("It is not there: ann is not present in room"));
}

TEST(ExplainCommand, SaysInOneParagraphWhyFrankOfACaptureIsGone) {
  for (const std::string_view name :
       {"devtools.har", "playwright.har", "client.log", "devtools-console.log", "frames.txt"}) {
    const Finished imported =
        Command({"import", std::string(kReconnect) + std::string(name)}).Run();
    ASSERT_EQ(imported.status, 0) << imported.err;
    const Finished told = Explain({"--why-absent=frank"}, imported.out);
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(Lines(told.out), 1u) << "one paragraph";
    EXPECT_THAT(told.out, AllOf(StartsWith("frank is not present in my-room::$chat at the end"),
                                HasSubstr("a sync ended without naming it"),
                                HasSubstr("another one than before"), HasSubstr("(RTP1)"),
                                HasSubstr("frank (Ty6UiOpAs1) swept"), HasSubstr("(RTP19)")))
        << name;
  }
}

TEST(ExplainCommand, TellsABlockForEachLineThatDidSomethingThenTheEnd) {
  const Finished told = Explain({});
  EXPECT_EQ(told.status, 0);
  EXPECT_EQ(told.err, "");
  EXPECT_THAT(told.out,
              HasSubstr("    4  23:32:23.000  room  PRESENCE, 1 item\n       LEAVE of ann "
                        "(c1) accepted: its msgSerial 1:0 is above 0:0 of line 2; it has "
                        "left  [RTP2b2]\n"));
  EXPECT_THAT(told.out, Not(HasSubstr("    3  "))) << "a note does nothing";
  EXPECT_THAT(told.out, EndsWith("At the end room is attached, with 1 member:\n  bob (c2)\n"));
  EXPECT_THAT(told.out, Not(HasSubstr("\x1b"))) << "no colours but on a terminal";
}

TEST(ExplainCommand, TellsOfOneMemberOnly) {
  const Finished ann = Explain({"--member=ann"});
  EXPECT_THAT(ann.out, AllOf(HasSubstr("ann (c1)"), Not(HasSubstr("bob (c2)"))));
  EXPECT_THAT(ann.out, EndsWith("with 1 member, this one not among them\n"));
  EXPECT_THAT(Explain({"--member=bob@c2"}).out, HasSubstr("LEAVE of bob (c2) dropped"));
  EXPECT_THAT(Explain({"--member=bob@c1"}).out, Not(HasSubstr("bob (c2)")));
}

TEST(ExplainCommand, AClientIdMayHoldAnAt) {
  constexpr std::string_view kAddress =
      R"({"recv":{"action":14,"channel":"room","id":"c1:0","connectionId":"c1","presence":[{"action":2,"clientId":"ann@home"}]}})"
      "\n";
  for (const std::string_view member : {"ann@home", "ann@home@c1"}) {
    EXPECT_THAT(Explain({"--member=" + std::string(member)}, kAddress).out,
                HasSubstr("ENTER of ann@home (c1)"))
        << member;
  }
}

TEST(ExplainCommand, TellsOfOneChannelOnly) {
  constexpr std::string_view kTwo = R"({"recv":{"action":11,"channel":"a"}})"
                                    "\n"
                                    R"({"recv":{"action":11,"channel":"b"}})"
                                    "\n";
  const std::string told = Explain({"--channel=b"}, kTwo).out;
  EXPECT_THAT(told, AllOf(Not(HasSubstr("  a  ")), HasSubstr("  b  ATTACHED"),
                          EndsWith("At the end b is attached, with 0 members\n")));
}

TEST(ExplainCommand, AtALineSaysWhatHappenedThereAndWhatWasSo) {
  const Finished told = Explain({"--at=2"});
  EXPECT_EQ(told.status, 0);
  EXPECT_THAT(told.out, StartsWith("    2  23:32:22.100  room  SYNC page s:, 2 items\n"));
  EXPECT_THAT(told.out,
              EndsWith("After line 2 room is attached, with 2 members:\n  ann (c1)\n  bob (c2)\n"));
}

TEST(ExplainCommand, AtATimeIsTheSameAsAtItsLine) {
  const std::string at_line = Explain({"--at=4"}).out;
  EXPECT_THAT(at_line, HasSubstr("After line 4 room"));
  for (const std::string_view time :
       {"23:32:23.000", "23:32:23", "2026-11-24T23:32:23Z", "2026-11-24T23:32:23.999",
        "1795563143000", "1795563143000ms"}) {
    EXPECT_EQ(Explain({"--at", std::string(time)}).out, at_line) << time;
  }
}

TEST(ExplainCommand, ALineBehindTheEndIsAMistakeAndTheEndIsTold) {
  const Finished told = Explain({"--at=99"});
  EXPECT_EQ(told.status, 1);
  EXPECT_THAT(told.err, HasSubstr("has 5 lines, and none of the number asked for"));
  EXPECT_THAT(told.out, HasSubstr("At the end room is attached, with 1 member"));
}

TEST(ExplainCommand, AnswersAtAMoment) {
  EXPECT_THAT(Explain({"--why-present=ann", "--at=2"}).out,
              StartsWith("ann is present in room after line 2, on 1 connection. On c1 it came with "
                         "line 2: PRESENT of ann (c1) accepted"));
  EXPECT_THAT(Explain({"--why-absent=ann"}).out,
              AllOf(StartsWith("ann is not present in room at the end of the trace: it left."),
                    HasSubstr("It went with line 4: LEAVE of ann (c1) accepted")));
}

TEST(ExplainCommand, AnswersTheOtherQuestionIfThatIsTheOne) {
  EXPECT_THAT(Explain({"--why-absent=bob"}).out,
              AllOf(StartsWith("It is not absent: bob is present in room"),
                    HasSubstr("in vain: line 5: LEAVE of bob (c2) dropped: its msgSerial 3:0 is "
                              "below 4:0 of line 2; it stays (RTP2b2)")));
  EXPECT_THAT(Explain({"--why-present=ann"}).out, StartsWith("It is not there: ann is not"));
}

TEST(ExplainCommand, OfANameNobodyHasTheNearestOnesAreTold) {
  EXPECT_THAT(Explain({"--why-absent=An"}).out, HasSubstr("Names that are near to it: ann."));
  EXPECT_THAT(
      Explain({"--why-present=zebulon"}).out,
      AllOf(HasSubstr("no line of the trace names a client of that name"), Not(HasSubstr("near"))));
}

TEST(ExplainCommand, MistakesAreTold) {
  EXPECT_EQ(Explain({"--at=noon"}).status, 2);
  EXPECT_THAT(Explain({"--at=noon"}).err, HasSubstr("--at takes a line (17) or a time"));
  EXPECT_EQ(Explain({"--at=0"}).status, 2);
  EXPECT_EQ(Explain({"--at=25:00"}).status, 2);
  EXPECT_EQ(Explain({"--why-present=a", "--why-absent=b"}).status, 2);
  EXPECT_EQ(Explain({"--why-present="}).status, 2);
  EXPECT_EQ(Explain({"--why-present=a", "--member=a"}).status, 2);
  EXPECT_EQ(Command({"explain", "/nowhere/at-all"}).Run().status, 2);
  EXPECT_EQ(Command({"explain"}).Run().status, 2);
  EXPECT_THAT(Explain({"--why-absnt=frank"}).err, HasSubstr("--why-absent"));
}

TEST(ExplainCommand, AMalformedLineEndsTheStoryUnlessItIsToGoOn) {
  const std::string trace = std::string(kTrace) + "hello\n" +
                            R"({"t":1795563145000,"recv":{"action":13,"channel":"room"}})" + "\n";
  const Finished stopped = Explain({}, trace);
  EXPECT_EQ(stopped.status, 1);
  EXPECT_EQ(stopped.err, "-:6: not valid JSON\n");
  EXPECT_THAT(stopped.out, AllOf(HasSubstr("    5  "), Not(HasSubstr("At the end"))));
  const Finished gone_on = Explain({"--keep-going"}, trace);
  EXPECT_EQ(gone_on.status, 1);
  EXPECT_THAT(gone_on.err, HasSubstr("1 malformed line skipped"));
  EXPECT_THAT(gone_on.out, HasSubstr("    7  "));
}

TEST(ExplainCommand, AFileOfAnotherKindIsToldWhichCommandReadsIt) {
  for (const std::string_view name : {"devtools.har", "client.log"}) {
    const Finished told = Command({"explain", std::string(kReconnect) + std::string(name)}).Run();
    EXPECT_EQ(told.status, 1);
    EXPECT_THAT(told.err, HasSubstr("presence import FILE")) << name;
  }
}

TEST(ExplainCommand, NothingOfATraceReachesATerminalAsAControlCharacter) {
  constexpr std::string_view kHostile =
      R"({"recv":{"action":14,"channel":"\u001b[2Jroom\n","id":"c\u0000:0","connectionId":"c\u0000","presence":[{"action":2,"clientId":"a\u009b\u0007\nb\u007f","data":"\u001b]0;x\u0007"},{"action":2,"clientId":"a\u009b\u0007\nb\u007f","data":"y","id":"c\u0000:0:0"}]}})"
      "\n"
      R"({"call":"get","channel":"\u001b[2Jroom\n","id":"\u001bid\n"})"
      "\n"
      R"({"recv":{"action":9,"channel":"\u001b[2Jroom\n","error":{"code":1,"statusCode":1,"message":"\u001b[31m\r"}}})"
      "\n";
  for (const std::vector<std::string>& flags : {std::vector<std::string>{},
                                                {"--why-absent=a\xC2\x9B\x07\nb\x7F"},
                                                {"--why-absent=\x1B["}}) {
    const Finished told = Explain(flags, kHostile);
    for (const char c : told.out + told.err) {
      const auto byte = static_cast<unsigned char>(c);
      EXPECT_TRUE((byte >= 0x20 && byte != 0x7F) || c == '\n') << int{byte};
    }
    EXPECT_THAT(told.out, Not(HasSubstr("\xC2\x9B")));
  }
}

// A name that turns the direction of writing would make the words behind it read otherwise.
TEST(ExplainCommand, NothingOfATraceTurnsTheWordsAround) {
  const Finished told = Explain(
      {"--why-present=\u202Eevil\u2066"},
      R"({"action":14,"channel":"r","presence":[{"action":2,"clientId":"\u202eevil\u2066","connectionId":"c\u200f","id":"c\u200f:0:0"}]})"
      "\n");
  EXPECT_THAT(told.out, StartsWith(R"(\u202eevil\u2066 is present in r)"));
  EXPECT_THAT(told.out, HasSubstr(R"(On c\u200f it came)"));
  // What joins signs into one emoji stays, as do letters.
  EXPECT_THAT(Explain({"--why-absent=\u05E9\U0001F469\u200D\U0001F467"}).out,
              StartsWith("\u05E9\U0001F469\u200D\U0001F467 is not present"));
}

// --- What a first user may get wrong ---

TEST(ExplainCommand, OfAMemberOrChannelThatNoLineNamesItSaysSo) {
  EXPECT_EQ(Explain({"--member=Bob"}).err,
            "presence: no line of - names the member Bob; near to it: bob\n");
  EXPECT_EQ(Explain({"--member=bob@c9"}).err,
            "presence: no line of - names the member bob@c9; near to it: bob\n");
  EXPECT_EQ(Explain({"--member=bob@c2"}).err, "");
  EXPECT_EQ(Explain({"--channel=rooms"}).err,
            "presence: no line of - names the channel rooms; there is room\n");
  EXPECT_EQ(Explain({"--channel=room"}).err, "");
}

TEST(ExplainCommand, ATimeBehindTheEndIsToldToBe) {
  EXPECT_EQ(Explain({"--at=2026-11-26T00:00:00Z"}).err,
            "presence: - ends before that time: this is its end\n");
  EXPECT_EQ(Explain({"--at=2026-11-24T23:32:22.500Z"}).err, "");
}

TEST(ExplainCommand, WhereNothingIsItSaysSo) {
  for (const std::string_view trace : {"", "\n \r\n"}) {
    const Finished told = Explain({}, trace);
    EXPECT_EQ(told.status, 0);
    EXPECT_EQ(told.out, "");
    EXPECT_EQ(told.err, "presence: nothing is in -\n");
  }
}

TEST(ExplainCommand, AFlagWithoutItsValueHasTakenTheTrace) {
  EXPECT_EQ(Command({"explain", "--why-absent", "x.jsonl"}).Run().err,
            "presence: explain: no trace given, as \"x.jsonl\" is the value of --why-absent; see "
            "presence help explain\n");
}

TEST(ExplainCommand, AByteOrderMarkIsToldHowToBeRidOf) {
  EXPECT_EQ(Explain({}, "\xEF\xBB\xBF{\"note\":\"x\"}\n").err,
            "-:1: not valid JSON: begins with a byte order mark\n"
            "presence: - is to be saved as UTF-8 without that mark\n");
}

}  // namespace
}  // namespace presence::testing
