// The `presence` program as somebody meets it who does not know it: help, mistakes, completion.

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/run_command.h"
#include "tools/command.h"
#include "tools/commands.h"

namespace presence::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::MatchesRegex;
using ::testing::Not;
using tools::Commands;

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

TEST(Presence, WithoutArgumentsItSaysWhereHelpIs) {
  const Finished finished = Presence({});
  EXPECT_EQ(finished.status, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err, "presence: no command given; see presence --help\n");
}

TEST(Presence, HelpNamesEveryCommand) {
  const Finished help = Presence({"help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.err, "");
  EXPECT_TRUE(help.out.starts_with("usage: presence COMMAND"));
  for (const tools::Command& command : Commands()) {
    EXPECT_THAT(help.out, HasSubstr("\n  presence " + std::string(command.name) + " "));
  }
  EXPECT_TRUE(help.out.ends_with("\n"));
  for (const char* const spelled : {"--help", "-h"}) {
    EXPECT_EQ(Presence({spelled}).out, help.out);
    EXPECT_EQ(Presence({spelled}).status, 0);
  }
}

TEST(Presence, HelpOfACommandNamesItsFlagsExamplesAndStatuses) {
  for (const tools::Command& command : Commands()) {
    const std::string name(command.name);
    const Finished help = Presence({"help", name});
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_EQ(help.err, "") << name;
    EXPECT_TRUE(help.out.starts_with("usage: presence " + name));
    for (const tools::Flag& flag : tools::FlagsOf(command)) {
      EXPECT_THAT(help.out, HasSubstr("\n  " + tools::SpelledFlag(flag))) << name;
      EXPECT_NE(flag.help, "") << name << " " << flag.name;
    }
    EXPECT_FALSE(command.examples.empty()) << name;
    for (const auto& [what, example] : command.examples) {
      EXPECT_THAT(help.out,
                  HasSubstr("\n  # " + std::string(what) + "\n  " + std::string(example)));
      EXPECT_THAT(std::string(example), HasSubstr("presence " + name));
    }
    EXPECT_THAT(help.out, HasSubstr("\nExit status: 0 "));
    for (const std::string& line : LinesOf(help.out)) EXPECT_LE(line.size(), 79u) << line;
    for (const char* const flag : {"--help", "-h"}) {
      EXPECT_EQ(Presence({name, flag}).out, help.out) << name;
      EXPECT_EQ(Presence({name, flag}).status, 0) << name;
    }
  }
}

// What has the same name in two commands is the same.
TEST(Presence, FlagsAreAlikeInAllCommands) {
  for (const std::string_view name : {"progress", "o", "channel"}) {
    const tools::Flag* first = nullptr;
    for (const tools::Command& command : Commands()) {
      for (const tools::Flag& flag : command.flags) {
        if (flag.name != name) continue;
        if (first == nullptr) first = &flag;
        EXPECT_EQ(flag.help, first->help) << name << " of " << command.name;
        EXPECT_EQ(flag.value, first->value) << name << " of " << command.name;
        EXPECT_EQ(flag.choices, first->choices) << name << " of " << command.name;
      }
    }
    EXPECT_NE(first, nullptr) << name;
  }
}

TEST(Presence, AMistypedCommandIsAnsweredWithTheNearest) {
  const std::vector<std::pair<std::string, std::string>> kMistyped = {
      {"reply", "replay"},
      {"repaly", "replay"},
      {"REPLAY", ""},
      {"gen", "generate"},
      {"genarate", "generate"},
      {"simulat", "simulate"},
      {"hlep", "help"},
      {"complete", "completion"},
      {"version", "--version"},
      {"-version", "--version"},
      {"server", "serve"},
      {"dance", ""},
      {"", ""},
      {"x", ""},
      {std::string(10'000, 'r'), ""},
  };
  for (const auto& [typed, meant] : kMistyped) {
    const std::string nearest = meant.empty() ? "" : " (did you mean " + meant + "?)";
    const Finished finished = Presence({typed});
    EXPECT_EQ(finished.status, 2);
    EXPECT_EQ(finished.out, "");
    const std::string what =
        typed.starts_with('-') ? "unknown flag " + typed : "no command \"" + typed + "\"";
    EXPECT_EQ(finished.err, "presence: " + what + nearest + "; see presence --help\n");
  }
  EXPECT_EQ(Presence({"--frobnicate"}).err,
            "presence: unknown flag --frobnicate; see presence --help\n");
  EXPECT_EQ(Presence({"--versoin"}).err,
            "presence: unknown flag --versoin (did you mean --version?); see presence --help\n");
  EXPECT_EQ(Presence({"help", "reply"}).err, Presence({"reply"}).err);
  EXPECT_EQ(Presence({"help", "reply"}).status, 2);
}

TEST(Presence, AMistypedFlagIsAnsweredWithTheNearest) {
  for (const tools::Command& command : Commands()) {
    const std::string name(command.name);
    for (const tools::Flag& flag : tools::FlagsOf(command)) {
      if (flag.name.size() < 4) continue;
      const std::string right = tools::SpelledFlag(flag);
      std::string swapped = right;
      std::swap(swapped[3], swapped[4]);
      if (swapped == right) continue;
      const Finished finished = Presence({name, swapped + "=1", "bash"});
      EXPECT_EQ(finished.status, 2);
      EXPECT_EQ(finished.err, "presence: " + name + ": unknown flag " + swapped +
                                  " (did you mean " + right + "?); see presence help " + name +
                                  "\n");
    }
  }
}

TEST(Presence, TooManyArgumentsAreRefused) {
  const Finished finished = Presence({"completion", "bash", "zsh"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_EQ(finished.err,
            "presence: completion: \"zsh\" is one argument too many; see presence help "
            "completion\n");
  EXPECT_EQ(Presence({"completion"}).err,
            "presence: completion: no shell given; see presence help completion\n");
  EXPECT_EQ(Presence({"completion", "bsh"}).err,
            "presence: completion: \"bsh\" is not bash or zsh (did you mean bash?); see presence "
            "help completion\n");
  EXPECT_EQ(Presence({"completion", "bsh"}).status, 2);
}

// Which commit it names depends on the build; docs and scripts rely on the rest.
TEST(Presence, Version) {
  const Finished version = Presence({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.err, "");
  EXPECT_THAT(version.out, MatchesRegex("presence 0\\.1\\.0 "
                                        "\\(commit (unknown|[0-9a-f]+(-dirty)?)\\)\n"));
}

TEST(Presence, ShowsTheFormatOfTraces) {
  const Finished format = Presence({"help", "FORMAT"});
  EXPECT_EQ(format.status, 0);
  EXPECT_EQ(format.err, "");
  EXPECT_EQ(Presence({"help", "format"}).out, format.out);
  EXPECT_TRUE(format.out.starts_with("Writing a trace\n===============\n"));
  for (const char* const part :
       {"\"recv\": {frame}", "\"check\": {frame}", "enterClient", "maxMessageSize 65536"}) {
    EXPECT_THAT(format.out, HasSubstr(part));
  }
  EXPECT_THAT(format.out, Not(HasSubstr("Replaying:"))) << "that is another part";
  const Finished output = Presence({"help", "output"});
  EXPECT_TRUE(output.out.starts_with("Replaying: presence replay"));
  EXPECT_THAT(output.out, HasSubstr("\n  \"event\"\n"));
  for (const std::string& text : {format.out, output.out}) {
    EXPECT_THAT(text, Not(HasSubstr("`")));
    EXPECT_THAT(text, Not(HasSubstr("|")));
    for (const std::string& line : LinesOf(text)) EXPECT_LE(line.size(), 100u) << line;
  }
}

// --- Completion ---

// What bash offers after these words, the last of which is being typed. Bash parts words at `=`, as
// it does when somebody types.
std::vector<std::string> BashOffers(const std::string& script, const std::string& words,
                                    const std::string& folder) {
  const std::string test =
      WriteFile("offers.bash", "compopt() { :; }\nsource '" + script + "'\ncd '" + folder +
                                   "'\nCOMP_WORDS=(" + words +
                                   ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                   "_presence\nprintf '%s\\n' "
                                   "\"${COMPREPLY[@]}\"\n");
  const std::string out = TestPath("offers");
  const std::string command = "bash --norc " + test + " >" + out + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << words;
  return LinesOf(ReadFile(out));
}

TEST(Completion, BashIsOfferedCommandsFlagsValuesAndFiles) {
  const std::string script = WriteFile("presence.bash", Presence({"completion", "bash"}).out);
  const std::string folder = TestPath("folder");
  std::filesystem::create_directory(folder);
  for (const char* const name : {"a trace.jsonl", "b.jsonl"}) {
    EXPECT_TRUE(std::filesystem::create_directory(folder + "/" + name));
  }
  const auto offers = [&](const std::string& words) { return BashOffers(script, words, folder); };
  std::vector<std::string> names;
  for (const tools::Command& command : Commands()) names.emplace_back(command.name);
  EXPECT_THAT(offers("presence ''"), IsSupersetOf(names));
  EXPECT_THAT(offers("presence g"), ElementsAre("generate"));
  EXPECT_THAT(offers("presence --v"), ElementsAre("--version"));
  for (const tools::Command& command : Commands()) {
    std::vector<std::string> flags;
    for (const tools::Flag& flag : tools::FlagsOf(command)) {
      flags.push_back(tools::SpelledFlag(flag) +
                      (flag.takes_value && flag.name.size() > 1 ? "=" : ""));
    }
    EXPECT_THAT(offers("presence " + std::string(command.name) + " -"), IsSupersetOf(flags));
  }
  EXPECT_THAT(offers("presence replay --out"), ElementsAre("--output="));
  EXPECT_THAT(offers("presence replay --output ="), ElementsAre("jsonl", "text", "none"));
  EXPECT_THAT(offers("presence replay --output = t"), ElementsAre("text"));
  EXPECT_THAT(offers("presence replay --output t"), ElementsAre("text"));
  EXPECT_THAT(offers("presence replay --check b"), ElementsAre("b.jsonl"));
  EXPECT_THAT(offers("presence replay a"), ElementsAre("a trace.jsonl"));
  EXPECT_THAT(offers("presence generate -o b"), ElementsAre("b.jsonl"));
  EXPECT_THAT(offers("presence generate --profile = r"), ElementsAre("reconnects"));
  EXPECT_THAT(offers("presence generate --members = 1"), ElementsAre(""));
  EXPECT_THAT(offers("presence completion z"), ElementsAre("zsh"));
  EXPECT_THAT(offers("presence help f"), ElementsAre("format"));
  EXPECT_THAT(offers("presence help sim"), ElementsAre("simulate"));
}

// Where there is no zsh, only what the script is made of is looked at.
TEST(Completion, ZshIsToldOfEveryCommandAndFlag) {
  const std::string text = Presence({"completion", "zsh"}).out;
  EXPECT_TRUE(text.starts_with("#compdef presence\n"));
  for (const tools::Command& command : Commands()) {
    EXPECT_THAT(text, HasSubstr("    '" + std::string(command.name) + ":"));
    for (const tools::Flag& flag : tools::FlagsOf(command)) {
      EXPECT_THAT(text, HasSubstr("        '" + tools::SpelledFlag(flag))) << command.name;
    }
  }
  if (std::system("command -v zsh >/dev/null") != 0) return;
  const std::string script = WriteFile("presence.zsh", text);
  EXPECT_EQ(std::system(("zsh -f -n " + script).c_str()), 0);
  EXPECT_EQ(std::system(("zsh -f -c 'autoload -U compinit && compinit -D && source " + script +
                         " && (( $+functions[_presence] ))'")
                            .c_str()),
            0);
}

}  // namespace
}  // namespace presence::testing
