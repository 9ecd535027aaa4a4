#include "tools/console.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/absl_view.h"
#include "sim/replay/output.h"
#include "zlib.h"

namespace presence::tools {
namespace {

constexpr size_t kFlushBytes = size_t{64} << 10;
constexpr size_t kContextLines = 3;
constexpr size_t kBarWidth = 30;
constexpr uint64_t kLinesApart = 256;  // of looks at the clock

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

bool Output::Open(const std::string& name) {
  if (name == "-") return true;
  name_ = name;
  if (name.ends_with(".gz")) {
    errno = 0;  // zlib sets it, unless it is out of memory
    gz_ = gzopen(name.c_str(), "wb");
    if (gz_ == nullptr && errno == 0) errno = ENOMEM;
    fd_ = -1;
  } else {
    fd_ = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  }
  if (gz_ != nullptr || fd_ >= 0) return true;
  error_ = absl::StrCat("cannot open ", name, ": ", std::strerror(errno));
  return false;
}

void Output::WriteLine(std::string_view line) {
  buffer_ += line;
  buffer_ += '\n';
  if (buffer_.size() >= kFlushBytes) Flush();
}

void Output::Write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kFlushBytes) Flush();
}

void Output::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && error_.empty()) {
    const ssize_t written =
        gz_ != nullptr ? gzwrite(gz_, rest.data(),
                                 static_cast<unsigned>(std::min(rest.size(), size_t{1} << 30)))
                       : write(fd_, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (gz_ != nullptr || errno != EINTR) {
      Fail();
    }
  }
  buffer_.clear();
}

void Output::Close() {
  Flush();
  if (gz_ != nullptr && gzclose(gz_) != Z_OK && error_.empty()) Fail();
  if (fd_ > STDERR_FILENO && close(fd_) != 0 && error_.empty()) Fail();
  gz_ = nullptr;
  fd_ = -1;
}

void Output::Fail() {
  error_ = absl::StrCat("cannot write to ", name_, ": ", std::strerror(errno));
}

bool Output::is_terminal() const { return fd_ >= 0 && isatty(fd_) == 1; }

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

bool Progress::Due() {
  if (!on_) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return false;
  next_ = now + std::chrono::milliseconds(100);
  return true;
}

void Progress::Show(std::optional<double> part, const std::string& what) {
  std::string text = "\r\033[K";
  if (!name_.empty()) absl::StrAppend(&text, name_, ": ");
  if (part.has_value()) {
    const double done = std::clamp(*part, 0.0, 1.0);
    const auto filled = static_cast<size_t>(done * kBarWidth);
    absl::StrAppendFormat(&text, "[%s%s] %3.0f%%  ", std::string(filled, '#'),
                          std::string(kBarWidth - filled, ' '), done * 100);
  }
  text += what;
  if (part.has_value() && *part > 0) {
    absl::StrAppendFormat(&text, "  %.0f s left", seconds() * std::max(0.0, 1 / *part - 1));
  }
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

void Progress::Update(const sim::LineReader& reader) {
  if (reader.line_number() % kLinesApart != 1 || !Due()) return;
  std::optional<double> part;
  if (const uint64_t total = reader.source().total(); total > 0) {
    part = static_cast<double>(reader.source().position()) / static_cast<double>(total);
  }
  Show(part, absl::StrFormat("%d lines  %.1f MB/s", reader.line_number(),
                             static_cast<double>(reader.bytes()) / 1e6 / seconds()));
}

void Progress::Clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

double Progress::seconds() const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  return std::max(passed.count(), 1e-9);
}

bool WantsProgress(std::string_view choice) {
  return choice == "on" || (choice == "auto" && isatty(STDERR_FILENO) == 1);
}

bool WantsProgress(std::string_view choice, const Output& output) {
  return WantsProgress(choice) && (choice == "on" || !output.is_terminal());
}

bool IsSameFile(const std::string& one, const std::string& other) {
  struct stat a {};
  struct stat b {};
  return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

void Complain(std::string_view text) { Tell(absl::StrCat("presence: ", AbslView(text))); }

void Tell(std::string text) {
  sim::EscapeControls(text);
  text += '\n';
  std::fputs(text.c_str(), stderr);
}

}  // namespace presence::tools
