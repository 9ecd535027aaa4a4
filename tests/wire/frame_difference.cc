#include "tests/wire/frame_difference.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/message.h"

namespace presence::wire {
namespace {

std::string Show(int64_t number) { return std::to_string(number); }
std::string Show(std::string_view text) {
  return '"' + std::string(text) + "\" (" + std::to_string(text.size()) + " bytes)";
}
std::string Show(Timestamp t) { return Show(ToMs(t)); }
template <typename T>
std::string Show(const std::optional<T>& value) {
  return value.has_value() ? Show(*value) : "none";
}

// Collects the first difference.
class Comparison {
 public:
  template <typename T>
  void Field(const std::string& name, const T& expected, const T& actual) {
    if (text_.empty() && !(expected == actual)) {
      text_ = name + ": expected " + Show(expected) + ", not " + Show(actual);
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void CompareErrors(const std::string& name, const ErrorInfo* expected, const ErrorInfo* actual,
                   Comparison& comparison) {
  comparison.Field(name + " there", static_cast<int64_t>(expected != nullptr),
                   static_cast<int64_t>(actual != nullptr));
  if (expected == nullptr || actual == nullptr) return;
  comparison.Field(name + ".code", expected->code, actual->code);
  comparison.Field(name + ".statusCode", expected->status_code, actual->status_code);
  comparison.Field<std::string_view>(name + ".message", expected->message, actual->message);
  CompareErrors(name + ".cause", expected->cause.get(), actual->cause.get(), comparison);
}

void CompareItems(const std::string& name, const IncomingItem& expected, const IncomingItem& actual,
                  Comparison& comparison) {
  comparison.Field(name + ".malformed", expected.malformed, actual.malformed);
  comparison.Field(name + ".action", expected.action, actual.action);
  comparison.Field(name + ".id", expected.id, actual.id);
  comparison.Field(name + ".clientId", expected.client_id, actual.client_id);
  comparison.Field(name + ".connectionId", expected.connection_id, actual.connection_id);
  comparison.Field(name + ".timestamp", expected.timestamp, actual.timestamp);
  comparison.Field(name + ".data kind", static_cast<int64_t>(expected.payload.data_kind),
                   static_cast<int64_t>(actual.payload.data_kind));
  comparison.Field(name + ".data", expected.payload.data, actual.payload.data);
  comparison.Field(name + ".encoding", expected.payload.encoding, actual.payload.encoding);
  comparison.Field(name + ".extras", expected.payload.extras, actual.payload.extras);
}

}  // namespace

std::string Difference(const Frame& expected, const Frame& actual) {
  Comparison comparison;
  comparison.Field("action", expected.action, actual.action);
  comparison.Field("channel", expected.channel, actual.channel);
  comparison.Field("channelSerial", expected.channel_serial, actual.channel_serial);
  comparison.Field("id", expected.id, actual.id);
  comparison.Field("connectionId", expected.connection_id, actual.connection_id);
  comparison.Field("timestamp", expected.timestamp, actual.timestamp);
  comparison.Field("msgSerial", expected.msg_serial, actual.msg_serial);
  comparison.Field("count", expected.count, actual.count);
  comparison.Field("flags", expected.flags, actual.flags);
  CompareErrors("error", expected.error.has_value() ? &*expected.error : nullptr,
                actual.error.has_value() ? &*actual.error : nullptr, comparison);
  comparison.Field("clientId", expected.details_client_id, actual.details_client_id);
  comparison.Field("maxMessageSize", expected.details_max_message_size,
                   actual.details_max_message_size);
  comparison.Field("connectionKey", expected.details_connection_key, actual.details_connection_key);
  comparison.Field("maxIdleInterval", expected.details_max_idle_interval,
                   actual.details_max_idle_interval);
  comparison.Field("connectionStateTtl", expected.details_connection_state_ttl,
                   actual.details_connection_state_ttl);
  comparison.Field("accessToken", expected.auth_access_token, actual.auth_access_token);
  comparison.Field("items", static_cast<int64_t>(expected.presence.size()),
                   static_cast<int64_t>(actual.presence.size()));
  for (size_t i = 0; i < expected.presence.size() && i < actual.presence.size(); ++i) {
    if (!expected.presence[i].malformed.empty()) continue;
    CompareItems("presence[" + std::to_string(i) + "]", expected.presence[i], actual.presence[i],
                 comparison);
  }
  return comparison.text();
}

}  // namespace presence::wire
