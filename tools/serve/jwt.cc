#include "tools/serve/jwt.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "tools/serve/signature.h"

namespace presence::serve {
namespace {

std::optional<std::string> Decoded(std::string_view base64) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(AbslView(base64), &bytes)) return std::nullopt;
  return bytes;
}

// An object of JSON in base64; null: it is none.
std::optional<JsonObject> DecodedObject(std::string_view base64) {
  const std::optional<std::string> json = Decoded(base64);
  if (!json.has_value()) return std::nullopt;
  const absl::StatusOr<JsonValue> value = ParseJson(*json);
  if (!value.ok() || !value->IsObject()) return std::nullopt;
  return *value->AsObject();
}

std::string_view TextOf(const JsonObject& object, std::string_view key) {
  const JsonValue* const value = object.Find(key);
  const std::string* const text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? std::string_view() : *text;
}

std::string Encoded(std::string_view bytes) { return absl::WebSafeBase64Escape(AbslView(bytes)); }

}  // namespace

absl::StatusOr<Jwt> Jwt::Read(std::string_view token) {
  if (token.size() > kMaxBytes) return absl::InvalidArgumentError("the token is too long");
  const size_t first = token.find('.');
  const size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return absl::InvalidArgumentError("the token is none: a JWT has three parts");
  }
  const std::optional<JsonObject> header = DecodedObject(token.substr(0, first));
  std::optional<JsonObject> claims = DecodedObject(token.substr(first + 1, second - first - 1));
  std::optional<std::string> signature = Decoded(token.substr(second + 1));
  if (!header.has_value() || !claims.has_value() || !signature.has_value()) {
    return absl::InvalidArgumentError("the token is none: its parts are not JSON in base64");
  }
  if (TextOf(*header, "alg") != "HS256") {
    return absl::InvalidArgumentError("the token is not signed with HS256");
  }
  Jwt jwt;
  jwt.key_name_ = TextOf(*header, "kid");
  if (jwt.key_name_.empty()) {
    return absl::InvalidArgumentError("the token does not name its key: its header has no kid");
  }
  jwt.claims_ = *std::move(claims);
  jwt.signed_text_ = token.substr(0, second);
  jwt.signature_ = *std::move(signature);
  return jwt;
}

std::string Jwt::Write(std::string_view key_name, std::string_view secret,
                       const JsonObject& claims) {
  const JsonObject header{{"typ", "JWT"}, {"alg", "HS256"}, {"kid", key_name}};
  const std::string text =
      absl::StrCat(Encoded(DebugJson(header)), ".", Encoded(DebugJson(claims)));
  return absl::StrCat(text, ".", Encoded(HmacSha256(secret, text)));
}

bool Jwt::IsSignedWith(std::string_view secret) const {
  return SameSecret(signature_, HmacSha256(secret, signed_text_));
}

}  // namespace presence::serve
