#ifndef SIM_CAPTURE_GENERATED_ROOM_H_
#define SIM_CAPTURE_GENERATED_ROOM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "sim/base/random.h"

namespace presence::sim {

// A member's latest message, in numbers: generated_texts.h has the texts.
struct GeneratedMember {
  uint32_t user = 0;
  uint64_t connection = 0;
  uint64_t serial = 0;  // of the message on its connection
  int64_t timestamp_ms = 0;
  uint64_t payload = 0;  // its kind
};

// A room as its server knows it, whoever is told of it: others who join, change and leave, the
// client's own members, and members whose connection is lost and who will be seen to leave in a
// while. Its memory is what its members take. One thread at a time.
class GeneratedRoom {
 public:
  // Members of others join by their places, [0, places); those of one user stand together.
  GeneratedRoom(uint32_t places, uint32_t connections_per_user, uint64_t seed);

  // How long a member of a lost connection stays.
  static constexpr int64_t kGraceMs = 15'000;

  uint32_t places() const { return static_cast<uint32_t>(places_.size()); }
  uint32_t present() const { return present_; }  // of others
  // Who is seen by everybody: the own and the lost ones, too.
  size_t visible() const { return present_ + own_present_ + lost_.size(); }

  // A place at random among those that are taken, or not. REQUIRES: there is one.
  uint32_t AnyPresent(Random& random) const;
  uint32_t AnyAbsent(Random& random) const;
  bool IsPresent(uint32_t place) const { return places_[place].position < present_; }

  // What others do. Each returns the message that the room then has of it, or had last.
  // On the connection of last time, if that still holds and `new_connection` is not asked for.
  const GeneratedMember& Join(uint32_t place, bool new_connection, uint64_t payload,
                              int64_t now_ms);
  const GeneratedMember& Update(uint32_t place, uint64_t payload, int64_t now_ms);
  const GeneratedMember& Leave(uint32_t place, uint64_t payload, int64_t now_ms);
  // Its connection is lost: the member stays for the grace period, then ExpireLost gives it.
  void Lose(uint32_t place, int64_t now_ms);
  // The next lost member whose time has come, with the server's time; nullopt: none.
  std::optional<GeneratedMember> ExpireLost(int64_t now_ms);

  // The client's own members, by number. Its messages count on the client's connection.
  void OpenOwnConnection() { own_connection_ = NewConnection(); }
  uint64_t own_connection() const { return own_connection_; }
  const GeneratedMember& SetOwn(uint32_t own, uint64_t serial, uint64_t payload, int64_t now_ms);
  const GeneratedMember& RemoveOwn(uint32_t own, uint64_t serial, uint64_t payload, int64_t now_ms);
  bool IsOwnPresent(uint32_t own) const { return own < own_.size() && own_[own].present; }
  const GeneratedMember& own(uint32_t own) const { return own_[own].member; }
  // Those of the old connection are lost.
  void LoseOwn(int64_t now_ms);

  // Where a sync has got to.
  struct Cursor {
    uint32_t own = 0;
    uint32_t place = 0;
    uint64_t lost = 0;  // counted from the first that there ever was
  };
  // Visits up to `size` members from the cursor on, and moves it. Returns whether there are more.
  bool VisitPage(Cursor& cursor, size_t size,
                 absl::FunctionRef<void(const GeneratedMember&)> visit) const;

 private:
  struct Place {
    GeneratedMember member;
    uint64_t next_serial = 0;
    uint32_t position = 0;  // in order_
    bool connected = false;
  };
  struct Own {
    GeneratedMember member;
    bool present = false;
  };

  uint64_t NewConnection() { return next_connection_++; }
  const GeneratedMember& Change(uint32_t place, uint64_t payload, int64_t now_ms);
  void MoveTo(uint32_t place, uint32_t position);
  // The member at the cursor, which is moved to it if it pointed to nobody; null: the end.
  const GeneratedMember* Find(Cursor& cursor) const;

  std::vector<Place> places_;
  std::vector<uint32_t> order_;  // places, those that are taken first
  uint32_t present_ = 0;
  std::vector<Own> own_;
  size_t own_present_ = 0;
  uint64_t own_connection_ = 0;
  // Of a lost connection, with the time at which it is given up in timestamp order.
  struct Lost {
    GeneratedMember member;
    int64_t leaves_at_ms = 0;
  };
  std::deque<Lost> lost_;
  uint64_t lost_before_ = 0;  // how many have been given up
  uint64_t next_connection_ = 0;
  Random random_;  // of the members' serials
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_GENERATED_ROOM_H_
