#include "sim/trace/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/padded_text.h"

namespace presence::sim {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

class FileSource : public ByteSource {
 public:
  FileSource(int fd, bool owned, uint64_t total) : fd_(fd), owned_(owned), total_(total) {}
  ~FileSource() override {
    if (owned_) close(fd_);
  }
  absl::StatusOr<size_t> Read(char* to, size_t size) override {
    const ssize_t got = read(fd_, to, size);
    if (got < 0) {
      if (errno == EINTR) return absl::CancelledError("interrupted");
      return absl::UnavailableError(absl::StrCat("cannot read: ", std::strerror(errno)));
    }
    position_ += static_cast<uint64_t>(got);
    return static_cast<size_t>(got);
  }
  uint64_t position() const override { return position_; }
  uint64_t total() const override { return total_; }

 private:
  const int fd_;
  const bool owned_;
  const uint64_t total_;
  uint64_t position_ = 0;
};

class GzipSource : public ByteSource {
 public:
  GzipSource(gzFile file, uint64_t total) : file_(file), total_(total) {}
  ~GzipSource() override { gzclose(file_); }
  absl::StatusOr<size_t> Read(char* to, size_t size) override {
    const int got = gzread(file_, to, static_cast<unsigned>(std::min(size, kChunkBytes)));
    int error = Z_OK;
    std::string_view message = gzerror(file_, &error);
    // Of a truncated file all is read that is there. Some versions of zlib speak of it only beside
    // the last bytes, some only at the end after them.
    const bool was_cut_short = std::exchange(cut_short_, error == Z_BUF_ERROR);
    if (got > 0) return static_cast<size_t>(got);
    if (got == 0 && (cut_short_ || was_cut_short)) {
      return absl::UnavailableError("cannot decompress: unexpected end of file");
    }
    if (got < 0) {
      if (error == Z_ERRNO && errno == EINTR) return absl::CancelledError("interrupted");
      // zlib says "<fd:3>: invalid block type", knowing no name.
      if (message.starts_with("<fd:")) message.remove_prefix(message.find(": ") + 2);
      return absl::UnavailableError(absl::StrCat("cannot decompress: ", AbslView(message)));
    }
    return static_cast<size_t>(got);
  }
  uint64_t position() const override { return static_cast<uint64_t>(gzoffset(file_)); }
  uint64_t total() const override { return total_; }

 private:
  const gzFile file_;
  const uint64_t total_;
  bool cut_short_ = false;  // at the last read, the file ended in the midst of something
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  absl::StatusOr<size_t> Read(char* to, size_t size) override {
    const size_t count = std::min(size, bytes_.size());
    if (count > 0) std::memcpy(to, bytes_.data(), count);
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& name) {
  if (name == "-") return std::make_unique<FileSource>(STDIN_FILENO, /*owned=*/false, 0);
  const auto failed = [&name] {
    return absl::NotFoundError(absl::StrCat("cannot open ", name, ": ", std::strerror(errno)));
  };
  const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed();
  struct stat status {};
  if (fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) {
    if (S_ISDIR(status.st_mode)) errno = EISDIR;
    absl::Status error = failed();
    close(fd);
    return error;
  }
  const uint64_t total = S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size) : 0;
  // A browser saves what it downloads under any name, so the first bytes of a file count, too.
  char magic[2] = {};
  const bool is_gzip = total > 0 && pread(fd, magic, sizeof magic, 0) == sizeof magic &&
                       std::string_view(magic, sizeof magic) == "\x1F\x8B";
  if (!is_gzip && !std::string_view(name).ends_with(".gz")) {
    return std::make_unique<FileSource>(fd, /*owned=*/true, total);
  }
  const gzFile file = gzdopen(fd, "rb");
  if (file == nullptr) {
    close(fd);
    return absl::ResourceExhaustedError(absl::StrCat("cannot open ", name, ": out of memory"));
  }
  return std::make_unique<GzipSource>(file, total);
}

std::unique_ptr<ByteSource> ReadMemory(std::string_view bytes) {
  return std::make_unique<MemorySource>(bytes);
}

LineReader::LineReader(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), buffer_(kChunkBytes + json::kPadding) {}

// Moves line_end_ to the first LF, or to the end of what has been read: false, there is none.
bool LineReader::FindLineEnd() {
  if (line_end_ < end_ && buffer_[line_end_] == '\n') return true;  // found before, by Ahead
  const void* const newline = std::memchr(buffer_.data() + line_end_, '\n', end_ - line_end_);
  line_end_ = newline != nullptr
                  ? static_cast<size_t>(static_cast<const char*>(newline) - buffer_.data())
                  : end_;
  return newline != nullptr;
}

void LineReader::Advance(size_t to) {
  bytes_ += to - begin_;
  begin_ = line_end_ = to;
}

absl::StatusOr<bool> LineReader::Next(std::string_view& line) {
  for (;;) {
    const bool found = FindLineEnd();
    const bool last = !found && at_end_;
    if (last && begin_ == end_) return false;
    if (line_end_ - begin_ > kMaxLineBytes) return SkipLongLine();
    if (found || last) {
      line = std::string_view(buffer_.data() + begin_, line_end_ - begin_);
      Advance(line_end_ + (last ? 0 : 1));
      ++line_number_;
      return true;
    }
    if (absl::Status status = Fill(); !status.ok()) return status;
  }
}

std::optional<std::string_view> LineReader::Ahead() {
  if (!FindLineEnd() || line_end_ - begin_ > kMaxLineBytes) return std::nullopt;
  return std::string_view(buffer_.data() + begin_, line_end_ - begin_);
}

// Reads more behind what is there, moving it to the front or growing the buffer first.
absl::Status LineReader::Fill() {
  const size_t room = buffer_.size() - json::kPadding;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    line_end_ -= begin_;
    begin_ = 0;
  } else if (end_ == room) {
    buffer_.resize(room * 2 + json::kPadding);
  }
  if (on_read_) on_read_();
  absl::StatusOr<size_t> got =
      source_->Read(buffer_.data() + end_, buffer_.size() - json::kPadding - end_);
  if (!got.ok()) return got.status();
  if (*got == 0) at_end_ = true;
  end_ += *got;
  return absl::OkStatus();
}

absl::StatusOr<bool> LineReader::SkipLongLine() {
  ++line_number_;
  for (;;) {
    if (FindLineEnd()) {
      Advance(line_end_ + 1);
      break;
    }
    Advance(end_);
    if (at_end_) break;
    if (absl::Status status = Fill(); !status.ok()) return status;
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("the line is longer than ", kMaxLineBytes >> 20, " MiB"));
}

}  // namespace presence::sim
