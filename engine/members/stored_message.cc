#include "presence/members/internal/stored_message.h"

#include <algorithm>
#include <cstring>

#include "engine/base/bytes.h"
#include "presence/base/internal/check.h"

namespace presence {

// In 64 bits, as views that share their bytes may add up to more than there is memory.
uint64_t StoredMessage::BodyBytes(const Message& message) {
  return uint64_t{message.id.size()} + message.payload.data.size() +
         message.payload.encoding.value_or("").size() + message.payload.extras.value_or("").size();
}

bool StoredMessage::Fits(const Message& message) {
  return message.connection_id.size() + message.client_id.size() + BodyBytes(message) <= kMaxBytes;
}

void StoredMessage::Assign(const Message& message) {
  PRESENCE_DCHECK(Fits(message));
  const uint64_t size =
      message.connection_id.size() + message.client_id.size() + BodyBytes(message);
  char* to = Reserve(static_cast<size_t>(size), /*bytes_kept=*/0);
  to = AppendBytes(to, message.connection_id);
  to = AppendBytes(to, message.client_id);
  connection_id_size_ = static_cast<uint32_t>(message.connection_id.size());
  client_id_size_ = static_cast<uint32_t>(message.client_id.size());
  AppendBody(to, message);
}

void StoredMessage::AssignKeepingKey(const Message& message) {
  PRESENCE_DCHECK(Fits(message));
  PRESENCE_DCHECK(message.connection_id == connection_id() && message.client_id == client_id());
  const size_t key_size = size_t{connection_id_size_} + client_id_size_;
  const auto size = static_cast<size_t>(key_size + BodyBytes(message));
  AppendBody(Reserve(size, key_size) + key_size, message);
}

void StoredMessage::DropBody() {
  Message key;
  key.connection_id = connection_id();
  key.client_id = client_id();
  AssignKeepingKey(key);
}

Message StoredMessage::view() const {
  Message message;
  const char* at = bytes();
  const auto next = [&at](uint32_t size) {
    const std::string_view bytes(at, size);
    at += size;
    return bytes;
  };
  message.connection_id = next(connection_id_size_);
  message.client_id = next(client_id_size_);
  message.id = next(id_size_);
  message.payload.data = next(data_size_);
  message.payload.data_kind = data_kind_;
  if (has_encoding_) message.payload.encoding = next(encoding_size_);
  if (has_extras_) message.payload.extras = next(extras_size_);
  message.timestamp = timestamp_;
  return message;
}

char* StoredMessage::Reallocate(size_t bytes_wanted, size_t bytes_kept) {
  if (bytes_wanted <= kInlineBytes) {
    if (bytes_kept > 0) std::memcpy(inline_.data(), heap_.get(), bytes_kept);
    heap_.reset();
    return inline_.data();
  }
  // A little slack: payloads of one member vary in length by a few bytes.
  const size_t room = bytes_wanted + std::min<size_t>(bytes_wanted / 4 + 16, 4096);
  std::unique_ptr<char[]> buffer(new char[room]);
  if (bytes_kept > 0) std::memcpy(buffer.get(), bytes(), bytes_kept);
  heap_ = std::move(buffer);
  heap_capacity_ = static_cast<uint32_t>(room);
  return heap_.get();
}

void StoredMessage::AppendBody(char* to, const Message& message) {
  const Payload& payload = message.payload;
  to = AppendBytes(to, message.id);
  to = AppendBytes(to, payload.data);
  to = AppendBytes(to, payload.encoding.value_or(""));
  to = AppendBytes(to, payload.extras.value_or(""));
  id_size_ = static_cast<uint32_t>(message.id.size());
  data_size_ = static_cast<uint32_t>(payload.data.size());
  encoding_size_ = static_cast<uint32_t>(payload.encoding.value_or("").size());
  extras_size_ = static_cast<uint32_t>(payload.extras.value_or("").size());
  data_kind_ = payload.data_kind;
  has_encoding_ = payload.encoding.has_value();
  has_extras_ = payload.extras.has_value();
  timestamp_ = message.timestamp;
}

}  // namespace presence
