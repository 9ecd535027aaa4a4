#include "engine/members/member_record.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>
#include <optional>

#include "absl/base/attributes.h"
#include "presence/base/internal/check.h"

namespace presence {
namespace {

// Those that many have. By their places here records name them.
constexpr std::string_view kEncodings[] = {"json", "utf-8", "base64", "json/utf-8",
                                           "json/utf-8/base64"};

constexpr uint8_t kNoEncoding = 0;
constexpr uint8_t kOtherEncoding = 1;
constexpr uint8_t kFirstEncoding = 2;

uint8_t CodeOf(const std::optional<std::string_view>& encoding) {
  if (!encoding.has_value()) return kNoEncoding;
  const auto known = std::find_if(std::begin(kEncodings), std::end(kEncodings),
                                  [&](std::string_view one) { return EqualBytes(one, *encoding); });
  if (known == std::end(kEncodings)) return kOtherEncoding;
  return static_cast<uint8_t>(kFirstEncoding + (known - std::begin(kEncodings)));
}

}  // namespace

void MemberRecord::Init() {
  *this = MemberRecord();
  on_heap_ = false;
}

// Takes on what is no text.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void MemberRecord::Take(const Message& message,
                                                            const Version& version) {
  const Payload& payload = message.payload;
  Id id_kind = Id::kOfConnection;
  if (message.id.empty()) {
    id_kind = Id::kNone;
  } else if (version.kind == Version::Kind::kSynthesized) {
    id_kind = Id::kOther;
  }
  shape_ = Shape{payload.extras.has_value(), version.index > UINT32_MAX, id_kind, version.kind,
                 payload.data_kind};
  encoding_ = CodeOf(payload.encoding);
  msg_serial_ = version.msg_serial;
  index_ = static_cast<uint32_t>(version.index);
  timestamp_ms_ = ToMs(message.timestamp);
}

// What of a message's id, and of its encoding, is to be stored as text, once Take has taken it.
inline std::string_view MemberRecord::IdToStore(const Message& message) const {
  return shape_.id_kind == Id::kOfConnection ? message.id.substr(message.connection_id.size())
                                             : message.id;
}
inline std::string_view MemberRecord::EncodingToStore(const Message& message) const {
  return encoding_ == kOtherEncoding ? *message.payload.encoding : std::string_view();
}

// Bytes of all texts behind the key. In 64 bits, as views that share their bytes may add up to more
// than there is memory.
inline uint64_t MemberRecord::BodySize(const Message& message) const {
  uint64_t size = uint64_t{IdToStore(message).size()} + message.payload.data.size();
  if (encoding_ == kOtherEncoding) size += EncodingToStore(message).size();
  if (shape_.has_extras) size += message.payload.extras->size();
  return size;
}

// Writes what stands behind the key into the record.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void MemberRecord::Write(char* to, const Message& message) {
  const std::string_view id = IdToStore(message);
  const std::string_view data = message.payload.data;
  sizes_[kId] = static_cast<uint8_t>(id.size());
  sizes_[kData] = static_cast<uint8_t>(data.size());
  sizes_[kEncoding] = sizes_[kExtras] = 0;
  to = AppendBytes(AppendBytes(to, id), data);
  if (encoding_ == kOtherEncoding) {
    const std::string_view encoding = EncodingToStore(message);
    sizes_[kEncoding] = static_cast<uint8_t>(encoding.size());
    to = AppendBytes(to, encoding);
  }
  if (shape_.has_extras) {
    sizes_[kExtras] = static_cast<uint8_t>(message.payload.extras->size());
    AppendBytes(to, *message.payload.extras);
  }
}

void MemberRecord::Assign(const Message& message, const Version& version) {
  Take(message, version);
  const size_t key = message.client_id.size() + message.connection_id.size();
  if (on_heap_ || key + BodySize(message) > kInlineBytes) {
    sizes_[kClientId] = sizes_[kConnectionId] = 0;
    return WriteElsewhere(message);
  }
  sizes_[kClientId] = static_cast<uint8_t>(message.client_id.size());
  sizes_[kConnectionId] = static_cast<uint8_t>(message.connection_id.size());
  Write(AppendBytes(AppendBytes(bytes_, message.client_id), message.connection_id), message);
}

void MemberRecord::Update(const Message& message, const Version& version) {
  PRESENCE_DCHECK(Has(message.connection_id, message.client_id));
  Take(message, version);
  const size_t key = message.client_id.size() + message.connection_id.size();
  if (on_heap_ || key + BodySize(message) > kInlineBytes) return WriteElsewhere(message);
  Write(bytes_ + key, message);
}

void MemberRecord::Bury(const Message& message, const Version& version) {
  Message key;
  key.client_id = message.client_id;
  key.connection_id = message.connection_id;
  key.timestamp = message.timestamp;
  if (version.index > UINT32_MAX) key.id = message.id;
  Update(key, version);
}

void MemberRecord::Clear() {
  if (on_heap_) delete[] block().bytes;
  on_heap_ = false;
}

// Writes the whole message into a block, or, if it lies in one and fits into the record, there.
void MemberRecord::WriteElsewhere(const Message& message) {
  const size_t key = message.client_id.size() + message.connection_id.size();
  const auto size = static_cast<size_t>(key + BodySize(message));
  char* to = on_heap_ ? block().bytes : nullptr;
  uint32_t capacity = on_heap_ ? block().capacity : 0;
  if (on_heap_ && size <= kInlineBytes) {
    delete[] to;
    on_heap_ = false;
    sizes_[kClientId] = static_cast<uint8_t>(message.client_id.size());
    sizes_[kConnectionId] = static_cast<uint8_t>(message.connection_id.size());
    return Write(AppendBytes(AppendBytes(bytes_, message.client_id), message.connection_id),
                 message);
  }
  if (size > capacity || capacity / 2 > size + kInlineBytes / 4) {
    delete[] to;
    // A little slack for those whose payloads are seen to vary in length; most others' never do.
    const bool outgrown = capacity > 0 && size > capacity;
    const size_t slack = outgrown ? std::min<size_t>(size / 4 + 16, 4096) : 0;
    capacity = static_cast<uint32_t>(size + slack);
    to = new char[capacity];
  }
  on_heap_ = true;
  Block& in = *new (&block()) Block{to, capacity, {}, {}};
  const std::string_view texts[kTexts] = {
      message.client_id,    message.connection_id,    IdToStore(message),
      message.payload.data, EncodingToStore(message), message.payload.extras.value_or("")};
  for (size_t i = 0; i < kTexts; ++i) {
    in.sizes[i] = static_cast<uint32_t>(texts[i].size());
    to = AppendBytes(to, texts[i]);
  }
  if (key <= kKeyBytes) std::memcpy(in.key, in.bytes, key);
}

bool MemberRecord::BlockHas(std::string_view connection, std::string_view client) const {
  const Block& in = block();
  if (in.sizes[kClientId] != client.size() || in.sizes[kConnectionId] != connection.size()) {
    return false;
  }
  const char* const key = client.size() + connection.size() <= kKeyBytes ? in.key : in.bytes;
  return EqualBytes({key + client.size(), connection.size()}, connection) &&
         EqualBytes({key, client.size()}, client);
}

Message MemberRecord::view() const {
  Message message;
  const char* at = bytes();
  const auto next = [&](Text one) {
    const std::string_view text(at, size_of(one));
    at += text.size();
    return text;
  };
  message.client_id = next(kClientId);
  message.connection_id = next(kConnectionId);
  const std::string_view id = next(kId);
  message.payload.data = next(kData);
  const std::string_view encoding = next(kEncoding);
  if (shape_.has_extras) message.payload.extras = next(kExtras);
  if (shape_.id_kind == Id::kOther) {
    message.id = id;
  } else if (shape_.id_kind == Id::kOfConnection) {
    message.id = {message.connection_id.data(), message.connection_id.size() + id.size()};
  }
  if (encoding_ == kOtherEncoding) {
    message.payload.encoding = encoding;
  } else if (encoding_ != kNoEncoding) {
    message.payload.encoding = kEncodings[encoding_ - kFirstEncoding];
  }
  message.payload.data_kind = shape_.data_kind;
  message.timestamp = TimestampFromMs(timestamp_ms_);
  return message;
}

int64_t MemberRecord::WideIndex() const {
  const Message message = view();
  return VersionOf(message.id, message.connection_id, message.timestamp).index;
}

}  // namespace presence
