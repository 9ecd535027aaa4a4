#ifndef SIM_TRACE_LINE_READER_H_
#define SIM_TRACE_LINE_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace presence::sim {

// Bytes from somewhere: a file, standard input, memory.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Reads up to `size` bytes; 0 at the end.
  virtual absl::StatusOr<size_t> Read(char* to, size_t size) = 0;
  // Bytes read from the underlying file so far, and its size; 0 if not known. Compressed, if it is.
  virtual uint64_t position() const { return 0; }
  virtual uint64_t total() const { return 0; }
};

// Opens a file; "-" is standard input; what is gzip by its name (.gz) or its first bytes is
// decompressed, but not standard input. The error's message is
// for people and begins with "cannot open".
absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& name);
// Reads `bytes`, which must outlive the source.
std::unique_ptr<ByteSource> ReadMemory(std::string_view bytes);

// Splits bytes into lines, in memory bounded by the longest line. One thread at a time.
class LineReader {
 public:
  // A longer line is refused.
  static constexpr size_t kMaxLineBytes = size_t{64} << 20;

  explicit LineReader(std::unique_ptr<ByteSource> source);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line, without its LF; false at the end. A last line without LF counts. The line holds
  // until the next call; json::kPadding bytes after it may be read. ResourceExhausted: this line is
  // too long and was skipped, the next call goes on after it. Other errors: the source cannot be
  // read any further.
  absl::StatusOr<bool> Next(std::string_view& line);

  // The line that Next will return, if that takes no read of the source; else nullopt. It holds as
  // long as the line that Next returned last, which this call does not end.
  std::optional<std::string_view> Ahead();

  // Called before every read of the source, which may block: the moment to flush.
  void OnRead(std::function<void()> callback) { on_read_ = std::move(callback); }

  // Of the line that Next returned last, from 1; 0 before the first.
  uint64_t line_number() const { return line_number_; }
  uint64_t bytes() const { return bytes_; }
  const ByteSource& source() const { return *source_; }

 private:
  bool FindLineEnd();
  void Advance(size_t to);
  absl::Status Fill();
  absl::StatusOr<bool> SkipLongLine();

  std::unique_ptr<ByteSource> source_;
  std::function<void()> on_read_;
  std::vector<char> buffer_;
  size_t begin_ = 0;     // of what has not been returned yet
  size_t line_end_ = 0;  // no LF is from begin_ up to here
  size_t end_ = 0;       // of what has been read
  bool at_end_ = false;
  uint64_t line_number_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace presence::sim

#endif  // SIM_TRACE_LINE_READER_H_
