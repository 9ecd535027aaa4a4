#include "tools/command_line.h"

#include <algorithm>
#include <charconv>

#include "tools/nearest.h"

namespace presence::tools {
namespace {

std::string Join(const std::vector<std::string_view>& words) {
  std::string joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) joined += i + 1 == words.size() ? " or " : ", ";
    joined += words[i];
  }
  return joined;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

std::string UnknownFlag(std::string_view spelled, const std::vector<Flag>& flags) {
  std::vector<std::string> known;
  for (const Flag& flag : flags) known.push_back(SpelledFlag(flag));
  std::string wrong = "unknown flag " + std::string(spelled);
  const auto meant = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) {
    return std::any_of(flag.elsewhere.begin(), flag.elsewhere.end(),
                       [&](std::string_view name) { return spelled == "--" + std::string(name); });
  });
  const std::string nearest = meant != flags.end() ? SpelledFlag(*meant) : Nearest(spelled, known);
  if (!nearest.empty()) wrong += " (did you mean " + nearest + "?)";
  return wrong;
}

// What is wrong with the value of a flag that takes one; nullopt: nothing.
std::optional<std::string> CheckValue(const Flag& flag, const std::string& value) {
  if (value.empty()) return SpelledFlag(flag) + " needs a value";
  if (!flag.choices.empty() &&
      std::find(flag.choices.begin(), flag.choices.end(), value) == flag.choices.end()) {
    return SpelledFlag(flag) + " is " + Join(flag.choices) + ", not \"" + value + "\"";
  }
  if (flag.high == 0) return std::nullopt;
  const std::optional<uint64_t> number = ParseNumber(value);
  if (number.has_value() && *number >= flag.low && *number <= flag.high) return std::nullopt;
  return SpelledFlag(flag) + "=" + value + ": not a number from " + std::to_string(flag.low) +
         " to " + std::to_string(flag.high);
}

}  // namespace

std::string SpelledFlag(const Flag& flag) {
  return (flag.name.size() == 1 ? "-" : "--") + std::string(flag.name);
}

std::optional<std::string> CommandLine::Parse(const std::vector<std::string>& arguments,
                                              const std::vector<Flag>& flags, CommandLine& parsed) {
  bool only_operands = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (only_operands || argument == "-" || !argument.starts_with('-')) {
      parsed.operands_.emplace_back(argument);
      continue;
    }
    if (argument == "--") {
      only_operands = true;
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string_view spelled = argument == "-h" ? "--help" : argument.substr(0, equals);
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag& candidate) {
      return SpelledFlag(candidate) == spelled;
    });
    if (flag == flags.end()) return UnknownFlag(spelled, flags);
    std::string value;
    const bool may_have_value = flag->takes_value || !flag->choices.empty();
    if (equals != argument.npos) {
      if (!may_have_value) return SpelledFlag(*flag) + " takes no value";
      value = argument.substr(equals + 1);
    } else if (flag->takes_value && i + 1 < arguments.size()) {
      value = arguments[++i];
      parsed.taken_ = {SpelledFlag(*flag), value};
    }
    if (flag->takes_value || equals != argument.npos) {
      if (std::optional<std::string> wrong = CheckValue(*flag, value)) return wrong;
    }
    parsed.given_.push_back({std::string(flag->name), std::move(value)});
  }
  return std::nullopt;
}

const CommandLine::Given* CommandLine::Find(std::string_view flag) const {
  for (auto given = given_.rbegin(); given != given_.rend(); ++given) {
    if (given->name == flag) return &*given;
  }
  return nullptr;
}

std::string CommandLine::Value(std::string_view flag, std::string_view otherwise) const {
  const Given* const given = Find(flag);
  return given == nullptr ? std::string(otherwise) : given->value;
}

std::vector<std::string> CommandLine::Values(std::string_view flag) const {
  std::vector<std::string> values;
  for (const Given& given : given_) {
    if (given.name == flag) values.push_back(given.value);
  }
  return values;
}

uint64_t CommandLine::Number(std::string_view flag, uint64_t otherwise) const {
  const Given* const given = Find(flag);
  return given == nullptr ? otherwise : ParseNumber(given->value).value_or(otherwise);
}

}  // namespace presence::tools
