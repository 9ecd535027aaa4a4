#include "tools/serve/state_thread.h"

#include <utility>

namespace presence::serve {

StateThread::StateThread(std::unique_ptr<StateFile> file,
                         std::function<void(std::function<void()>)> post)
    : file_(std::move(file)), post_(std::move(post)), thread_([this] { Run(); }) {}

StateThread::~StateThread() { End(); }

void StateThread::Write(StateTransaction transaction, std::function<void(absl::Status)> done) {
  {
    const std::lock_guard lock(mutex_);
    task_ = Task{std::move(transaction), std::move(done)};
  }
  changed_.notify_one();
}

absl::Status StateThread::WriteLast(const StateTransaction& transaction) {
  End();
  return file_->Write(transaction);
}

void StateThread::End() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void StateThread::Run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || task_.has_value(); });
    if (!task_.has_value()) return;
    Task task = *std::move(task_);
    task_.reset();
    lock.unlock();
    absl::Status status = file_->Write(task.transaction);
    post_([done = std::move(task.done), status = std::move(status)] { done(status); });
  }
}

}  // namespace presence::serve
