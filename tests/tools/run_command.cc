#include "tests/tools/run_command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "gtest/gtest.h"

namespace presence::testing {
namespace {

// Tests start among their data; a child may be started elsewhere.
const std::filesystem::path kProgram = std::filesystem::absolute("tools/presence-of-any-commit");

std::string NextPath(const char* kind) {
  static std::atomic<int> next{0};
  return TestPath(std::string(kind) + std::to_string(next++));
}

}  // namespace

Finished Presence(std::vector<std::string> arguments) {
  return Command(std::move(arguments)).Run();
}

std::string PresencePath() { return kProgram.string(); }

std::string TestPath(const std::string& name) {
  const char* const folder = std::getenv("TEST_TMPDIR");
  const std::filesystem::path base = folder != nullptr ? folder : "/tmp";
  return (base / ("replay_command_test." + std::to_string(getpid()) + "." + name)).string();
}

std::string WriteFile(const std::string& name, std::string_view content) {
  const std::string path = TestPath(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

Command::Command(std::vector<std::string> arguments)
    : program_(PresencePath()), arguments_(std::move(arguments)) {}

Command::~Command() {
  if (child_ > 0 && !ended_) {
    kill(child_, SIGKILL);
    Wait();
  }
}

Command& Command::Program(std::string path) {
  program_ = std::move(path);
  return *this;
}

Command& Command::Input(std::string_view bytes) {
  input_path_ = NextPath("in");
  std::ofstream(input_path_, std::ios::binary) << bytes;
  return *this;
}

Command& Command::InputFromPipe() {
  input_from_pipe_ = true;
  return *this;
}

Command& Command::WorkingFolder(std::string folder) {
  working_folder_ = std::move(folder);
  return *this;
}

Command& Command::Environment(std::string name, std::string value) {
  environment_.push_back(std::move(name) + "=" + std::move(value));
  return *this;
}

Command& Command::StandardOutput(Output output) {
  output_ = output;
  return *this;
}

void Command::Start() {
  out_path_ = NextPath("out");
  err_path_ = NextPath("err");
  int in[2] = {open(input_path_.c_str(), O_RDONLY | O_CLOEXEC), -1};
  if (input_from_pipe_) {
    close(in[0]);
    ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
    feed_ = in[1];
    signal(SIGPIPE, SIG_IGN);  // Feed says so itself
  }
  int out[2] = {-1, -1};
  const std::string out_path = output_ == Output::kDiscarded ? "/dev/null" : out_path_;
  if (output_ == Output::kPipeNobodyReads) {
    ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
    close(out[0]);
  } else {
    out[1] = open(out_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  const int err = open(err_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ASSERT_TRUE(in[0] >= 0 && out[1] >= 0 && err >= 0);

  std::vector<char*> argv;
  argv.push_back(program_.data());
  for (std::string& argument : arguments_) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    // A test run by `bazel run` must not hand this on.
    if (!std::string_view(*variable).starts_with("BUILD_WORKING_DIRECTORY=")) {
      envp.push_back(*variable);
    }
  }
  for (std::string& variable : environment_) envp.push_back(variable.data());
  envp.push_back(nullptr);

  child_ = fork();
  ASSERT_GE(child_, 0);
  if (child_ == 0) {
    if (!working_folder_.empty() && chdir(working_folder_.c_str()) != 0) _exit(126);
    signal(SIGPIPE, SIG_DFL);
    dup2(in[0], STDIN_FILENO);
    dup2(err, STDERR_FILENO);
    if (output_ == Output::kClosed) {
      close(STDOUT_FILENO);
    } else {
      dup2(out[1], STDOUT_FILENO);
    }
    execve(program_.c_str(), argv.data(), envp.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  close(err);
}

bool Command::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(feed_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

void Command::CloseInput() {
  if (feed_ >= 0) close(feed_);
  feed_ = -1;
}

std::string Command::OutputSoFar() const { return ReadFile(out_path_); }

void Command::Signal(int number) { kill(child_, number); }

bool Command::EndsWithin(int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  do {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == child_) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

Finished Command::Wait() {
  if (ended_) return finished_;
  CloseInput();
  int status = 0;
  rusage usage{};
  while (wait4(child_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  ended_ = true;
  finished_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  finished_.peak_kib = usage.ru_maxrss;
  if (output_ != Output::kDiscarded) finished_.out = ReadFile(out_path_);
  finished_.err = ReadFile(err_path_);
  for (const std::string& path : {out_path_, err_path_}) std::filesystem::remove(path);
  if (input_path_ != "/dev/null") std::filesystem::remove(input_path_);
  return finished_;
}

}  // namespace presence::testing
