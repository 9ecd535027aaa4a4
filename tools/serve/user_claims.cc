#include "tools/serve/user_claims.h"

#include <utility>

#include "absl/status/statusor.h"
#include "presence/json/json_value.h"

namespace presence::serve {
namespace {

constexpr std::string_view kField = "userClaim";
constexpr std::string_view kRoomEnd = "::$chat";

}  // namespace

wire::Frame UserClaims::Put(const wire::Frame& frame,
                            const std::map<std::string, std::string, std::less<>>& by_room) {
  items_.assign(frame.presence.begin(), frame.presence.end());
  extras_.clear();
  const std::string* claim = nullptr;
  if (frame.channel.ends_with(kRoomEnd)) {
    const auto found =
        by_room.find(frame.channel.substr(0, frame.channel.size() - kRoomEnd.size()));
    if (found != by_room.end()) claim = &found->second;
  }
  for (IncomingItem& item : items_) Put(claim, item);
  wire::Frame changed = frame;
  changed.presence = items_;
  return changed;
}

void UserClaims::Put(const std::string* claim, IncomingItem& item) {
  if (!item.payload.extras.has_value() && claim == nullptr) return;
  std::vector<JsonField> fields;
  bool changed = claim != nullptr;
  if (item.payload.extras.has_value()) {
    // The name may be written with escapes, so the text itself does not tell.
    const absl::StatusOr<JsonValue> extras = ParseJson(*item.payload.extras);
    if (!extras.ok()) {
      item.malformed = "its extras cannot be read";
      return;
    }
    if (const JsonObject* const object = extras->AsObject()) {
      for (const JsonField& field : *object) {
        if (field.key == kField) {
          changed = true;
        } else {
          fields.push_back(field);
        }
      }
    }
  }
  if (!changed) return;
  if (claim != nullptr) fields.push_back({std::string(kField), *claim});
  item.payload.extras = extras_.emplace_back(DebugJson(JsonObject(std::move(fields))));
}

}  // namespace presence::serve
