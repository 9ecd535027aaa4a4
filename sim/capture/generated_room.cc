#include "sim/capture/generated_room.h"

#include <algorithm>
#include <utility>

#include "presence/base/internal/check.h"
#include "sim/capture/generated_texts.h"

namespace presence::sim {

GeneratedRoom::GeneratedRoom(uint32_t places, uint32_t connections_per_user, uint64_t seed)
    : places_(places), order_(places), random_(Random::Mix(seed, 2)) {
  for (uint32_t i = 0; i < places; ++i) {
    places_[i].member.user = i / connections_per_user;
    places_[i].position = i;
    order_[i] = i;
  }
}

uint32_t GeneratedRoom::AnyPresent(Random& random) const { return order_[random.Below(present_)]; }

uint32_t GeneratedRoom::AnyAbsent(Random& random) const {
  return order_[present_ + random.Below(places_.size() - present_)];
}

// --- Others ---

const GeneratedMember& GeneratedRoom::Join(uint32_t place, bool new_connection, uint64_t payload,
                                           int64_t now_ms) {
  PRESENCE_CHECK(!IsPresent(place));
  Place& joins = places_[place];
  if (new_connection || !joins.connected) {
    joins.member.connection = NewConnection();
    joins.next_serial = 0;
    joins.connected = true;
  }
  MoveTo(place, present_++);
  return Change(place, payload, now_ms);
}

const GeneratedMember& GeneratedRoom::Update(uint32_t place, uint64_t payload, int64_t now_ms) {
  PRESENCE_CHECK(IsPresent(place));
  return Change(place, payload, now_ms);
}

const GeneratedMember& GeneratedRoom::Leave(uint32_t place, uint64_t payload, int64_t now_ms) {
  PRESENCE_CHECK(IsPresent(place));
  MoveTo(place, --present_);
  return Change(place, payload, now_ms);
}

void GeneratedRoom::Lose(uint32_t place, int64_t now_ms) {
  PRESENCE_CHECK(IsPresent(place));
  MoveTo(place, --present_);
  places_[place].connected = false;
  lost_.push_back({places_[place].member, now_ms + kGraceMs});
}

std::optional<GeneratedMember> GeneratedRoom::ExpireLost(int64_t now_ms) {
  if (lost_.empty() || lost_.front().leaves_at_ms > now_ms) return std::nullopt;
  GeneratedMember member = lost_.front().member;
  lost_.pop_front();
  ++lost_before_;
  member.timestamp_ms = now_ms;
  return member;
}

// Its next message. Other rooms of the same connection use up a serial now and then.
const GeneratedMember& GeneratedRoom::Change(uint32_t place, uint64_t payload, int64_t now_ms) {
  Place& changes = places_[place];
  if (changes.next_serial > 0 && random_.Chance(50)) ++changes.next_serial;
  changes.member.serial = changes.next_serial++;
  changes.member.timestamp_ms = now_ms;
  changes.member.payload = payload;
  return changes.member;
}

void GeneratedRoom::MoveTo(uint32_t place, uint32_t position) {
  const uint32_t from = places_[place].position;
  const uint32_t other = order_[position];
  std::swap(order_[from], order_[position]);
  places_[other].position = from;
  places_[place].position = position;
}

// --- Own members ---

const GeneratedMember& GeneratedRoom::SetOwn(uint32_t own, uint64_t serial, uint64_t payload,
                                             int64_t now_ms) {
  if (own >= own_.size()) own_.resize(own + 1);
  Own& set = own_[own];
  if (!set.present) ++own_present_;
  set.present = true;
  set.member = {kFirstOwnUser + own, own_connection_, serial, now_ms, payload};
  return set.member;
}

const GeneratedMember& GeneratedRoom::RemoveOwn(uint32_t own, uint64_t serial, uint64_t payload,
                                                int64_t now_ms) {
  PRESENCE_CHECK(IsOwnPresent(own));
  SetOwn(own, serial, payload, now_ms);
  own_[own].present = false;
  --own_present_;
  return own_[own].member;
}

void GeneratedRoom::LoseOwn(int64_t now_ms) {
  for (Own& own : own_) {
    if (own.present) lost_.push_back({own.member, now_ms + kGraceMs});
    own.present = false;
  }
  own_present_ = 0;
}

// --- Visiting ---

bool GeneratedRoom::VisitPage(Cursor& cursor, size_t size,
                              absl::FunctionRef<void(const GeneratedMember&)> visit) const {
  cursor.lost = std::max(cursor.lost, lost_before_);
  for (size_t visited = 0; visited < size; ++visited) {
    const GeneratedMember* const member = Find(cursor);
    if (member == nullptr) return false;
    visit(*member);
    if (cursor.own < own_.size()) {
      ++cursor.own;
    } else if (cursor.place < places_.size()) {
      ++cursor.place;
    } else {
      ++cursor.lost;
    }
  }
  return Find(cursor) != nullptr;
}

const GeneratedMember* GeneratedRoom::Find(Cursor& cursor) const {
  for (; cursor.own < own_.size(); ++cursor.own) {
    if (own_[cursor.own].present) return &own_[cursor.own].member;
  }
  for (; cursor.place < places_.size(); ++cursor.place) {
    if (IsPresent(cursor.place)) return &places_[cursor.place].member;
  }
  const size_t lost = static_cast<size_t>(cursor.lost - lost_before_);
  return lost < lost_.size() ? &lost_[lost].member : nullptr;
}

}  // namespace presence::sim
