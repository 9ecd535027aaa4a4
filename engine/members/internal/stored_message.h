#ifndef PRESENCE_MEMBERS_INTERNAL_STORED_MESSAGE_H_
#define PRESENCE_MEMBERS_INTERNAL_STORED_MESSAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "presence/message.h"

namespace presence {

// A message that owns its bytes: one buffer holds them all and is used again by the next message
// that fits, so that storing an update allocates nothing. Short messages, which most are, lie in
// the object itself, next to what else its owner keeps of the member: one cache miss less. A buffer
// is given back as soon as it is more than twice as large as its message, give or take a few bytes.
// Move-only; one thread at a time.
class StoredMessage {
 public:
  // The most bytes, over all fields, that can be stored.
  static constexpr size_t kMaxBytes = size_t{1} << 31;
  static bool Fits(const Message& message);

  StoredMessage() = default;
  StoredMessage(StoredMessage&&) = default;
  StoredMessage& operator=(StoredMessage&&) = default;

  // Stores `message`. REQUIRES: Fits(message), and it does not view this object's own bytes.
  void Assign(const Message& message);
  // The same where the key is known to be the stored one already: only the rest is written.
  void AssignKeepingKey(const Message& message);
  // Forgets all but the key.
  void DropBody();
  // Forgets the message, and gives back all memory beyond the object itself.
  void Clear() {
    heap_.reset();
    connection_id_size_ = client_id_size_ = id_size_ = 0;
    data_size_ = encoding_size_ = extras_size_ = 0;
    data_kind_ = DataKind::kNone;
    has_encoding_ = has_extras_ = false;
    timestamp_ = {};
  }

  // The stored message. Its views hold until the next change of this object, a move included.
  Message view() const;
  std::string_view connection_id() const { return {bytes(), connection_id_size_}; }
  std::string_view client_id() const { return {bytes() + connection_id_size_, client_id_size_}; }

 private:
  static constexpr uint32_t kInlineBytes = 112;

  const char* bytes() const { return heap_ == nullptr ? inline_.data() : heap_.get(); }
  static uint64_t BodyBytes(const Message& message);
  // Room for `bytes_wanted`, and not much more than that; the first `bytes_kept` are carried over.
  char* Reserve(size_t bytes_wanted, size_t bytes_kept) {
    if (heap_ == nullptr) {
      if (bytes_wanted <= kInlineBytes) return inline_.data();
    } else if (bytes_wanted <= heap_capacity_ &&
               heap_capacity_ / 2 <= bytes_wanted + kInlineBytes / 4) {
      return heap_.get();
    }
    return Reallocate(bytes_wanted, bytes_kept);
  }
  char* Reallocate(size_t bytes_wanted, size_t bytes_kept);
  void AppendBody(char* to, const Message& message);

  std::unique_ptr<char[]> heap_;  // of a message that does not fit into inline_, or lately did not
  uint32_t heap_capacity_ = 0;    // meaningless without heap_, as after a move
  uint32_t connection_id_size_ = 0;
  uint32_t client_id_size_ = 0;
  uint32_t id_size_ = 0;
  uint32_t data_size_ = 0;
  uint32_t encoding_size_ = 0;
  uint32_t extras_size_ = 0;
  DataKind data_kind_ = DataKind::kNone;
  bool has_encoding_ = false;
  bool has_extras_ = false;
  Timestamp timestamp_{};
  // connection id, client id, id, data, encoding, extras, without separators; or in heap_.
  // An array object, as compilers move a bare array byte by byte.
  std::array<char, kInlineBytes> inline_;
};

}  // namespace presence

#endif  // PRESENCE_MEMBERS_INTERNAL_STORED_MESSAGE_H_
