#include "presence/client/own_members.h"

#include <iterator>
#include <tuple>

#include "engine/base/absl_view.h"

namespace presence {
namespace {

bool SameConnection(const StoredMessage& stored, const Message& message) {
  return stored.connection_id() == message.connection_id;
}

}  // namespace

void OwnMembers::Store(const Message& message) {
  const Version version = VersionOf(message);
  Entry* entry = FindEntry(message.client_id);
  if (entry != nullptr && SameConnection(entry->message, message) &&
      !CompareNewness(version, entry->version).newer) {
    return;
  }
  Put(entry, message, version);
}

void OwnMembers::Remove(const Message& message) {
  Entry* entry = FindEntry(message.client_id);
  if (entry == nullptr) return;
  if (!SameConnection(entry->message, message) ||
      CompareNewness(VersionOf(message), entry->version).newer) {
    Forget(message.client_id);
  }
}

// An acknowledgement is the server's word on an operation of ours, so unlike an echo it does not
// lose to a clock: only to what a later operation of this connection has already echoed.
void OwnMembers::StoreAcknowledged(const Message& message) {
  const Version version = VersionOf(message);
  Entry* entry = FindEntry(message.client_id);
  if (entry != nullptr && SameConnection(entry->message, message) &&
      entry->version.kind == Version::Kind::kSerial &&
      !CompareNewness(version, entry->version).newer) {
    return;
  }
  Put(entry, message, version);
}

void OwnMembers::RemoveAcknowledged(const Message& message) {
  const Version version = VersionOf(message);
  Entry* entry = FindEntry(message.client_id);
  if (entry == nullptr) return;
  if (SameConnection(entry->message, message) && entry->version.kind == Version::Kind::kSerial &&
      std::tie(entry->version.msg_serial, entry->version.index) >
          std::tie(version.msg_serial, version.index)) {
    return;
  }
  Forget(message.client_id);
}

void OwnMembers::Forget(std::string_view client_id) {
  const auto found = index_.find(AbslView(client_id));
  if (found == index_.end()) return;
  const Entries::iterator entry = found->second;
  index_.erase(found);
  entries_.erase(entry);
  // The index does not shrink by itself. A place in it takes far less than an entry.
  if (index_.capacity() > 4 * index_.size() + 1024) index_.rehash(0);
}

void OwnMembers::Clear() {
  index_.clear();
  index_.rehash(0);  // gives back its memory
  entries_.clear();
}

void OwnMembers::ForEach(absl::FunctionRef<void(const Message&)> visit) const {
  for (const Entry& entry : entries_) visit(entry.message.view());
}

std::optional<Message> OwnMembers::Find(std::string_view client_id) const {
  const auto found = index_.find(AbslView(client_id));
  if (found == index_.end()) return std::nullopt;
  return found->second->message.view();
}

std::string OwnMembers::CheckInvariants() const {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const auto found = index_.find(AbslView(entry->message.client_id()));
    if (found == index_.end()) return "1: an entry cannot be found";
    if (&*found->second != &*entry) return "1: a client is stored twice";
    if (found->first.data() != entry->message.client_id().data()) {
      return "1: a key of the index views other bytes than those of its entry";
    }
  }
  if (index_.size() != entries_.size()) return "1: the index finds one who is not stored";
  return {};
}

OwnMembers::Entry* OwnMembers::FindEntry(std::string_view client_id) {
  const auto found = index_.find(AbslView(client_id));
  return found == index_.end() ? nullptr : &*found->second;
}

void OwnMembers::Put(Entry* entry, const Message& message, const Version& version) {
  if (entry == nullptr) {
    entries_.emplace_back();
    entries_.back().message.Assign(message);
    entries_.back().version = version;
    index_.emplace(AbslView(entries_.back().message.client_id()), std::prev(entries_.end()));
    return;
  }
  // The buffer may move, and the index views it: the key is taken out and put back.
  const auto node = index_.find(AbslView(message.client_id));
  const Entries::iterator at = node->second;
  index_.erase(node);
  entry->message.Assign(message);
  entry->version = version;
  index_.emplace(AbslView(entry->message.client_id()), at);
}

}  // namespace presence
