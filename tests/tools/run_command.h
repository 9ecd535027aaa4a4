#ifndef TESTS_TOOLS_RUN_COMMAND_H_
#define TESTS_TOOLS_RUN_COMMAND_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace presence::testing {

// Under a sanitizer a program holds much more memory than it uses.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// What a program left behind.
struct Finished {
  std::string out;
  std::string err;
  int status = -1;       // its exit status; -1: a signal ended it
  int64_t peak_kib = 0;  // the most memory it held, as the kernel counts it
};

// The `presence` program as a child process, with pipes and files instead of a terminal.
class Command {
 public:
  explicit Command(std::vector<std::string> arguments);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command();

  // Before it starts. Standard input is empty unless said otherwise.
  Command& Program(std::string path);  // another program than `presence`
  Command& Input(std::string_view bytes);
  Command& InputFromPipe();  // see Feed
  Command& WorkingFolder(std::string folder);
  Command& Environment(std::string name, std::string value);
  enum class Output { kKept, kClosed, kPipeNobodyReads, kDiscarded };
  Command& StandardOutput(Output output);

  void Start();
  // Writes to the pipe; false once nobody reads it any more.
  bool Feed(std::string_view bytes);
  void CloseInput();
  // What it has written to standard output so far.
  std::string OutputSoFar() const;
  pid_t pid() const { return child_; }  // once it has been started
  void Signal(int number);
  // Waits up to `seconds` for the end; false: it is still running.
  bool EndsWithin(int seconds);

  Finished Wait();
  Finished Run() {
    Start();
    return Wait();
  }

 private:
  std::string program_;
  std::vector<std::string> arguments_;
  std::string working_folder_;
  std::vector<std::string> environment_;
  std::string input_path_ = "/dev/null";
  Output output_ = Output::kKept;
  bool input_from_pipe_ = false;
  std::string out_path_;
  std::string err_path_;
  int feed_ = -1;
  pid_t child_ = -1;
  bool ended_ = false;
  Finished finished_;
};

// Runs `presence` with these arguments to its end.
Finished Presence(std::vector<std::string> arguments);
// The path of the `presence` program.
std::string PresencePath();
// A file of this name in the test's own folder, with this content; returns its path.
std::string WriteFile(const std::string& name, std::string_view content);
// A path in the test's own folder.
std::string TestPath(const std::string& name);
std::string ReadFile(const std::string& path);

}  // namespace presence::testing

#endif  // TESTS_TOOLS_RUN_COMMAND_H_
