#include "presence/session/internal/backlog.h"

#include "presence/base/internal/check.h"

namespace presence {

void Backlog::Put(Unsent* unsent, size_t place) {
  heap_[place] = unsent;
  unsent->place_ = place;
}

void Backlog::MoveUp(Unsent& unsent) {
  size_t place = unsent.place_;
  while (place > 0) {
    const size_t above = (place - 1) / 2;
    if (heap_[above]->bytes_ >= unsent.bytes_) break;
    Put(heap_[above], place);
    place = above;
  }
  Put(&unsent, place);
}

void Backlog::MoveDown(Unsent& unsent) {
  size_t place = unsent.place_;
  for (;;) {
    size_t below = 2 * place + 1;
    if (below >= heap_.size()) break;
    if (below + 1 < heap_.size() && heap_[below + 1]->bytes_ > heap_[below]->bytes_) ++below;
    if (heap_[below]->bytes_ <= unsent.bytes_) break;
    Put(heap_[below], place);
    place = below;
  }
  Put(&unsent, place);
}

void Backlog::Insert(Unsent& unsent, uint64_t transport) {
  PRESENCE_CHECK(!Counts(unsent));
  unsent.transport_ = transport;
  unsent.bytes_ = 0;
  heap_.push_back(&unsent);
  unsent.place_ = heap_.size() - 1;
}

void Backlog::Remove(Unsent& unsent) {
  if (!Counts(unsent)) return;
  total_ -= unsent.bytes_;
  const size_t place = unsent.place_;
  unsent.place_ = Unsent::kNowhere;
  Unsent* const last = heap_.back();
  heap_.pop_back();
  if (last != &unsent) {
    Put(last, place);
    MoveUp(*last);
    MoveDown(*last);
  }
  if (heap_.size() < heap_.capacity() / 4) heap_.shrink_to_fit();
}

void Backlog::Add(Unsent& unsent, size_t bytes) {
  PRESENCE_DCHECK(Counts(unsent));
  unsent.bytes_ += bytes;
  total_ += bytes;
  MoveUp(unsent);
}

void Backlog::Take(Unsent& unsent, size_t bytes) {
  PRESENCE_DCHECK(Counts(unsent) && bytes <= unsent.bytes_);
  unsent.bytes_ -= bytes;
  total_ -= bytes;
  MoveDown(unsent);
}

std::string Backlog::CheckInvariants() const {
  size_t total = 0;
  for (size_t i = 0; i < heap_.size(); ++i) {
    total += heap_[i]->bytes_;
    if (heap_[i]->place_ != i) return "backlog: one does not know its place";
    if (i > 0 && heap_[(i - 1) / 2]->bytes_ < heap_[i]->bytes_) {
      return "backlog: somebody is further behind than the one above";
    }
  }
  if (total != total_) return "backlog: the bytes are miscounted";
  return {};
}

}  // namespace presence
