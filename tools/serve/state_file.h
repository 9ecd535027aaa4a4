#ifndef TOOLS_SERVE_STATE_FILE_H_
#define TOOLS_SERVE_STATE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/serve/commit_count.h"
#include "tools/serve/input_record.h"

namespace presence::serve {

// What is written at once, or not at all.
struct StateTransaction {
  // The whole state up to here, in the place of all that was written before; empty: none.
  std::string options;   // of TextOfOptions
  std::string snapshot;  // of wire::AppendSnapshot, with transports
  // And what came after it.
  std::vector<InputRecord> inputs;
};

// What is kept of a server: an SQLite database of its inputs since an export, and that. A
// transaction that Write has returned from survives the end of the process, and of the machine. All
// errors are for people, name the file, and say what to do where something can be done. One thread
// at a time; no other process, as long as it is open.
class StateFile {
 public:
  // The database at this path, made if there is none, readable by its owner only. Unavailable:
  // another server has it. DataLoss: it is damaged, or not one of ours. FailedPrecondition: it
  // cannot be opened, or written, or is of a newer version.
  static absl::StatusOr<std::unique_ptr<StateFile>> Open(const std::string& path);
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  // What it holds: options and snapshot, which are empty in a new file, and, one after the other,
  // the inputs since; an error that take_input gives ends it. DataLoss: something of it is damaged,
  // or is missing at its end.
  struct Kept {
    std::string options;
    std::string snapshot;
  };
  absl::Status Read(absl::FunctionRef<absl::Status(const Kept&)> take_export,
                    absl::FunctionRef<absl::Status(const InputRecord&)> take_input);

  // ResourceExhausted: there is no room for it; another error: it cannot be written for another
  // reason. Then nothing of it was written, as far as anybody can know, and it may be tried again.
  absl::Status Write(const StateTransaction& transaction);

  // How many pages of 4 KiB it may have; the default is SQLite's, which is no limit.
  void LimitPages(int64_t pages);
  // What SQLite says of how it writes: 2 is through to the disk, each time.
  int64_t synchronous() const;

 private:
  struct Database;
  StateFile(std::string path, std::unique_ptr<Database> database);

  absl::Status Prepare();
  absl::Status KeepFromOthers() const;
  absl::Status WriteExport(const StateTransaction& transaction);
  absl::Status Damaged(std::string_view what) const;
  absl::Status Failed(std::string_view what) const;

  const std::string path_;
  const std::unique_ptr<Database> database_;
  int64_t last_input_ = 0;  // the number of the input written last
  CommitCount count_;       // that, too
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_STATE_FILE_H_
