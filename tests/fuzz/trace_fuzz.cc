// Any bytes are replayed as a trace, malformed lines skipped, and explained. Each line is read the
// same after the one before as alone and by way of a tree. Every message is one
// line, every line of output is JSON, no text has a control character, and what the checker of
// `presence replay --check` promises holds throughout.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "presence/client/channel.h"
#include "sim/explain/explainer.h"
#include "sim/explain/story.h"
#include "sim/explain/text_story.h"
#include "sim/explain/why.h"
#include "sim/replay/output.h"
#include "sim/replay/replay_checker.h"
#include "sim/replay/replayer.h"
#include "sim/trace/trace_reader.h"
#include "tests/fuzz/check.h"
#include "tests/trace/line_agreement.h"

namespace {

using presence::FuzzCheck;

bool IsOneLine(std::string_view text) {
  return !text.empty() && text.find('\n') == std::string_view::npos;
}

// Reads back every line that a replay writes.
class JsonLines : public presence::sim::LineSink {
 public:
  void WriteLine(std::string_view line) override {
    FuzzCheck(IsOneLine(line), "an output line that is none", std::string(line));
    const auto element = parser_.Parse(text_.Assign(line));
    FuzzCheck(element.ok() && element->is_object(), "an output line that is no JSON object",
              std::string(line));
  }

 private:
  presence::json::PaddedText text_;
  presence::json::Parser parser_;
};

// Nothing in a trace can reach a terminal as a control character: neither those of ASCII nor U+0080
// to U+009F, of which some are the beginning of a terminal's commands too.
class TextLines : public presence::sim::LineSink {
 public:
  void WriteLine(std::string_view line) override {
    unsigned char before = 0;
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      const bool control = byte < 0x20 || byte == 0x7F || (before == 0xC2 && byte < 0xA0);
      FuzzCheck(!control, "a control character in text", std::string(line));
      before = byte;
    }
  }
};

// Gives everything to two outputs.
class Both : public presence::sim::ReplaySink {
 public:
  Both(ReplaySink& first, ReplaySink& second) : first_(first), second_(second) {}
  void Write(const presence::sim::ReplayOutput& output) override {
    first_.Write(output);
    second_.Write(output);
  }
  void WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                const presence::Channel& channel) override {
    first_.WriteEnd(line, t, name, channel);
    second_.WriteEnd(line, t, name, channel);
  }

 private:
  ReplaySink& first_;
  ReplaySink& second_;
};

// Passes a story on, and asks why the first member that it names is absent.
class Asker : public presence::sim::StorySink {
 public:
  explicit Asker(StorySink& next) : next_(next) {}
  void WriteBlock(const presence::sim::StoryBlock& block) override {
    next_.WriteBlock(block);
    for (const presence::sim::StoryItem& item : block.items) {
      if (why_.has_value() || item.message.client_id.empty()) continue;
      why_.emplace(presence::sim::Why::Question::kAbsent, std::string(item.message.client_id));
    }
    if (why_.has_value()) why_->WriteBlock(block);
  }
  void WriteEnd(const presence::sim::StoryState& state) override {
    next_.WriteEnd(state);
    if (why_.has_value()) why_->WriteEnd(state);
  }
  std::vector<std::string> Paragraphs() const {
    return why_.has_value() ? why_->Paragraphs() : std::vector<std::string>();
  }

 private:
  StorySink& next_;
  std::optional<presence::sim::Why> why_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace sim = presence::sim;

  JsonLines json_lines;
  TextLines text_lines;
  sim::JsonlOutput json(json_lines);
  sim::TextOutput text(text_lines);
  Both outputs(json, text);
  sim::ReplayChecker checker;
  sim::Replayer replayer(outputs, &checker);
  sim::TextStory story(text_lines, sim::TextStory::Colours::kNo);
  Asker asker(story);
  sim::Explainer explainer(asker);
  sim::TraceReader reader;
  // Not by LineReader, whose buffers would cost more than all the rest.
  presence::json::PaddedText padded;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string before;  // the line before
  for (uint64_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view bytes = padded.Assign(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (sim::TraceReader::IsBlank(bytes)) continue;
    const std::string disagreement = presence::testing::LineDisagreementAfter(before, bytes);
    FuzzCheck(disagreement.empty(), "the line before makes a difference", disagreement);
    before = bytes;
    absl::Status status = reader.Read(bytes);
    if (status.ok()) {
      status = replayer.Apply(number, reader.line());
      FuzzCheck(explainer.Apply(number, reader.line()).code() == status.code(),
                "replayed and explained differ");
    }
    if (!status.ok()) {
      FuzzCheck(status.code() == absl::StatusCode::kInvalidArgument &&
                    IsOneLine(std::string(status.message())),
                "refused in the wrong way", status.ToString());
    }
    if (checker.violation().has_value()) {
      FuzzCheck(false, checker.violation()->invariant, checker.violation()->what);
    }
  }
  replayer.Finish();
  explainer.Finish();
  for (const std::string& paragraph : asker.Paragraphs()) text_lines.WriteLine(paragraph);
  return 0;
}
