#include "presence/session/ledger.h"

#include <algorithm>

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

Connection::Transition Ledger::Apply(const ConnectionUpdate& update) {
  const Connection::Transition transition = connection_.Apply(update);
  if (transition.new_id) outbox_.Restart();
  return transition;
}

void Ledger::ForgetFailed(absl::FunctionRef<bool(const Outbox::Entry&)> is_in_flight) {
  outbox_.ForgetIf([&](const Outbox::Entry& entry) { return !is_in_flight(entry); });
}

void Ledger::Forget() {
  connection_ = Connection();
  outbox_.Restart();
}

ConnectionUpdate Ledger::Current() const { return connection_.Current(); }

std::span<const Ledger::Settled> Ledger::Settle(int64_t msg_serial, int64_t count) {
  std::vector<Outbox::Entry> entries = outbox_.Acknowledge(msg_serial, count);
  if (entries.size() > 1) {
    std::stable_sort(
        entries.begin(), entries.end(),
        [](const Outbox::Entry& a, const Outbox::Entry& b) { return a.channel < b.channel; });
  }
  ClearList(operations_);
  for (const Outbox::Entry& entry : entries) operations_.push_back({entry.token, entry.msg_serial});
  ClearList(settled_);
  for (size_t begin = 0; begin < entries.size();) {
    size_t end = begin;
    while (end < entries.size() && entries[end].channel == entries[begin].channel) ++end;
    settled_.push_back(
        {entries[begin].channel, std::span(operations_).subspan(begin, end - begin)});
    begin = end;
  }
  return settled_;
}

}  // namespace presence
