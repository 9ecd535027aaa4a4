#ifndef TOOLS_CONSOLE_H_
#define TOOLS_CONSOLE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "sim/replay/output.h"
#include "sim/trace/line_reader.h"

namespace presence::tools {

// Makes standard input, output and error usable whatever the caller closed, goes to the folder from
// which `bazel run` was called, and lets an interrupt be seen at the next line.
void PrepareProcess();
// Whether the user has asked to stop (Ctrl-C). A second time ends the process at once.
bool Interrupted();

// Whole lines to standard output, in large pieces.
class StandardOutput : public sim::LineSink {
 public:
  StandardOutput() = default;
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;
  ~StandardOutput() override { Flush(); }

  void WriteLine(std::string_view line) override;
  void Flush();
  // Why nothing can be written any more; empty if all is well.
  const std::string& error() const { return error_; }

 private:
  std::string buffer_;
  std::string error_;
};

// Compares lines with those of a recorded output instead of writing them.
class ExpectedOutput : public sim::LineSink {
 public:
  ExpectedOutput(std::string name, std::unique_ptr<sim::ByteSource> recorded)
      : name_(std::move(name)), recorded_(std::move(recorded)) {}

  void WriteLine(std::string_view line) override;
  // After the last line: nothing more may be expected.
  void Finish();
  // The first difference, told for people with both lines and what came before; empty if there is
  // none.
  const std::string& difference() const { return difference_; }

 private:
  void Differ(const std::string* expected, const std::string* got);

  const std::string name_;
  sim::LineReader recorded_;
  std::deque<std::string> context_;  // the last lines that were the same
  std::string difference_;
};

// A progress bar on standard error.
class Progress {
 public:
  // Shows nothing if `on` is false.
  Progress(bool on, std::string name) : on_(on), name_(std::move(name)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { Clear(); }

  // Cheap enough to be called for every line.
  void Update(const sim::LineReader& reader);
  void Clear();

 private:
  const bool on_;
  const std::string name_;
  uint64_t calls_ = 0;
  bool shown_ = false;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = start_;
};

// Whether a --progress of "auto", "on" or "off" means on: automatic only on a terminal.
bool WantsProgress(std::string_view choice);

// One line on standard error, begun with the command's name.
void Complain(std::string_view text);
// A line on standard error, in which nothing is a control character.
void Tell(std::string text);

}  // namespace presence::tools

#endif  // TOOLS_CONSOLE_H_
