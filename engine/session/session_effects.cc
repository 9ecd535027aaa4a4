#include "presence/session/session_effects.h"

#include "presence/base/internal/spare.h"

namespace presence {
namespace {

// Gives back what the last use shows to be too much.
template <typename T>
void ClearList(std::vector<T>& list) {
  if (SparesTooMuch(list.capacity() * sizeof(T), list.size() * sizeof(T))) {
    std::vector<T>().swap(list);
  } else {
    list.clear();
  }
}

}  // namespace

std::string_view StateName(SessionState state) {
  switch (state) {
    case SessionState::kInitialized:
      return "initialized";
    case SessionState::kConnecting:
      return "connecting";
    case SessionState::kConnected:
      return "connected";
    case SessionState::kDisconnected:
      return "disconnected";
    case SessionState::kSuspended:
      return "suspended";
    case SessionState::kClosing:
      return "closing";
    case SessionState::kClosed:
      return "closed";
    case SessionState::kFailed:
      return "failed";
  }
  return "unknown";
}

void SessionEffects::Clear() {
  ClearList(list_);
  ClearList(errors_);

  if (SparesTooMuch(texts_.capacity(), texts_.used())) {
    texts_.GiveBack();
  } else {
    texts_.Clear();
  }
  // The first one is cleared by the channel that fills it next, which knows how much it keeps; but
  // if none did, here. More are needed by steps that reach many channels only.
  if (effects_used_ == 0 && !effects_.empty()) effects_.front().Clear();
  if (effects_.size() > 1) effects_.resize(1);
  effects_used_ = 0;
}

const ErrorInfo* SessionEffects::Keep(const SharedError& error) {
  if (error != nullptr) errors_.push_back(error);
  return error.get();
}

Effects& SessionEffects::AddEffects() {
  if (effects_used_ == effects_.size()) effects_.emplace_back();
  return effects_[effects_used_++];
}

}  // namespace presence
