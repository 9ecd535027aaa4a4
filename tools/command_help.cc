// The help texts, made from what the commands say of themselves.

#include <algorithm>

#include "tools/command.h"
#include "tools/plain_text.h"

namespace presence::tools {
namespace {

constexpr size_t kWidth = 79;
constexpr size_t kMostLabel = 26;  // a longer one has a line of its own

// "--output=jsonl|text|none", "-o FILE", "--check", "--redact[=all]".
std::string LabelOf(const Flag& flag) {
  std::string label = SpelledFlag(flag);
  if (!flag.takes_value) {
    for (const std::string_view choice : flag.choices) label += "[=" + std::string(choice) + "]";
    return label;
  }
  label += flag.name.size() == 1 ? ' ' : '=';
  for (size_t i = 0; i < flag.choices.size(); ++i) {
    if (i > 0) label += '|';
    label += flag.choices[i];
  }
  if (flag.choices.empty()) label += flag.value;
  return label;
}

// Labels with a text beside each, in two columns.
class Columns {
 public:
  void Add(std::string label, std::string_view text) { rows_.emplace_back(std::move(label), text); }
  std::string Text() const {
    size_t widest = 0;
    for (const auto& [label, text] : rows_) {
      if (label.size() <= kMostLabel) widest = std::max(widest, label.size());
    }
    const size_t indent = widest + 4;
    std::string out;
    for (const auto& [label, text] : rows_) {
      const std::string wrapped = Wrap(text, kWidth, indent);
      if (label.size() > widest) {
        out += "  " + label + "\n" + wrapped;
      } else {
        out += "  " + label + wrapped.substr(2 + label.size());
      }
    }
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::string_view>> rows_;
};

}  // namespace

std::vector<Flag> FlagsOf(const Command& command) {
  std::vector<Flag> flags = command.flags;
  flags.push_back({.name = "help", .help = "this text"});
  return flags;
}

std::string Overview(const std::vector<Command>& all) {
  std::string text = "usage: presence COMMAND [flags] [arguments]\n\n";
  Columns commands;
  for (const Command& command : all) {
    std::string label = "presence " + std::string(command.name);
    if (!command.operands.empty()) label += " " + std::string(command.operands);
    commands.Add(std::move(label), command.summary);
  }
  commands.Add("presence --version", "the version, and of an optimised build the commit");
  text += commands.Text();
  text += "\nA first look, at what a browser captured:\n\n";
  text += "  presence import session.har | presence explain -\n";
  return text;
}

std::string HelpOf(const Command& command) {
  std::string text = "usage: presence " + std::string(command.name);
  if (!command.flags.empty()) text += " [flags]";
  if (!command.operands.empty()) text += " " + std::string(command.operands);
  text += "\n\n" + Wrap(command.about, kWidth, 0) + "\n";
  Columns flags;
  for (const Flag& flag : FlagsOf(command)) flags.Add(LabelOf(flag), flag.help);
  text += flags.Text();
  text += command.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n";
  for (const auto& [what, example] : command.examples) {
    text += "\n  # " + std::string(what) + "\n  " + std::string(example) + "\n";
  }
  text += "\n" + Wrap("Exit status: " + std::string(command.exit_status), kWidth, 0);
  return text;
}

}  // namespace presence::tools
