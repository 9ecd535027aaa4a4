#ifndef TOOLS_SERVE_KEPT_SERVER_H_
#define TOOLS_SERVE_KEPT_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "tools/serve/input_record.h"
#include "tools/serve/state_file.h"
#include "tools/serve/state_store.h"

namespace presence::serve {

// What goes on in the next process.
struct KeptState {
  std::unique_ptr<Server> server;      // null: a new one
  std::chrono::milliseconds ahead{0};  // of the wall clock, on request
};

// A server whose inputs are written down before they are handed in, so that nothing of what it says
// is forgotten if its process or its machine ends. What comes while something is being written is
// written next, all at once. Without a store nothing is written, and inputs are handed in as they
// come.
//
// While the store cannot write, operations are refused, and everything else is done without being
// written; it is tried again until the whole state has been.
class KeptServer {
 public:
  struct Parts {
    std::function<Timestamp()> now;
    // Sets the clock of `now` ahead; null: nobody asks for it.
    std::function<void(std::chrono::milliseconds)> jump;
    StateStore* store = nullptr;  // null: nothing is written
    // A step of the server, of which the effects are to be carried out now. It may hand in inputs.
    std::function<void(const ServerEffects&)> carry_out;
    // An input that the server refuses: nothing has changed.
    std::function<void(const ServerInput&, const absl::Status&)> refused;
    // What becomes of the store, for people.
    std::function<void(const std::string&)> log;
    // Inputs of so many bytes are followed by an export at the earliest, and as many as it had.
    size_t export_after = size_t{16} << 20;
  };
  // How much may wait to be written before nothing more should be read.
  static constexpr size_t kMaxWaiting = size_t{32} << 20;
  // How long after a write that failed another one is tried, at first and at most.
  static constexpr std::chrono::milliseconds kTryAgain{1'000};
  static constexpr std::chrono::milliseconds kTryAgainAtMost{30'000};

  struct Stats {
    uint64_t inputs_written = 0;
    uint64_t writes = 0;
    uint64_t writes_failed = 0;
    uint64_t exports_written = 0;
  };

  // `state` has a server.
  KeptServer(Parts parts, KeptState state);
  KeptServer(const KeptServer&) = delete;
  KeptServer& operator=(const KeptServer&) = delete;

  // Hands it in at once, or when it is written.
  void Apply(const ServerInput& input);
  // Has the clock set ahead, at once or when that is written.
  void Jump(std::chrono::milliseconds by);
  // Calls it when all that was handed in so far is done, and before anything that comes later; at
  // once if nothing waits.
  void CallInTurn(std::function<void()> call);
  // The time of NextDeadline has come.
  void Advance();
  std::optional<Timestamp> NextDeadline() const;
  // Writes everything once more, for the next process, and waits for it.
  absl::Status Finish();

  const Server& server() const { return *server_; }
  const Stats& stats() const { return stats_; }
  bool is_kept() const { return parts_.store != nullptr; }
  // It cannot be written at the moment.
  bool is_failing() const { return failing_; }
  // Whether it is well to read more from clients; otherwise `then` is called once it is.
  bool HasRoom() const { return waiting_bytes_ <= kMaxWaiting; }
  void CallWhenThereIsRoom(std::function<void()> then);

 private:
  void Take(Timestamp time, const ServerInput& input);
  void Do(Timestamp time, const ServerInput& input);
  void DoJump(std::chrono::milliseconds by);
  void Do(const InputRecord& record);
  void Do(std::vector<InputRecord> records);
  void Add(InputRecord record);
  void Write();
  void OnWritten(const absl::Status& status);
  void CallWhoseTurnItIs();
  void BeginFailing(const absl::Status& status);
  void EndFailing();
  void AddExport(StateTransaction& transaction);
  void Log(const std::string& line) const;

  const Parts parts_;
  const std::unique_ptr<Server> server_;
  ServerEffects effects_;
  RecordReader reader_;
  std::vector<InputRecord> waiting_;  // for the next write
  size_t waiting_bytes_ = 0;          // of these, and of
  std::vector<InputRecord> writing_;
  size_t writing_bytes_ = 0;
  bool is_writing_ = false;
  uint64_t added_ = 0;  // to waiting_, ever
  uint64_t done_ = 0;   // of these
  // What is to be called when so many are done.
  std::deque<std::pair<uint64_t, std::function<void()>>> in_turn_;
  bool advancing_ = false;  // a deadline waits, or is being written
  // What no export has, as it was when the server was last handed something in.
  std::optional<InputRecord> refusal_;  // the owner's
  std::chrono::milliseconds ahead_;     // of the wall clock
  size_t written_since_ = 0;            // bytes of inputs, since the last export
  size_t export_bytes_ = 0;             // of the last export
  bool exporting_ = false;
  bool failing_ = false;
  std::optional<Timestamp> try_at_;
  std::chrono::milliseconds try_after_ = kTryAgain;
  std::vector<std::function<void()>> when_room_;
  Stats stats_;
};

// The server that goes on where the one of this file ended, all its transports gone; a new one if
// the file is new. Its time is not before the one that ended, and as far ahead of `wall`, the wall
// clock, as it was. Writes it as it is now.
absl::StatusOr<KeptState> RestoreFrom(StateFile& file, Timestamp wall,
                                      const Server::Options& options);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_KEPT_SERVER_H_
