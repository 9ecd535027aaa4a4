#ifndef PRESENCE_HOST_INTERNAL_HOST_CONNECTION_H_
#define PRESENCE_HOST_INTERNAL_HOST_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "presence/host/internal/refusals.h"
#include "presence/host/snapshot.h"
#include "presence/message.h"

namespace presence {

// What a host keeps of one connection, in one block of memory with its ids behind it: a server has
// many small rooms, and this is kept in each of them. What few connections have at a time (a loss,
// a sync that runs, refusals) is elsewhere.
class HostConnection {
 public:
  struct Delete {
    void operator()(HostConnection* connection) const;
  };
  using Owned = std::unique_ptr<HostConnection, Delete>;

  // Copies the ids. REQUIRES: each shorter than 64 KiB.
  static Owned Make(uint64_t handle, std::string_view id, std::string_view client_id);
  HostConnection(const HostConnection&) = delete;
  HostConnection& operator=(const HostConnection&) = delete;

  std::string_view id() const { return {texts(), id_size_}; }
  std::string_view client_id() const { return {texts() + id_size_, client_id_size_}; }

  bool attached() const { return order > 0; }

  // Null: its transport is not lost.
  const RoomSnapshot::Lost* lost() const { return rare_ ? Pointer(rare_->lost) : nullptr; }
  void SetLost(const std::optional<RoomSnapshot::Lost>& lost);
  // The sync that has a page to send to it; null: none.
  RoomSnapshot::Sync* sync() { return rare_ ? Pointer(rare_->sync) : nullptr; }
  const RoomSnapshot::Sync* sync() const { return rare_ ? Pointer(rare_->sync) : nullptr; }
  void SetSync(const std::optional<RoomSnapshot::Sync>& sync);
  // Of its operations those that were done again; null: none.
  const RoomSnapshot::Again* again() const { return rare_ ? Pointer(rare_->again) : nullptr; }
  void SetAgain(const std::optional<RoomSnapshot::Again>& again);
  // Null: none was ever remembered, or there are none any more.
  const Refusals* refusals() const { return rare_ ? &rare_->refusals : nullptr; }
  Refusals& MakeRefusals() { return MakeRare().refusals; }

  uint64_t handle;     // the owner's ConnectionHandle
  uint64_t order = 0;  // of attaching, who attached earlier has the lower one; 0: not attached
  Timestamp next_page = Timestamp::min();
  int64_t last_serial = -1;
  uint64_t batch = 0;      // the batch in which `in_flight` was counted
  uint64_t in_flight = 0;  // items in that batch
  uint32_t modes = 0;      // granted, of kFlagModes, while it is attached
  bool was_attached = false;
  bool paused = false;  // not part of what is exported

 private:
  friend class AttachedList;

  struct Rare {
    std::optional<RoomSnapshot::Lost> lost;
    std::optional<RoomSnapshot::Sync> sync;
    std::optional<RoomSnapshot::Again> again;
    Refusals refusals;
  };

  HostConnection(uint64_t of, size_t id_size, size_t client_id_size)
      : handle(of),
        id_size_(static_cast<uint16_t>(id_size)),
        client_id_size_(static_cast<uint16_t>(client_id_size)) {}
  ~HostConnection() = default;

  template <typename T>
  static const T* Pointer(const std::optional<T>& one) {
    return one.has_value() ? &*one : nullptr;
  }
  template <typename T>
  static T* Pointer(std::optional<T>& one) {
    return one.has_value() ? &*one : nullptr;
  }
  const char* texts() const { return reinterpret_cast<const char*>(this + 1); }
  Rare& MakeRare();
  void DropRareIfEmpty();

  uint16_t id_size_;
  uint16_t client_id_size_;
  std::unique_ptr<Rare> rare_;
  // In the list of who is attached.
  HostConnection* before_ = nullptr;
  HostConnection* after_ = nullptr;
};

// Who is attached, in the order of attaching. Owns nobody.
class AttachedList {
 public:
  size_t size() const { return size_; }
  // REQUIRES: attached, later than those in the list.
  void Append(HostConnection& connection);
  // REQUIRES: in the list.
  void Remove(HostConnection& connection);
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const HostConnection* one = first_; one != nullptr; one = one->after_) visit(*one);
  }
  // The first thing that is wrong, in words; empty: nothing.
  const char* WhatIsWrong() const;

 private:
  HostConnection* first_ = nullptr;
  HostConnection* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_HOST_INTERNAL_HOST_CONNECTION_H_
