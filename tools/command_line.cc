#include "tools/command_line.h"

#include <algorithm>

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

}  // namespace

std::optional<std::string> CommandLine::Parse(const std::vector<std::string>& arguments,
                                              const std::vector<Flag>& flags,
                                              CommandLine& parsed) {
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
    const std::string_view spelled = argument.substr(0, equals);
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag& candidate) {
      return spelled.starts_with("--") && spelled.substr(2) == candidate.name;
    });
    if (flag == flags.end()) return "unknown flag " + std::string(spelled);
    std::string value;
    if (!flag->takes_value) {
      if (equals != std::string_view::npos) return std::string(spelled) + " takes no value";
    } else if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return std::string(spelled) + " needs a value";
    }
    if (flag->takes_value && value.empty()) return std::string(spelled) + " needs a value";
    if (!flag->choices.empty() &&
        std::find(flag->choices.begin(), flag->choices.end(), value) == flag->choices.end()) {
      return std::string(spelled) + " is " + Join(flag->choices) + ", not \"" + value + "\"";
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

}  // namespace presence::tools
