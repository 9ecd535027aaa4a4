#ifndef TOOLS_COMMAND_LINE_H_
#define TOOLS_COMMAND_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace presence::tools {

// Exit statuses of every command: a public contract.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // a check, an expectation or an input line failed
inline constexpr int kExitUsage = 2;   // wrong usage, or a file that cannot be opened
inline constexpr int kExitInterrupted = 130;
inline constexpr int kExitUnread = 141;  // nobody reads the output any more, as after `| head`

// A flag that a command takes: --name, or --name=VALUE (also --name VALUE); with one dash if the
// name is one letter.
struct Flag {
  std::string_view name;  // without the dashes
  bool takes_value = false;
  // If not empty, the only values. One that takes no value, but has choices, may have one behind
  // "=".
  std::vector<std::string_view> choices = {};
  // What else help and completion say of it.
  std::string_view value = {};  // what the value is: N, FILE, DIR, NAME; with choices not needed
  std::string_view help = {};
  // What people call it elsewhere, without the dashes; who does is told its name.
  std::vector<std::string_view> elsewhere = {};
  // If high is not 0, the value is a whole number from low to high.
  uint64_t low = 0;
  uint64_t high = 0;
};

// "--name" or "-x".
std::string SpelledFlag(const Flag& flag);

// The arguments of a command, taken apart. Of a repeated flag the last counts, but in Values; "--"
// ends the flags;
// "-" is an operand.
class CommandLine {
 public:
  // Fails with a message for people, such as "unknown flag --foo". Where there is a flag "help", -h
  // stands for it.
  static std::optional<std::string> Parse(const std::vector<std::string>& arguments,
                                          const std::vector<Flag>& flags, CommandLine& parsed);

  bool Has(std::string_view flag) const { return Find(flag) != nullptr; }
  // The value of the flag, or `otherwise`.
  std::string Value(std::string_view flag, std::string_view otherwise = "") const;
  // All values of a flag that may be repeated, in their order.
  std::vector<std::string> Values(std::string_view flag) const;
  // The same as Value, of a flag that is a number.
  uint64_t Number(std::string_view flag, uint64_t otherwise) const;
  const std::vector<std::string>& operands() const { return operands_; }
  // The flag that came last with its value as an argument of its own ("--at 17"): who forgot the
  // value has lost an operand to it. Null: none.
  struct Taken {
    std::string flag;
    std::string value;
  };
  const Taken* LastTaken() const { return taken_.flag.empty() ? nullptr : &taken_; }

 private:
  struct Given {
    std::string name;
    std::string value;
  };
  const Given* Find(std::string_view flag) const;

  Taken taken_;
  std::vector<Given> given_;
  std::vector<std::string> operands_;
};

}  // namespace presence::tools

#endif  // TOOLS_COMMAND_LINE_H_
