#ifndef TOOLS_CONSOLE_H_
#define TOOLS_CONSOLE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/replay/output.h"
#include "sim/trace/line_reader.h"

struct gzFile_s;  // zlib's

namespace presence::tools {

// Makes standard input, output and error usable whatever the caller closed, goes to the folder from
// which `bazel run` was called, and lets an interrupt be seen at the next line.
void PrepareProcess();
// Whether the user has asked to stop (Ctrl-C). A second time ends the process at once.
bool Interrupted();

// Where a command writes its lines, in large pieces: standard output, unless a file is opened.
class Output : public sim::LineSink {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() override { Close(); }

  // Writes into the file of this name, which is made, or emptied; "-" is standard output, and a
  // name that ends in .gz makes a compressed file. Before anything is written. False: it cannot be
  // opened, and error() says why.
  bool Open(const std::string& name);
  void WriteLine(std::string_view line) override;
  // Text that has its line ends.
  void Write(std::string_view text);
  void Flush();
  // Flushes, and closes the file if there is one. Nothing can be written after it.
  void Close();
  // Why nothing can be written any more; empty if all is well.
  const std::string& error() const { return error_; }
  // Whether a person reads it as it comes.
  bool is_terminal() const;

 private:
  void Fail();

  std::string buffer_;
  std::string error_;
  std::string name_ = "standard output";
  int fd_ = 1;
  gzFile_s* gz_ = nullptr;
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

// A progress bar on standard error, with the rate and the time that is left.
class Progress {
 public:
  // Shows nothing if `on` is false. `name` is what is worked on; may be empty.
  Progress(bool on, std::string name) : on_(on), name_(std::move(name)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { Clear(); }

  // Whether it is time to show how far things are: some ten times a second. Looks at the clock.
  bool Due();
  // Shows that this part of all is done, in [0, 1]; nullopt: not known. `what` says more.
  void Show(std::optional<double> part, const std::string& what);
  // Shows how far a file has been read, if it is time for that. Cheap enough for every line.
  void Update(const sim::LineReader& reader);
  void Clear();
  // Since it was made; never 0.
  double seconds() const;

 private:
  const bool on_;
  const std::string name_;
  bool shown_ = false;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = start_;
};

// Whether a --progress of "auto", "on" or "off" means on: automatic only on a terminal, and not if
// `output` fills that same terminal meanwhile.
bool WantsProgress(std::string_view choice);
bool WantsProgress(std::string_view choice, const Output& output);

// Whether both names are there and of the same file, so that writing into one ruins the other.
bool IsSameFile(const std::string& one, const std::string& other);

// One line on standard error, begun with the command's name.
void Complain(std::string_view text);
// A line on standard error, in which nothing is a control character.
void Tell(std::string text);

}  // namespace presence::tools

#endif  // TOOLS_CONSOLE_H_
