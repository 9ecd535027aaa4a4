#include "presence/client/effects.h"

#include <algorithm>
#include <cstring>

#include "presence/base/internal/spare.h"

namespace presence {

std::string_view SyncPhaseName(SyncChanged::Phase phase) {
  switch (phase) {
    case SyncChanged::Phase::kStarted:
      return "started";
    case SyncChanged::Phase::kCompleted:
      return "completed";
    case SyncChanged::Phase::kDiscarded:
      return "discarded";
  }
  return "unknown";
}

std::string_view KeptText::Keep(std::string_view text, std::string_view more) {
  const size_t size = text.size() + more.size();
  if (size == 0) return {};
  while (chunk_ < chunks_.size() && chunks_[chunk_].size - at_ < size) {
    ++chunk_;
    at_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    constexpr size_t kFirstChunk = 1024;
    Chunk& chunk = chunks_.emplace_back();
    chunk.size = std::max({size, capacity_, kFirstChunk});  // so that there are few
    chunk.bytes = std::make_unique_for_overwrite<char[]>(chunk.size);
    capacity_ += chunk.size;
  }
  char* const kept = chunks_[chunk_].bytes.get() + at_;
  std::copy(text.begin(), text.end(), kept);
  std::copy(more.begin(), more.end(), kept + text.size());
  at_ += size;
  used_ += size;
  return {kept, size};
}

void KeptText::Clear() {
  chunk_ = 0;
  at_ = 0;
  used_ = 0;
}

void KeptText::GiveBack() {
  chunks_ = std::vector<Chunk>();
  capacity_ = 0;
  Clear();
}

namespace {

// Forgets what is in `buffer`, and gives its memory back if it is more than twice that.
template <typename T>
void GiveBackSpare(std::vector<T>& buffer) {
  if (buffer.capacity() > 2 * buffer.size()) {
    buffer = std::vector<T>();
  } else {
    buffer.clear();
  }
}

template <typename T>
size_t CapacityBytes(const std::vector<T>& buffer) {
  return buffer.capacity() * sizeof(T);
}
template <typename T>
size_t UsedBytes(const std::vector<T>& buffer) {
  return buffer.size() * sizeof(T);
}

}  // namespace

void Effects::Clear() {
  const size_t capacity = CapacityBytes(effects_) + CapacityBytes(members_) +
                          CapacityBytes(errors_) + CapacityBytes(verdicts_) + texts_.capacity();
  const size_t used = UsedBytes(effects_) + UsedBytes(members_) + UsedBytes(errors_) +
                      UsedBytes(verdicts_) + texts_.used();
  if (SparesTooMuch(capacity, used)) {
    GiveBackSpare(effects_);
    GiveBackSpare(members_);
    GiveBackSpare(errors_);
    GiveBackSpare(verdicts_);
    if (texts_.capacity() > 2 * texts_.used()) texts_.GiveBack();
  } else {
    effects_.clear();
    members_.clear();
    errors_.clear();
    verdicts_.clear();
  }
  texts_.Clear();
}

const ErrorInfo* Effects::Keep(const SharedError& error) {
  if (error == nullptr) return nullptr;
  // Told to many, it comes many times in a row.
  if (errors_.empty() || errors_.back() != error) errors_.push_back(error);
  return error.get();
}

}  // namespace presence
