// Whatever is shown to the server over HTTP is taken or refused with a reason, permits no more than
// its key, and means the same when it is written again. The input is tried as the target of a
// request, as a token, as the claims of one, as a request of one, and as the extras of an item.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "presence/item.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "tests/fuzz/check.h"
#include "tools/serve/capability.h"
#include "tools/serve/credentials.h"
#include "tools/serve/jwt.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"
#include "tools/serve/signature.h"
#include "tools/serve/token_request.h"
#include "tools/serve/user_claims.h"

namespace presence {
namespace {

using serve::Capability;
using serve::Credentials;
using serve::Jwt;
using serve::Key;
using serve::Keys;
using serve::Presented;
using serve::TokenDetails;
using serve::TokenRequest;

constexpr Timestamp kNow = TimestampFromMs(1'700'000'000'000);

const Key& TheKey() {
  static const Key* const key =
      new Key(*serve::ParseKey(R"(app.key:secret:{"a:*":["presence","subscribe"],"b":["*"]})"));
  return *key;
}

const Keys& TheKeys() {
  static const Keys* const keys = [] {
    auto* const made = new Keys;
    FuzzCheck(made->Add(TheKey()).ok(), "the key is not taken", "");
    return made;
  }();
  return *keys;
}

void CheckTarget(std::string_view text) {
  const serve::RequestTarget target = serve::ParseTarget(text);
  for (const auto& [name, value] : target.parameters) {
    const std::string again = "/?" + serve::Escaped(name) + "=" + serve::Escaped(value);
    FuzzCheck(serve::ParseTarget(again).Parameter(name) == value, "a parameter changes", again);
  }
  (void)Presented::By(target).KeyName();
}

// What a token gives, if it is good.
std::optional<Credentials> Judge(const std::string& token) {
  const auto judged = serve::CheckCredentials(TheKeys(), {"", token, ""}, kNow);
  if (const auto* const error = std::get_if<ErrorInfo>(&judged)) {
    FuzzCheck(error->code != 0 && error->status_code == 401 && !error->message.empty(),
              "refused in the wrong way", error->message);
    return std::nullopt;
  }
  const auto& credentials = std::get<Credentials>(judged);
  const std::string text = credentials.capability.Text();
  FuzzCheck(Capability::Both(TheKey().capability, credentials.capability).Text() == text,
            "it permits more than its key", text);
  FuzzCheck(!credentials.client_id.has_value() || !credentials.client_id->empty(),
            "an empty client id", "");
  return credentials;
}

void CheckClaims(const JsonObject& claims) {
  const std::string token = Jwt::Write("app.key", "secret", claims);
  const absl::StatusOr<Jwt> jwt = Jwt::Read(token);
  FuzzCheck(jwt.ok() == (token.size() <= Jwt::kMaxBytes), "a token is refused", token);
  if (!jwt.ok()) return;
  FuzzCheck(jwt->claims() == claims && jwt->IsSignedWith("secret") && !jwt->IsSignedWith("secreT"),
            "a token changes", token);
  (void)Judge(token);
}

void CheckRequest(const JsonValue& body) {
  const auto read = TokenRequest::Read(body);
  if (!std::holds_alternative<TokenRequest>(read)) return;
  TokenRequest request = std::get<TokenRequest>(read);
  serve::UsedNonces nonces;
  FuzzCheck(
      std::holds_alternative<ErrorInfo>(serve::IssueToken(TheKey(), request, false, nonces, kNow)),
      "a token for nothing", request.SignedText());
  request.key_name = "app.key";
  request.mac = absl::Base64Escape(serve::HmacSha256("secret", request.SignedText()));
  const auto issued = serve::IssueToken(TheKey(), request, false, nonces, kNow);
  if (!std::holds_alternative<TokenDetails>(issued)) return;
  const auto& details = std::get<TokenDetails>(issued);
  const std::optional<Credentials> credentials = Judge(details.token);
  FuzzCheck(credentials.has_value() && credentials->client_id.value_or("") == request.client_id &&
                credentials->capability.Text() == details.capability &&
                credentials->expires == details.expires,
            "a token says something else than its details", details.Json());
  FuzzCheck(
      std::holds_alternative<ErrorInfo>(serve::IssueToken(TheKey(), request, false, nonces, kNow)),
      "a nonce is good twice", request.nonce);
}

void CheckExtras(std::string_view text) {
  IncomingItem item;
  item.payload.extras = text;
  wire::Frame frame;
  frame.channel = "r::$chat";
  frame.presence = {&item, 1};
  serve::UserClaims claims;
  const wire::Frame without = claims.Put(frame, {});
  const IncomingItem& first = without.presence[0];
  if (!first.malformed.empty()) return;
  const absl::StatusOr<JsonValue> left = ParseJson(*first.payload.extras);
  FuzzCheck(left.ok() && left->Find("userClaim") == nullptr, "a claim of the client's own",
            std::string(text));
  const wire::Frame with = claims.Put(frame, {{"r", "owner"}});
  const absl::StatusOr<JsonValue> put = ParseJson(*with.presence[0].payload.extras);
  FuzzCheck(put.ok() && put->Find("userClaim") != nullptr &&
                *put->Find("userClaim") == JsonValue("owner"),
            "the claim is not there", std::string(text));
}

}  // namespace
}  // namespace presence

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  presence::CheckTarget(text);
  (void)presence::Judge(std::string(text));
  if (const auto value = presence::ParseJson(text); value.ok()) {
    if (value->IsObject()) presence::CheckClaims(*value->AsObject());
    presence::CheckRequest(*value);
  }
  presence::CheckExtras(text);
  return 0;
}
