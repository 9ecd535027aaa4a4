#include "tools/completion_command.h"

#include <string>
#include <string_view>
#include <vector>

#include "tools/command.h"
#include "tools/commands.h"
#include "tools/help_command.h"

namespace presence::tools {
namespace {

// What a value or an operand is, as far as a shell can help with it.
enum class Kind { kFile, kFolder, kOther };

Kind KindOf(std::string_view value) {
  if (value == "FILE" || value.starts_with("TRACE")) return Kind::kFile;
  return value == "DIR" ? Kind::kFolder : Kind::kOther;
}

// The words that may follow a command, if they are known.
std::vector<std::string_view> OperandsOf(const Command& command) {
  std::vector<std::string_view> words = command.operand_choices;
  if (command.name == "help") {
    for (const Command& other : Commands()) words.push_back(other.name);
  }
  return words;
}

// --- bash ---

// Words as one quoted word, which the script takes apart at the line ends.
std::string BashList(const std::vector<std::string>& words) {
  std::string list = "$'";
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += "\\n";
    list += words[i];  // none has a quote or a backslash
  }
  return list + "'";
}

std::string BashList(const std::vector<std::string_view>& words) {
  return BashList(std::vector<std::string>(words.begin(), words.end()));
}

std::string BashFiles(Kind kind) {
  return std::string("compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -") +
         (kind == Kind::kFolder ? "d" : "f") + " -- \"$cur\"))";
}

std::string BashWords(const std::string& list) {
  return "COMPREPLY=($(compgen -W " + list + " -- \"$cur\"))";
}

std::string BashCompletion() {
  std::vector<std::string> first = {"--version", "--help"};
  std::string values;    // of flags, by command and flag
  std::string flags;     // by command
  std::string operands;  // by command
  for (const Command& command : Commands()) {
    const std::string name(command.name);
    first.push_back(name);
    std::vector<std::string> spelled;
    for (const Flag& flag : FlagsOf(command)) {
      const bool equals = flag.takes_value && flag.name.size() > 1;
      spelled.push_back(SpelledFlag(flag) + (equals ? "=" : ""));
      if (!flag.takes_value) continue;
      values += "    '" + name + " " + SpelledFlag(flag) + "') ";
      if (!flag.choices.empty()) {
        values += BashWords(BashList(flag.choices)) + "; ";
      } else if (KindOf(flag.value) != Kind::kOther) {
        values += BashFiles(KindOf(flag.value)) + "; ";
      }
      values += "return ;;\n";
    }
    flags += "      " + name + ") " + BashWords(BashList(spelled)) + " ;;\n";
    if (const auto words = OperandsOf(command); !words.empty()) {
      operands += "      " + name + ") " + BashWords(BashList(words)) + " ;;\n";
    } else if (KindOf(command.operands) == Kind::kFile) {
      operands += "      " + name + ") " + BashFiles(Kind::kFile) + " ;;\n";
    }
  }
  return R"(# Completion of presence for bash: source <(presence completion bash)
_presence() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} IFS=$'\n'
  COMPREPLY=()
  if [[ $COMP_CWORD == 1 ]]; then
    )" + BashWords(BashList(first)) +
         R"(
    return
  fi
  # bash parts --flag=value at the sign.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  case "${COMP_WORDS[1]} $prev" in
)" + values +
         R"(  esac
  if [[ $cur == -* ]]; then
    case ${COMP_WORDS[1]} in
)" + flags +
         R"(    esac
    [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
  else
    case ${COMP_WORDS[1]} in
)" + operands +
         R"(    esac
  fi
}
complete -F _presence presence
)";
}

// --- zsh ---

// Text inside single quotes, in a place where these characters have a meaning.
std::string ZshText(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') quoted += '\\';
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted;
}

// As much of a help text as fits beside a word: its beginning.
std::string_view BriefOf(std::string_view help) {
  for (const std::string_view end : {"; ", ": ", ". "}) help = help.substr(0, help.find(end));
  return help;
}

template <typename Words>
std::string ZshWords(const Words& words) {
  std::string list = "(";
  for (const auto& word : words) {
    if (list.size() > 1) list += ' ';
    list += word;
  }
  return list + ")";
}

std::string ZshAction(std::string_view value) {
  switch (KindOf(value)) {
    case Kind::kFile:
      return "_files";
    case Kind::kFolder:
      return "_files -/";
    case Kind::kOther:
      break;
  }
  return " ";
}

std::string ZshCompletion() {
  std::string commands;
  std::string arguments;
  for (const Command& command : Commands()) {
    const std::string name(command.name);
    commands += "    '" + name + ":" + ZshText(BriefOf(command.summary)) + "'\n";
    arguments += "    " + name + ")\n      _arguments";
    for (const Flag& flag : FlagsOf(command)) {
      const bool equals = flag.takes_value && flag.name.size() > 1;
      arguments += " \\\n        '" + SpelledFlag(flag) + (equals ? "=" : "") + "[" +
                   ZshText(BriefOf(flag.help)) + "]";
      if (flag.takes_value) {
        arguments += ":" + std::string(flag.choices.empty() ? flag.value : flag.name) + ":" +
                     (flag.choices.empty() ? ZshAction(flag.value) : ZshWords(flag.choices));
      }
      arguments += "'";
    }
    if (command.most_operands > 0) {
      const auto words = OperandsOf(command);
      const std::string action = words.empty() ? ZshAction(command.operands) : ZshWords(words);
      const std::string what(command.operand_name.empty() ? "what" : command.operand_name);
      arguments += std::string(" \\\n        '") + (command.most_operands > 1 ? "*" : "1") + ":" +
                   what + ":" + action + "'";
    }
    arguments += "\n      ;;\n";
  }
  return R"(#compdef presence
# Completion of presence for zsh: presence completion zsh >"${fpath[1]}/_presence"
_presence() {
  local -a commands
  commands=(
)" + commands +
         R"(    '--version:the version, and of an optimised build the commit'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
)" + arguments +
         R"(  esac
}
if [[ $funcstack[1] == _presence ]]; then
  _presence "$@"
else
  compdef _presence presence
fi
)";
}

}  // namespace

int RunCompletion(const CommandLine& line) {
  return PrintText(line.operands()[0] == "zsh" ? ZshCompletion() : BashCompletion());
}

}  // namespace presence::tools
