#include "tools/serve/capability.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "presence/flags.h"
#include "presence/json/json_value.h"

namespace presence::serve {
namespace {

uint64_t ModesOf(std::string_view operation) {
  if (operation == "presence") return kFlagPresence;
  if (operation == "subscribe") return kFlagSubscribe | kFlagPresenceSubscribe;
  if (operation == "publish") return kFlagPublish;
  if (operation == "annotation-publish") return kFlagAnnotationPublish;
  if (operation == "annotation-subscribe") return kFlagAnnotationSubscribe;
  if (operation == "*") return kFlagModes;
  return 0;
}

// Channels with any qualifier, and those with none. No channel here has one, so it says nothing.
constexpr std::string_view kAnyQualifier = "[*]";

constexpr char kExample[] = R"(, such as {"lobby:*":["presence","subscribe"]})";

// A channel's name, or a beginning of names, as a capability gives it.
struct Scope {
  explicit Scope(std::string_view text) : is_prefix(text.ends_with('*')), name(text) {
    if (name.starts_with(kAnyQualifier)) name.remove_prefix(kAnyQualifier.size());
    if (is_prefix) name.remove_suffix(1);
  }
  bool Holds(const Scope& other) const {
    return is_prefix ? other.name.starts_with(name) : !other.is_prefix && other.name == name;
  }

  bool is_prefix;
  std::string_view name;
};

}  // namespace

Capability Capability::All() {
  Capability all;
  all.channels_["*"].insert("*");
  return all;
}

absl::StatusOr<Capability> Capability::Read(std::string_view json) {
  const absl::StatusOr<JsonValue> value = ParseJson(json);
  if (!value.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a capability is JSON", kExample, ": ", value.status().message()));
  }
  const JsonObject* const channels = value->AsObject();
  if (channels == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("a capability is a JSON object of operations by channel", kExample));
  }
  Capability read;
  for (const JsonField& field : *channels) {
    const JsonArray* const operations = field.value.AsArray();
    if (operations == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("a capability lists operations: [...] for ", field.key, kExample));
    }
    Operations& of_channel = read.channels_[field.key];
    for (const JsonValue& operation : *operations) {
      if (const std::string* const name = operation.AsString()) of_channel.insert(*name);
    }
  }
  return read;
}

Capability Capability::Both(const Capability& one, const Capability& other) {
  Capability both;
  for (const auto& [one_channel, one_operations] : one.channels_) {
    for (const auto& [other_channel, other_operations] : other.channels_) {
      const bool one_is_wide = Scope(one_channel).Holds(Scope(other_channel));
      const bool other_is_wide = Scope(other_channel).Holds(Scope(one_channel));
      if (!one_is_wide && !other_is_wide) continue;
      Operations operations;
      if (one_operations.contains("*")) {
        operations = other_operations;
      } else if (other_operations.contains("*")) {
        operations = one_operations;
      } else {
        std::ranges::set_intersection(one_operations, other_operations,
                                      std::inserter(operations, operations.end()));
      }
      if (operations.empty()) continue;
      // The same channels may be written in two ways: it is not the order of the two that chooses.
      const std::string& narrow = one_is_wide && other_is_wide
                                      ? std::min(one_channel, other_channel)
                                  : one_is_wide ? other_channel
                                                : one_channel;
      both.channels_[narrow].merge(operations);
    }
  }
  return both;
}

bool Capability::empty() const {
  return std::ranges::all_of(channels_, [](const auto& entry) { return entry.second.empty(); });
}

std::string Capability::Text() const {
  std::vector<JsonField> fields;
  for (const auto& [channel, operations] : channels_) {
    fields.push_back({channel, JsonArray(operations.begin(), operations.end())});
  }
  return DebugJson(JsonObject(std::move(fields)));
}

std::vector<Permission> Capability::Permissions() const {
  std::vector<Permission> permissions;
  permissions.reserve(channels_.size());
  for (const auto& [channel, operations] : channels_) {
    const Scope scope(channel);
    Permission permission{scope.name, scope.is_prefix, 0};
    for (const std::string& operation : operations) permission.modes |= ModesOf(operation);
    permissions.push_back(permission);
  }
  return permissions;
}

uint64_t Capability::ModesOn(std::string_view channel) const {
  uint64_t modes = 0;
  for (const Permission& permission : Permissions()) {
    const bool applies = permission.is_prefix ? channel.starts_with(permission.channel)
                                              : channel == permission.channel;
    if (applies) modes |= permission.modes;
  }
  return modes;
}

}  // namespace presence::serve
