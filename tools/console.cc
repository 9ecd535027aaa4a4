#include "tools/console.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sim/base/controls.h"
#include "tools/command_line.h"
#include "zlib.h"

namespace presence::tools {
namespace {

constexpr size_t kFlushBytes = size_t{64} << 10;
constexpr size_t kBarWidth = 30;
constexpr int64_t kShowEveryNs = 100'000'000;

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
      Complain("cannot go to " + std::string(folder) + ": " + std::strerror(errno));
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
  error_ = "cannot open " + name + ": " + std::strerror(errno);
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
  unread_ = errno == EPIPE;
  error_ = "cannot write to " + name_ + ": " + std::strerror(errno);
}

bool Output::is_terminal() const { return fd_ >= 0 && isatty(fd_) == 1; }

std::optional<size_t> Output::columns() const {
  struct winsize size {};
  if (!is_terminal() || ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

bool Progress::Due() {
  if (!on_) return false;
  const int64_t now = NowNs();
  if (now < next_ns_) return false;
  next_ns_ = now + kShowEveryNs;
  return true;
}

void Progress::Show(std::optional<double> part, const std::string& what) {
  std::string text = "\r\033[K";
  if (!name_.empty()) text += name_ + ": ";
  char number[32];
  if (part.has_value()) {
    const double done = std::clamp(*part, 0.0, 1.0);
    const auto filled = static_cast<size_t>(done * kBarWidth);
    std::snprintf(number, sizeof number, "] %3.0f%%  ", done * 100);
    text += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + number;
  }
  text += what;
  if (part.has_value() && *part > 0) {
    std::snprintf(number, sizeof number, "  %.0f s left", seconds() * std::max(0.0, 1 / *part - 1));
    text += number;
  }
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

double Progress::seconds() const {
  return std::max(static_cast<double>(NowNs() - start_ns_) / 1e9, 1e-9);
}

int64_t Progress::NowNs() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
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

void Complain(std::string_view text) { Tell("presence: " + std::string(text)); }

int OutputFailed(const Output& output) {
  if (output.is_unread()) return kExitUnread;
  Complain(output.error());
  return kExitFailed;
}

void Tell(std::string text) {
  sim::EscapeControls(text);
  text += '\n';
  std::fputs(text.c_str(), stderr);
}

}  // namespace presence::tools
