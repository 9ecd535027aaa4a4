#include "tools/serve/token_request.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/session/server.h"
#include "tools/serve/jwt.h"
#include "tools/serve/random_id.h"
#include "tools/serve/signature.h"

namespace presence::serve {
namespace {

constexpr int64_t kBadCredentials = 40101;
constexpr int64_t kBadTime = 40104;
constexpr int64_t kNonceUsed = 40105;
constexpr int64_t kBadValue = 40003;
constexpr size_t kShortestNonce = 16;
constexpr size_t kIdCharacters = 16;

ErrorInfo Bad(std::string why) { return {kBadCredentials, 401, std::move(why), nullptr}; }

// 0 is as good as none to published clients, also in what they sign.
std::string TextOf(std::optional<int64_t> number) {
  return number.value_or(0) == 0 ? "" : std::to_string(*number);
}

}  // namespace

std::variant<TokenRequest, ErrorInfo> TokenRequest::Read(const JsonValue& body) {
  const JsonObject* const object = body.AsObject();
  if (object == nullptr) return MakeError(kMalformedRequest, "a request of a token is an object");
  TokenRequest request;
  for (const auto& [name, into] : {std::pair("keyName", &request.key_name),
                                   {"capability", &request.capability},
                                   {"clientId", &request.client_id},
                                   {"nonce", &request.nonce},
                                   {"mac", &request.mac}}) {
    const JsonValue* const value = object->Find(name);
    if (value == nullptr || value->IsNull()) continue;
    if (!value->IsString()) return MakeError(kMalformedRequest, absl::StrCat(name, " is no text"));
    *into = *value->AsString();
  }
  for (const auto& [name, into] :
       {std::pair("ttl", &request.ttl), {"timestamp", &request.timestamp}}) {
    const JsonValue* const value = object->Find(name);
    if (value == nullptr || value->IsNull()) continue;
    *into = value->AsInt();
    if (!into->has_value()) {
      return MakeError(kMalformedRequest, absl::StrCat(name, " is no whole number"));
    }
  }
  return request;
}

std::string TokenRequest::SignedText() const {
  return absl::StrCat(key_name, "\n", TextOf(ttl), "\n", capability, "\n", client_id, "\n",
                      TextOf(timestamp), "\n", nonce, "\n");
}

std::optional<ErrorInfo> UsedNonces::Use(const TokenRequest& request, Timestamp now) {
  const int64_t now_ms = ToMs(now);
  const int64_t made = request.timestamp.value_or(0);
  if (made < now_ms - kWindow.count() || made > now_ms + kWindow.count()) {
    return ErrorInfo{kBadTime, 401, "the request was not made just now", nullptr};
  }
  while (!by_end_.empty() && by_end_.begin()->first < now) {
    used_.erase(by_end_.begin()->second);
    by_end_.erase(by_end_.begin());
  }
  std::string digest = Sha256(absl::StrCat(request.key_name, "\n", request.nonce));
  if (used_.contains(digest)) {
    return ErrorInfo{kNonceUsed, 401, "the nonce was used before", nullptr};
  }
  if (used_.size() >= kMost) {
    return MakeError(kTooManyRequests, "too many tokens were asked for: try again later");
  }
  by_end_.emplace(TimestampFromMs(made) + kWindow, digest);
  used_.insert(std::move(digest));
  return std::nullopt;
}

std::string TokenDetails::Json() const {
  JsonObject details{{"token", token},
                     {"keyName", key_name},
                     {"issued", ToMs(issued)},
                     {"expires", ToMs(expires)},
                     {"capability", capability}};
  if (!client_id.empty()) details.Set("clientId", client_id);
  return DebugJson(details);
}

std::variant<TokenDetails, ErrorInfo> IssueToken(const Key& key, const TokenRequest& request,
                                                 bool trusted, UsedNonces& nonces, Timestamp now) {
  const bool is_signed = !request.mac.empty();
  if (!request.key_name.empty() ? request.key_name != key.name : is_signed) {
    return Bad("the request is for another key");
  }
  if (!is_signed && !trusted) return Bad("the request is not signed");
  if (is_signed) {
    std::string mac;
    if (!absl::Base64Unescape(request.mac, &mac) ||
        !SameSecret(mac, HmacSha256(key.secret, request.SignedText()))) {
      return Bad("the request is not signed by its key");
    }
    if (request.nonce.size() < kShortestNonce) {
      return MakeError(kMalformedRequest, "the nonce is too short: it has 16 characters or more");
    }
  }
  const std::chrono::milliseconds ttl = request.ttl.value_or(0) == 0
                                            ? TokenRequest::kDefaultTtl
                                            : std::chrono::milliseconds(*request.ttl);
  if (ttl.count() < 0 || ttl > TokenRequest::kMaxTtl) {
    return ErrorInfo{kBadValue, 400, "a token lasts from 1 ms to 24 hours", nullptr};
  }
  if (request.client_id.size() > Server::kMaxIdentity) {
    return MakeError(kInvalidClientId, "the client id is too long");
  }
  Capability capability = key.capability;
  if (!request.capability.empty()) {
    const absl::StatusOr<Capability> asked = Capability::Read(request.capability);
    if (request.capability.size() > TokenRequest::kMaxCapability || !asked.ok()) {
      return MakeError(kMalformedRequest, "the capability is none, or longer than 4 KiB");
    }
    capability = Capability::Both(key.capability, *asked);
    if (capability.empty()) return MakeError(kNotPermitted, "the key permits nothing of this");
  }
  TokenDetails details{"", key.name, now, now + ttl, capability.Text(), request.client_id};
  JsonObject claims{{"iat", static_cast<double>(ToMs(details.issued)) / 1'000},
                    {"exp", static_cast<double>(ToMs(details.expires)) / 1'000},
                    {"jti", RandomId(kIdCharacters)}};
  // What the key permits is in no token, so that it is as long as its own limit.
  if (!request.capability.empty()) claims.Set("x-ably-capability", request.capability);
  if (!request.client_id.empty()) claims.Set("x-ably-clientId", request.client_id);
  details.token = Jwt::Write(key.name, key.secret, claims);
  if (details.token.size() > Jwt::kMaxBytes) {
    return MakeError(kMalformedRequest, "the token would be too long");
  }
  if (is_signed) {
    if (std::optional<ErrorInfo> error = nonces.Use(request, now)) return *std::move(error);
  }
  return details;
}

}  // namespace presence::serve
