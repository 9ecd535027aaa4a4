#include "tools/serve/credentials.h"

#include <cmath>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "engine/base/absl_view.h"
#include "presence/json/json_value.h"
#include "tools/serve/jwt.h"

namespace presence::serve {
namespace {

constexpr int64_t kBadCredentials = 40101;
constexpr std::string_view kRoomClaim = "ably.room.";

ErrorInfo Bad(std::string why) { return {kBadCredentials, 401, std::move(why), nullptr}; }

std::string FromBase64(std::string_view base64) {
  std::string text;
  if (!absl::Base64Unescape(AbslView(base64), &text)) text.clear();
  return text;
}

// What comes after a scheme of Authorization, such as "Basic"; nullopt: it is another one.
std::optional<std::string_view> After(std::string_view scheme, std::string_view header) {
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ' ||
      !absl::EqualsIgnoreCase(AbslView(header.substr(0, scheme.size())), AbslView(scheme))) {
    return std::nullopt;
  }
  header.remove_prefix(scheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  return header;
}

// A claim that is a time in seconds, in ms; nullopt: there is none such. What no clock will ever
// show is cut off.
std::optional<Timestamp> TimeOf(const JsonObject& claims, std::string_view name) {
  const JsonValue* const value = claims.Find(name);
  const std::optional<double> seconds = value == nullptr ? std::nullopt : value->AsDouble();
  if (!seconds.has_value() || std::isnan(*seconds)) return std::nullopt;
  constexpr double kFarthest = 1e12;
  return TimestampFromMs(
      static_cast<int64_t>(std::fmin(std::fmax(*seconds, -kFarthest), kFarthest) * 1'000));
}

std::variant<Credentials, ErrorInfo> CheckKey(const Keys& keys, const Presented& presented) {
  const Key* const key = keys.Check(presented.key);
  if (key == nullptr) {
    const size_t colon = presented.key.find(':');
    if (colon == presented.key.npos) return Bad("the key is none: it is NAME:SECRET");
    return Bad(keys.Find(std::string_view(presented.key).substr(0, colon)) == nullptr
                   ? "this server has no key of that name"
                   : "the secret is not the one of this server's key of that name");
  }
  const std::string& client_id = presented.client_id;
  return Credentials{client_id.empty() ? "*" : client_id, key->capability, std::nullopt, {}};
}

std::variant<Credentials, ErrorInfo> CheckToken(const Keys& keys, const Presented& presented,
                                                Timestamp now) {
  const absl::StatusOr<Jwt> jwt = Jwt::Read(presented.token);
  if (!jwt.ok()) {
    return Bad(std::string(jwt.status().message().data(), jwt.status().message().size()));
  }
  const Key* const key = keys.Find(jwt->key_name());
  if (key == nullptr) return Bad("the token is of a key whose name no key of this server has");
  if (!jwt->IsSignedWith(key->secret)) return Bad("the token is not signed by its key");
  const JsonObject& claims = jwt->claims();
  Credentials credentials;
  credentials.expires = TimeOf(claims, "exp");
  if (claims.Find("exp") != nullptr && !credentials.expires.has_value()) {
    return Bad("the time when the token expires is none");
  }
  if (credentials.expires.has_value() && *credentials.expires <= now) {
    return MakeError(kTokenExpired, "the token has expired");
  }
  if (const auto begin = TimeOf(claims, "nbf"); begin.has_value() && *begin > now) {
    return Bad("the token is not good yet");
  }
  credentials.capability = key->capability;
  if (const JsonValue* const asked = claims.Find("x-ably-capability")) {
    const std::string* const text = asked->AsString();
    const absl::StatusOr<Capability> read = Capability::Read(text == nullptr ? "" : *text);
    if (!read.ok())
      return Bad(
          "the token's x-ably-capability is not the text of a JSON object of lists of operations");
    credentials.capability = Capability::Both(key->capability, *read);
  }
  if (const JsonValue* const client_id = claims.Find("x-ably-clientId")) {
    const std::string* const text = client_id->AsString();
    if (text == nullptr) return Bad("the client id of the token is no text");
    if (!text->empty()) credentials.client_id = *text;
  }
  const std::string& named = presented.client_id;
  if (credentials.client_id == "*") {
    if (!named.empty()) credentials.client_id = named;
  } else if (credentials.client_id.has_value() && !named.empty() &&
             *credentials.client_id != named) {
    return MakeError(kOtherIdentity, "the token is of another client");
  }
  for (const JsonField& claim : claims) {
    const std::string* const text = claim.value.AsString();
    if (text == nullptr || !claim.key.starts_with(kRoomClaim)) continue;
    credentials.room_claims.emplace(claim.key.substr(kRoomClaim.size()), *text);
  }
  return credentials;
}

}  // namespace

Presented Presented::By(const RequestTarget& target) {
  const std::string_view token = target.Parameter("access_token");
  return {std::string(target.Parameter("key")),
          std::string(token.empty() ? target.Parameter("accessToken") : token),
          std::string(target.Parameter("clientId"))};
}

Presented Presented::By(const HttpRequest& request) {
  const std::string_view header = request.Header("Authorization");
  if (const auto key = After("Basic", header)) return {FromBase64(*key), "", ""};
  if (const auto token = After("Bearer", header)) {
    // No token is base64 of something else: it has dots.
    const bool raw = token->find('.') != token->npos;
    return {"", raw ? std::string(*token) : FromBase64(*token), ""};
  }
  if (!header.empty()) return {};
  return By(request.target);
}

std::string Presented::KeyName() const {
  if (!key.empty()) return key.substr(0, key.find(':'));
  const absl::StatusOr<Jwt> jwt = Jwt::Read(token);
  return jwt.ok() ? jwt->key_name() : "";
}

std::variant<Credentials, ErrorInfo> CheckCredentials(const Keys& keys, const Presented& presented,
                                                      Timestamp now) {
  if (!presented.key.empty()) return CheckKey(keys, presented);
  if (!presented.token.empty()) return CheckToken(keys, presented, now);
  return Bad("there is neither a key nor a token");
}

}  // namespace presence::serve
