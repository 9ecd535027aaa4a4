#ifndef TESTS_MEMBERS_CHECKED_SET_H_
#define TESTS_MEMBERS_CHECKED_SET_H_

// What the tests of the member set share: a short way to write messages, and a set that checks
// itself after each change and tells what it did as text.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "presence/members/member_set.h"
#include "presence/message.h"

namespace presence {

Message MessageOf(std::string_view client_id, std::string_view connection_id,
                  std::string_view id = "", int64_t ms = 100);

// A set that verifies its invariants after every change, and tells changes as text: "enter n=1",
// "leave swept n=0", "stale", "stale by tombstone", "nobody", "accepted"; members as
// client@connection, in order.
class CheckedSet {
 public:
  explicit CheckedSet(size_t max_tombstones = 100)
      : CheckedSet(MemberSet::Options{.max_tombstones = max_tombstones}) {}
  explicit CheckedSet(const MemberSet::Options& options) : set(options) {}

  MemberSet::Outcome Apply(PresenceAction action, const Message& message);
  std::string Do(PresenceAction action, std::string_view client_id, std::string_view connection_id,
                 std::string_view id = "", int64_t ms = 100);
  std::string Enter(std::string_view client_id, std::string_view connection_id,
                    std::string_view id = "", int64_t ms = 100) {
    return Do(PresenceAction::kEnter, client_id, connection_id, id, ms);
  }
  std::string Leave(std::string_view client_id, std::string_view connection_id,
                    std::string_view id = "", int64_t ms = 100) {
    return Do(PresenceAction::kLeave, client_id, connection_id, id, ms);
  }

  // The leaves that are told.
  std::string EndSync(int64_t now = 500);
  std::string Empty(int64_t now = 500);

  std::string Members() const;
  std::string OfClient(std::string_view client_id) const;
  std::string OfConnection(std::string_view connection_id) const;
  // At most `most` members that joined after number `after`, with their numbers.
  std::string After(uint64_t after, size_t most = 100) const;

  MemberSet set;
};

}  // namespace presence

#endif  // TESTS_MEMBERS_CHECKED_SET_H_
