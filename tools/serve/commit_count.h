#ifndef TOOLS_SERVE_COMMIT_COUNT_H_
#define TOOLS_SERVE_COMMIT_COUNT_H_

#include <cstdint>
#include <optional>
#include <string>

namespace presence::serve {

// How far a database has come, in a small file beside it, so that the loss of its latest
// transactions is noticed: SQLite takes a log that is damaged at its end for one that ends there.
// It is written after a transaction is on the disk, and not through to the disk itself. So it may
// be behind, by some seconds if the machine dies, but never ahead, and it costs no wait.
class CommitCount {
 public:
  // Of the database at this path; nothing is read or written yet.
  explicit CommitCount(const std::string& database) : path_(database + "-count") {}
  ~CommitCount();
  CommitCount(const CommitCount&) = delete;
  CommitCount& operator=(const CommitCount&) = delete;

  const std::string& path() const { return path_; }
  // The number that was written last; nullopt: there is none, or no whole one.
  std::optional<int64_t> Read() const;
  // If it cannot be written, it is behind.
  void Write(int64_t number);
  // Begins anew, for another database, through to the disk.
  void Reset();

 private:
  const std::string path_;
  int file_ = -1;  // once it is written
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_COMMIT_COUNT_H_
