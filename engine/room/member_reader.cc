#include "engine/room/member_reader.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace presence {

PresenceMember MemberReader::Read(const Message& message) {
  PresenceMember member;
  member.client_id = message.client_id;
  member.connection_id = message.connection_id;
  member.updated_at = message.timestamp;
  if (message.payload.data_kind != DataKind::kNone) member.data = DataOf(message.payload);
  if (message.payload.extras.has_value()) {
    const absl::StatusOr<JsonValue> extras = reader_.Read(*message.payload.extras);
    if (extras.ok() && extras->IsObject()) {
      member.extras = *extras->AsObject();
      if (const JsonValue* claim = extras->Find("userClaim")) {
        if (const std::string* text = claim->AsString()) member.user_claim = *text;
      }
    }
  }
  return member;
}

JsonValue MemberReader::DataOf(const Payload& payload) {
  if (payload.data_kind == DataKind::kJson || payload.encoding == "json") {
    if (absl::StatusOr<JsonValue> value = reader_.Read(payload.data); value.ok()) {
      return *std::move(value);
    }
  }
  return payload.data;
}

}  // namespace presence
