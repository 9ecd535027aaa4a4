#include "engine/members/member_record.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>

#include "absl/base/attributes.h"
#include "presence/base/internal/check.h"

namespace presence {
namespace {

// Those that many have. By their places here records name them.
constexpr std::string_view kEncodings[] = {"json", "utf-8", "base64", "json/utf-8",
                                           "json/utf-8/base64"};

}  // namespace

void MemberRecord::Init() {
  *this = MemberRecord();
  on_heap_ = false;
}

// Takes on what is no text, and says which texts are to be stored. In 64 bits, as views that share
// their bytes may add up to more than there is memory. Inline, as otherwise its answer is written
// to memory and read again before it has got there.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline MemberRecord::Body MemberRecord::Take(const Message& message,
                                                                          const Version& version) {
  const Payload& payload = message.payload;
  Body body;
  version_kind_ = version.kind;
  msg_serial_ = version.msg_serial;
  index_ = static_cast<uint32_t>(version.index);
  wide_index_ = version.index > UINT32_MAX;
  timestamp_ms_ = ToMs(message.timestamp);
  data_kind_ = payload.data_kind;
  has_extras_ = payload.extras.has_value();
  if (message.id.empty()) {
    id_kind_ = Id::kNone;
  } else if (version.kind == Version::Kind::kSynthesized) {
    id_kind_ = Id::kOther;
    body.id = message.id;
  } else {
    id_kind_ = Id::kOfConnection;
    body.id = message.id.substr(message.connection_id.size());
  }
  if (!payload.encoding.has_value()) {
    encoding_ = kNoEncoding;
  } else {
    const auto known = std::find_if(
        std::begin(kEncodings), std::end(kEncodings),
        [&](std::string_view encoding) { return EqualBytes(encoding, *payload.encoding); });
    if (known == std::end(kEncodings)) {
      encoding_ = kOtherEncoding;
      body.encoding = *payload.encoding;
    } else {
      encoding_ = static_cast<uint8_t>(kOtherEncoding + 1 + (known - std::begin(kEncodings)));
    }
  }
  body.size = uint64_t{body.id.size()} + payload.data.size() + body.encoding.size() +
              payload.extras.value_or("").size();
  return body;
}

// Writes the body into the record.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void MemberRecord::Write(char* to, const Message& message,
                                                             const Body& body) {
  const std::string_view extras = message.payload.extras.value_or("");
  to = AppendBytes(to, body.id);
  to = AppendBytes(to, message.payload.data);
  if (encoding_ == kOtherEncoding) to = AppendBytes(to, body.encoding);
  if (has_extras_) AppendBytes(to, extras);
  sizes_[kId] = static_cast<uint8_t>(body.id.size());
  sizes_[kData] = static_cast<uint8_t>(message.payload.data.size());
  sizes_[kEncoding] = static_cast<uint8_t>(body.encoding.size());
  sizes_[kExtras] = static_cast<uint8_t>(extras.size());
}

void MemberRecord::Assign(const Message& message, const Version& version) {
  const Body body = Take(message, version);
  const size_t key = message.client_id.size() + message.connection_id.size();
  if (on_heap_ || key + body.size > kInlineBytes) {
    sizes_[kClientId] = sizes_[kConnectionId] = 0;
    return WriteElsewhere(message, body);
  }
  sizes_[kClientId] = static_cast<uint8_t>(message.client_id.size());
  sizes_[kConnectionId] = static_cast<uint8_t>(message.connection_id.size());
  Write(AppendBytes(AppendBytes(bytes_, message.client_id), message.connection_id), message, body);
}

void MemberRecord::Update(const Message& message, const Version& version) {
  PRESENCE_DCHECK(Has(message.connection_id, message.client_id));
  const Body body = Take(message, version);
  const size_t key = message.client_id.size() + message.connection_id.size();
  if (on_heap_ || key + body.size > kInlineBytes) return WriteElsewhere(message, body);
  Write(bytes_ + key, message, body);
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
void MemberRecord::WriteElsewhere(const Message& message, Body body) {
  const size_t key = message.client_id.size() + message.connection_id.size();
  const auto size = static_cast<size_t>(key + body.size);
  char* to = on_heap_ ? block().bytes : nullptr;
  uint32_t capacity = on_heap_ ? block().capacity : 0;
  if (on_heap_ && size <= kInlineBytes) {
    delete[] to;
    on_heap_ = false;
    sizes_[kClientId] = static_cast<uint8_t>(message.client_id.size());
    sizes_[kConnectionId] = static_cast<uint8_t>(message.connection_id.size());
    return Write(AppendBytes(AppendBytes(bytes_, message.client_id), message.connection_id),
                 message, body);
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
  const std::string_view extras = message.payload.extras.value_or("");
  const std::string_view texts[kTexts] = {message.client_id,    message.connection_id, body.id,
                                          message.payload.data, body.encoding,         extras};
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
  if (has_extras_) message.payload.extras = next(kExtras);
  if (id_kind_ == Id::kOther) {
    message.id = id;
  } else if (id_kind_ == Id::kOfConnection) {
    message.id = {message.connection_id.data(), message.connection_id.size() + id.size()};
  }
  if (encoding_ == kOtherEncoding) {
    message.payload.encoding = encoding;
  } else if (encoding_ != kNoEncoding) {
    message.payload.encoding = kEncodings[encoding_ - kOtherEncoding - 1];
  }
  message.payload.data_kind = data_kind_;
  message.timestamp = TimestampFromMs(timestamp_ms_);
  return message;
}

Version MemberRecord::WideVersion() const {
  const Message message = view();
  return VersionOf(message.id, message.connection_id, message.timestamp);
}

}  // namespace presence
