#ifndef PRESENCE_CLIENT_OWN_MEMBERS_H_
#define PRESENCE_CLIENT_OWN_MEMBERS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "presence/members/internal/stored_message.h"
#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence {

// The members that this client has entered, keyed by client id only (RTP17h): those to enter again
// when the channel attaches again. Fed by the server's echoes and by acknowledgements.
//
// Visited in the order in which they joined; a replaced entry keeps its place. One thread at a
// time. The messages it hands out hold until the next change. Every change costs O(1), but for
// Clear; memory of those who have left is given back at once, up to as much as the others use.
//
// Invariant (CheckInvariants verifies it): the index finds exactly the entries, by client id.
class OwnMembers {
 public:
  OwnMembers() = default;
  OwnMembers(const OwnMembers&) = delete;
  OwnMembers& operator=(const OwnMembers&) = delete;

  // An echoed ENTER, UPDATE or PRESENT of our connection: stored if newer (RTP2b), or if what is
  // stored is of an earlier connection, whose msgSerials say nothing about ours.
  void Store(const Message& message);
  // An echoed LEAVE of our connection, by the same rule; not to be called for a synthesized one
  // (RTP17b).
  void Remove(const Message& message);
  // The server acknowledged our operation `message`, of the serial in its id: an enter or update is
  // stored, a leave removes. An echo of a later operation is not undone.
  void StoreAcknowledged(const Message& message);
  void RemoveAcknowledged(const Message& message);
  // Forgets a client, whatever is stored: it asked to leave and the server cannot be told.
  void Forget(std::string_view client_id);
  void Clear();

  size_t size() const { return index_.size(); }
  // What is stored of a client; nullopt: nothing.
  std::optional<Message> Find(std::string_view client_id) const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  void ForEach(absl::FunctionRef<void(const Message&)> visit) const;

  // The invariant that does not hold, in words; empty if it holds. O(members). For tests, the
  // simulator and `presence replay --check`.
  std::string CheckInvariants() const;

 private:
  friend struct OwnMembersTestPeer;

  struct Entry {
    StoredMessage message;
    Version version;
  };
  using Entries = std::list<Entry>;

  Entry* FindEntry(std::string_view client_id);
  void Put(Entry* entry, const Message& message, const Version& version);

  Entries entries_;                                                  // in joining order
  absl::flat_hash_map<absl::string_view, Entries::iterator> index_;  // keys view the entries
};

}  // namespace presence

#endif  // PRESENCE_CLIENT_OWN_MEMBERS_H_
