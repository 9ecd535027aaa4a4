#include "tools/console.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/absl_view.h"
#include "sim/replay/output.h"

namespace presence::tools {
namespace {

constexpr size_t kFlushBytes = size_t{64} << 10;
constexpr size_t kContextLines = 3;
constexpr int kBarWidth = 30;

volatile sig_atomic_t interrupted = 0;

void OnInterrupt(int) { interrupted = 1; }

}  // namespace

void PrepareProcess() {
  // A file opened later must not take the place of a closed standard stream. Standard output, if
  // closed, is opened for reading only, so that writing to it fails as it should.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      [[maybe_unused]] const int opened =
          open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
  signal(SIGPIPE, SIG_IGN);  // a reader who went away is an error of a write
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: a read that blocks must end
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  if (const char* const folder = std::getenv("BUILD_WORKING_DIRECTORY"); folder != nullptr) {
    if (chdir(folder) != 0) {
      Complain(absl::StrCat("cannot go to ", folder, ": ", std::strerror(errno)));
    }
  }
}

bool Interrupted() { return interrupted != 0; }

void StandardOutput::WriteLine(std::string_view line) {
  buffer_ += line;
  buffer_ += '\n';
  if (buffer_.size() >= kFlushBytes) Flush();
}

void StandardOutput::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && error_.empty()) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      error_ = absl::StrCat("cannot write to standard output: ", std::strerror(errno));
    }
  }
  buffer_.clear();
}

void ExpectedOutput::WriteLine(std::string_view line) {
  if (!difference_.empty()) return;
  std::string_view expected;
  const absl::StatusOr<bool> more = recorded_.Next(expected);
  const std::string got(line);
  if (!more.ok()) {
    difference_ = absl::StrCat(name_, ":", recorded_.line_number() + 1, ": ",
                               AbslView(std::string(more.status().message())));
    return;
  }
  if (!*more) return Differ(nullptr, &got);
  if (expected != line) {
    const std::string copy(expected);
    return Differ(&copy, &got);
  }
  context_.push_back(got);
  if (context_.size() > kContextLines) context_.pop_front();
}

void ExpectedOutput::Finish() {
  if (!difference_.empty()) return;
  std::string_view expected;
  const absl::StatusOr<bool> more = recorded_.Next(expected);
  if (!more.ok() || !*more) return;
  const std::string copy(expected);
  Differ(&copy, nullptr);
}

void ExpectedOutput::Differ(const std::string* expected, const std::string* got) {
  const uint64_t line = recorded_.line_number() + (expected == nullptr ? 1 : 0);
  difference_ = absl::StrCat(name_, ":", line, ": the output differs\n");
  for (const std::string& same : context_) absl::StrAppend(&difference_, "  ", same, "\n");
  absl::StrAppend(&difference_, "- ", expected != nullptr ? *expected : "(the end)", "\n");
  absl::StrAppend(&difference_, "+ ", got != nullptr ? *got : "(the end)");
}

void Progress::Update(const sim::LineReader& reader) {
  if (!on_ || ++calls_ % 256 != 1) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(reader.bytes()) / 1e6 / seconds : 0;
  std::string bar;
  if (const uint64_t total = reader.source().total(); total > 0) {
    const double part =
        static_cast<double>(reader.source().position()) / static_cast<double>(total);
    const int filled = static_cast<int>(part * kBarWidth);
    bar = absl::StrFormat("[%s%s] %3.0f%%  ", std::string(static_cast<size_t>(filled), '#'),
                          std::string(static_cast<size_t>(kBarWidth - filled), ' '), part * 100);
  }
  const std::string text =
      absl::StrFormat("\r\033[K%s: %s%d lines  %.1f MB/s", name_, bar, reader.line_number(), rate);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

void Progress::Clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

bool WantsProgress(std::string_view choice) {
  return choice == "on" || (choice == "auto" && isatty(STDERR_FILENO) == 1);
}

void Complain(std::string_view text) { Tell(absl::StrCat("presence: ", AbslView(text))); }

void Tell(std::string text) {
  sim::EscapeControls(text);
  text += '\n';
  std::fputs(text.c_str(), stderr);
}

}  // namespace presence::tools
