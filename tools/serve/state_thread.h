#ifndef TOOLS_SERVE_STATE_THREAD_H_
#define TOOLS_SERVE_STATE_THREAD_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "tools/serve/state_file.h"
#include "tools/serve/state_store.h"

namespace presence::serve {

// Writes a state file on a thread of its own, as a disk takes its time.
class StateThread final : public StateStore {
 public:
  // `post` has a function called on the thread that calls Write; it is called on this one.
  StateThread(std::unique_ptr<StateFile> file, std::function<void(std::function<void()>)> post);
  // Ends what is under way.
  ~StateThread() override;

  void Write(StateTransaction transaction, std::function<void(absl::Status)> done) override;
  absl::Status WriteLast(const StateTransaction& transaction) override;

 private:
  struct Task {
    StateTransaction transaction;
    std::function<void(absl::Status)> done;
  };
  void Run();
  void End();

  const std::unique_ptr<StateFile> file_;
  const std::function<void(std::function<void()>)> post_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Task> task_;  // guarded by mutex_, as is
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_STATE_THREAD_H_
