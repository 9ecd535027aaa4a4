#include "tools/explain_command.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/explain/explainer.h"
#include "sim/explain/moment.h"
#include "sim/explain/sentences.h"
#include "sim/explain/story.h"
#include "sim/explain/story_filter.h"
#include "sim/explain/text_story.h"
#include "sim/explain/why.h"
#include "sim/trace/trace_reader.h"
#include "tools/console.h"
#include "tools/plain_text.h"
#include "tools/trace_file.h"

namespace presence::tools {
namespace {

// Keeps the block that came last, as lines, until it is asked for.
class LastBlock : public sim::StorySink, public sim::LineSink {
 public:
  explicit LastBlock(sim::TextStory::Colours colours) : text_(*this, colours) {}

  void WriteBlock(const sim::StoryBlock& block) override {
    lines_.clear();
    text_.WriteBlock(block);
  }
  void WriteEnd(const sim::StoryState& state) override { text_.WriteEnd(state); }
  void WriteLine(std::string_view line) override { lines_.emplace_back(line); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  sim::TextStory text_;
  std::vector<std::string> lines_;
};

// What the flags ask for.
struct Wanted {
  std::optional<sim::Moment> at;
  std::optional<sim::Why::Question> question;
  std::string client;  // of the question
  std::optional<std::string> channel;
  std::optional<sim::MemberName> member;
  std::string member_name;
  bool keep_going = false;
  std::string progress;
};

// Whether the flags make sense together; says what does not.
bool Read(const CommandLine& line, Wanted& wanted) {
  const auto wrong = [](std::string_view what) {
    Complain(absl::StrCat("explain: ", std::string(what), "; see presence help explain"));
    return false;
  };
  if (line.Has("at")) {
    wanted.at = sim::Moment::Parse(line.Value("at"));
    if (!wanted.at.has_value()) {
      return wrong(
          absl::StrCat("--at takes a line (17) or a time (08:15:21.886, "
                       "2026-11-25T08:15:21Z, 1795563142164), not ",
                       line.Value("at")));
    }
  }
  const bool present = line.Has("why-present");
  const bool absent = line.Has("why-absent");
  if (present && absent) return wrong("--why-present and --why-absent are two questions");
  if (present || absent) {
    wanted.question = present ? sim::Why::Question::kPresent : sim::Why::Question::kAbsent;
    wanted.client = line.Value(present ? "why-present" : "why-absent");
    if (wanted.client.empty()) return wrong("a question needs a client's name");
    if (line.Has("member")) return wrong("--member is for the story, and a question has none");
  }
  if (line.Has("channel")) wanted.channel = line.Value("channel");
  wanted.member_name = line.Value("member");
  if (line.Has("member")) wanted.member.emplace(wanted.member_name);
  wanted.keep_going = line.Has("keep-going");
  wanted.progress = line.Value("progress", "auto");
  return true;
}

// Whether a channel was asked for that no line has named.
bool LacksChannel(const Wanted& wanted, const sim::Explainer& explainer) {
  const std::vector<std::string_view> names = explainer.ChannelNames();
  return wanted.channel.has_value() &&
         std::find(names.begin(), names.end(), *wanted.channel) == names.end();
}

// Whoever, or whatever channel, was asked for, and no line has named.
void TellMissing(const std::string& trace, const Wanted& wanted, const sim::StoryFilter& filter,
                 const sim::Explainer& explainer) {
  if (wanted.channel.has_value()) {
    TellMissingChannel(trace, *wanted.channel, explainer.ChannelNames());
  }
  if (!filter.lacks_member()) return;
  std::string nearest;
  for (const std::string& name : filter.NearMembers()) {
    absl::StrAppend(&nearest, nearest.empty() ? "; near to it: " : ", ", sim::Named(name));
  }
  Complain(absl::StrCat("no line of ", trace, " names the member ", sim::Named(wanted.member_name),
                        nearest));
}

// Tells one trace; an exit status if something ended it before its end.
std::optional<int> Explain(const std::string& trace, const Wanted& wanted, Output& output) {
  const auto colours = output.is_terminal() && std::getenv("NO_COLOR") == nullptr
                           ? sim::TextStory::Colours::kYes
                           : sim::TextStory::Colours::kNo;
  std::unique_ptr<sim::StorySink> teller;
  sim::Why* why = nullptr;
  LastBlock* last = nullptr;
  if (wanted.question.has_value()) {
    auto asked = std::make_unique<sim::Why>(*wanted.question, wanted.client);
    why = asked.get();
    teller = std::move(asked);
  } else if (wanted.at.has_value()) {
    auto kept = std::make_unique<LastBlock>(colours);
    last = kept.get();
    teller = std::move(kept);
  } else {
    teller = std::make_unique<sim::TextStory>(output, colours);
  }
  sim::StoryFilter filter(wanted.channel, wanted.member, *teller);
  sim::Explainer explainer(filter);

  TraceFile file(trace, output, wanted.keep_going, wanted.progress);
  if (!file.Open()) return file.Finish();
  sim::TraceReader reader;
  std::optional<sim::Moment> at = wanted.at;
  bool at_end = true;
  bool any_applied = false;
  std::string_view text;
  while (file.Next(text, explainer.any_frames())) {
    absl::Status status = reader.Read(text);
    if (status.ok()) {
      const uint64_t number = file.lines().line_number();
      const int64_t t = std::max(explainer.now_ms(), reader.line().t.value_or(0));
      if (at.has_value() && at->IsBefore(number, t)) {
        at_end = false;
        break;
      }
      status = explainer.Apply(number, reader.line());
      any_applied |= status.ok();
    }
    if (!status.ok() && !file.Refuse(status, explainer.any_frames())) break;
    if (!output.error().empty()) break;
  }
  std::optional<int> ended = file.Finish();
  if (!ended.has_value()) explainer.Finish(at_end);
  if (!ended.has_value() && at_end && at.has_value() && at->line().has_value() &&
      *at->line() > file.lines().line_number()) {
    output.Flush();
    Complain(absl::StrCat(trace, " has ", file.lines().line_number(),
                          " lines, and none of the number asked for: this is its end"));
    ended = kExitFailed;
  }
  if (!ended.has_value() && at_end && at.has_value() && !at->line().has_value()) {
    output.Flush();
    Complain(absl::StrCat(trace, " ends before that time: this is its end"));
  }
  if (!file.any_line()) {
    Complain(absl::StrCat("nothing is in ", trace));
  } else if (!ended.has_value()) {
    TellMissing(trace, wanted, filter, explainer);
  }
  if (last != nullptr) {
    for (const std::string& line : last->lines()) output.WriteLine(line);
  }
  // Where nothing could be read, or not of that channel, nothing is known of anybody.
  const bool is_known =
      ended.has_value() ? *ended == kExitFailed && any_applied : !LacksChannel(wanted, explainer);
  if (why != nullptr && is_known) {
    const std::optional<size_t> columns = output.columns();
    for (const std::string& paragraph : why->Paragraphs()) {
      // A program gets a line; a person words that are whole.
      output.WriteLine(columns.has_value() ? BreakLines(paragraph, *columns) : paragraph);
    }
  }
  TellMalformed(file.malformed_lines());
  if (!ended.has_value() && file.malformed_lines() > 0) ended = kExitFailed;
  return ended;
}

}  // namespace

int RunExplain(const CommandLine& line) {
  Wanted wanted;
  if (!Read(line, wanted)) return kExitUsage;
  Output output;
  std::optional<int> ended = Explain(line.operands().front(), wanted, output);
  output.Close();
  if (!output.error().empty()) {
    const int failed = OutputFailed(output);
    if (!ended.has_value()) ended = failed;
  }
  return ended.value_or(kExitOk);
}

}  // namespace presence::tools
