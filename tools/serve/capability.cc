#include "tools/serve/capability.h"

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

}  // namespace

Capability Capability::All() {
  Capability all;
  all.entries_.push_back({"", true, kFlagModes});
  return all;
}

absl::StatusOr<Capability> Capability::Read(std::string_view json) {
  const absl::StatusOr<JsonValue> value = ParseJson(json);
  if (!value.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a capability is JSON: ", value.status().message()));
  }
  const JsonObject* const channels = value->AsObject();
  if (channels == nullptr) {
    return absl::InvalidArgumentError("a capability is a JSON object of operations by channel");
  }
  Capability read;
  for (const JsonField& field : *channels) {
    const JsonArray* const operations = field.value.AsArray();
    if (operations == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("a capability lists operations: [...] for ", field.key));
    }
    Entry entry{field.key, field.key.ends_with('*'), 0};
    if (entry.is_prefix) entry.channel.pop_back();
    for (const JsonValue& operation : *operations) {
      if (const std::string* const name = operation.AsString()) entry.modes |= ModesOf(*name);
    }
    read.entries_.push_back(std::move(entry));
  }
  return read;
}

std::vector<Permission> Capability::Permissions() const {
  std::vector<Permission> permissions;
  permissions.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    permissions.push_back({entry.channel, entry.is_prefix, entry.modes});
  }
  return permissions;
}

}  // namespace presence::serve
