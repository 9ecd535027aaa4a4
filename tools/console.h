#ifndef TOOLS_CONSOLE_H_
#define TOOLS_CONSOLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/replay/line_sink.h"

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
  // Whether that is because nobody reads it any more.
  bool is_unread() const { return unread_; }
  // Whether a person reads it as it comes.
  bool is_terminal() const;
  // The columns of the terminal; nullopt: it is none, or does not say.
  std::optional<size_t> columns() const;

 private:
  void Fail();

  std::string buffer_;
  std::string error_;
  bool unread_ = false;
  std::string name_ = "standard output";
  int fd_ = 1;
  gzFile_s* gz_ = nullptr;
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
  void Clear();
  // Since it was made; never 0.
  double seconds() const;

 private:
  static int64_t NowNs();

  const bool on_;
  const std::string name_;
  bool shown_ = false;
  const int64_t start_ns_ = NowNs();
  int64_t next_ns_ = start_ns_;
};

// Whether a --progress of "auto", "on" or "off" means on: automatic only on a terminal, and not if
// `output` fills that same terminal meanwhile.
bool WantsProgress(std::string_view choice);
bool WantsProgress(std::string_view choice, const Output& output);

// Whether both names are there and of the same file, so that writing into one ruins the other.
bool IsSameFile(const std::string& one, const std::string& other);

// One line on standard error, begun with the command's name.
void Complain(std::string_view text);
// How a command ends whose output has failed: says why, unless nobody reads it any more, which is
// no fault; the exit status is then that of a program that SIGPIPE ends, as a shell shows it.
// REQUIRES: output.error() is not empty.
int OutputFailed(const Output& output);
// A line on standard error, in which nothing is a control character.
void Tell(std::string text);

}  // namespace presence::tools

#endif  // TOOLS_CONSOLE_H_
