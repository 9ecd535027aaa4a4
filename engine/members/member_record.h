#ifndef ENGINE_MEMBERS_MEMBER_RECORD_H_
#define ENGINE_MEMBERS_MEMBER_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/prefetch.h"
#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence {

// What a set keeps of one key: its latest message, and the numbers by which the set finds and
// orders it, in two cache lines. Bare memory: it is copied as bytes, and who gives one up calls
// Clear.
//
// How it works. The texts of a message lie one behind the other, each once:
//
//    client id | connection id | rest of the id | data | encoding | extras
//
// as an id is nearly always that of the connection followed by ":msgSerial:index", and an encoding
// that many have is a number. Short ones, which most are, lie in the record; others in one block of
// the heap, which later messages use again as long as it is not much too large for them. Then the
// record keeps a second copy of a short key, so that it is found without a look at the block.
struct alignas(kCacheLineBytes) MemberRecord {
  static constexpr uint32_t kNone = UINT32_MAX;

  enum class State : uint8_t { kFree, kVisible, kTombstone };
  struct Link {
    uint32_t prev;
    uint32_t next;
  };

  // --- The message ---

  // Makes this an empty record, whatever the memory held.
  void Init();
  // Stores `message`, of version `version`. REQUIRES: what Init made, or Clear has left.
  void Assign(const Message& message, const Version& version);
  // The same where the key is known to be the stored one: only the rest is written.
  void Update(const Message& message, const Version& version);
  // Forgets all but the key, and takes on the version of `message`, which has the same key.
  void Bury(const Message& message, const Version& version);
  // Forgets the message and gives its block back.
  void Clear();

  // The message. Its views hold until the next change, a copy of the bytes included.
  Message view() const;
  // Inline, or its parts would be written to memory and read again before they have got there.
  Version version() const {
    Version version;
    version.kind = shape_.version_kind;
    version.msg_serial = msg_serial_;
    version.index = shape_.wide_index ? WideIndex() : index_;
    version.timestamp = TimestampFromMs(timestamp_ms_);
    return version;
  }
  std::string_view client_id() const { return {bytes(), size_of(kClientId)}; }
  std::string_view connection_id() const {
    return {bytes() + size_of(kClientId), size_of(kConnectionId)};
  }
  bool Has(std::string_view connection, std::string_view client) const {
    if (on_heap_) return BlockHas(connection, client);
    return sizes_[kClientId] == client.size() && sizes_[kConnectionId] == connection.size() &&
           EqualBytes({bytes_ + client.size(), connection.size()}, connection) &&
           EqualBytes({bytes_, client.size()}, client);
  }
  // Bytes of the key.
  size_t key_size() const { return size_t{size_of(kClientId)} + size_of(kConnectionId); }
  bool has_block() const { return on_heap_; }

  // --- What the set keeps with it ---

  State state;
  bool first_of_client : 1;      // of the visible members of its client, in joining order
  bool first_of_connection : 1;  // and of its connection

 private:
  enum Text : uint8_t { kClientId, kConnectionId, kId, kData, kEncoding, kExtras, kTexts };
  enum class Id : uint8_t { kNone, kOfConnection, kOther };
  static constexpr size_t kInlineBytes = 70;
  static constexpr size_t kKeyBytes = 28;

  // Of a message in a block of the heap, in the place of the bytes that others have there.
  struct Block {
    char* bytes;
    uint32_t capacity;
    uint32_t sizes[kTexts];
    char key[kKeyBytes];  // client id and connection id, if they fit
  };
  // What a message is like, besides its texts: written at once.
  struct Shape {
    bool has_extras : 1;
    bool wide_index : 1;  // the index does not fit into 32 bits: it is read from the id
    Id id_kind : 2;
    Version::Kind version_kind : 2;
    DataKind data_kind : 2;
  };
  static_assert(sizeof(Shape) == 1);

  Block& block() { return *reinterpret_cast<Block*>(bytes_ + kInlineBytes - sizeof(Block)); }
  const Block& block() const {
    return *reinterpret_cast<const Block*>(bytes_ + kInlineBytes - sizeof(Block));
  }
  uint32_t size_of(Text one) const { return on_heap_ ? block().sizes[one] : sizes_[one]; }
  const char* bytes() const { return on_heap_ ? block().bytes : bytes_; }
  bool BlockHas(std::string_view connection, std::string_view client) const;
  void Take(const Message& message, const Version& version);
  std::string_view IdToStore(const Message& message) const;
  std::string_view EncodingToStore(const Message& message) const;
  uint64_t BodySize(const Message& message) const;
  void Write(char* to, const Message& message);
  void WriteElsewhere(const Message& message);
  int64_t WideIndex() const;

  // First, so that whoever looks for a key waits for the first line only.
  bool on_heap_ : 1;
  Shape shape_;
  uint8_t encoding_;
  uint8_t sizes_[kTexts];  // of the texts, if they are in the record
  char bytes_[kInlineBytes];
  int64_t msg_serial_;
  int64_t timestamp_ms_;
  uint32_t index_;

 public:
  // The set's, too.
  uint32_t seen_in;    // the generation of the sync in which the key was last seen
  uint32_t place;      // in the joining order, if visible; the next free one, if free
  Link of_client;      // the circle of the visible members of its client
  Link of_connection;  // and of its connection; or, of a tombstone, the older and the newer one
  uint32_t client_members;  // of its client, if it is the first of them
};

static_assert(sizeof(MemberRecord) == 2 * kCacheLineBytes);

}  // namespace presence

#endif  // ENGINE_MEMBERS_MEMBER_RECORD_H_
