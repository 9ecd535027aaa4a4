#ifndef TOOLS_SERVE_TOKEN_REQUEST_H_
#define TOOLS_SERVE_TOKEN_REQUEST_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/container/flat_hash_set.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "tools/serve/capability.h"
#include "tools/serve/keys.h"

namespace presence::serve {

// What somebody asks of a token (TE1): fields that it lacks are empty or nullopt.
struct TokenRequest {
  // The longest token, and what it lasts if nothing is said.
  static constexpr std::chrono::milliseconds kMaxTtl = std::chrono::hours(24);
  static constexpr std::chrono::milliseconds kDefaultTtl = std::chrono::hours(1);
  // A capability of more bytes does not fit into a token.
  static constexpr size_t kMaxCapability = size_t{4} << 10;

  // 40000: a field has another form than it must have.
  static std::variant<TokenRequest, ErrorInfo> Read(const JsonValue& body);

  // What `mac` signs, with the key's secret, by HMAC-SHA256, in base64 (RSA9).
  std::string SignedText() const;

  std::string key_name;
  std::optional<int64_t> ttl;  // ms
  std::string capability;      // JSON
  std::string client_id;
  std::optional<int64_t> timestamp;  // ms since the epoch, when it was made
  std::string nonce;
  std::string mac;
};

// Remembers which signed requests were granted, so that none is granted twice.
class UsedNonces {
 public:
  // So far may the clock of who signs be from the server's.
  static constexpr std::chrono::milliseconds kWindow = std::chrono::minutes(15);
  // Of each 32 bytes are kept, for twice the window at most.
  static constexpr size_t kMost = 100'000;

  // 40104: it was made too long ago, or is yet to be made; 40105: its nonce was used; 42910: too
  // many are remembered.
  std::optional<ErrorInfo> Use(const TokenRequest& request, Timestamp now);
  size_t size() const { return used_.size(); }

 private:
  absl::flat_hash_set<std::string> used_;               // digests
  std::set<std::pair<Timestamp, std::string>> by_end_;  // and when they need no longer be kept
};

// A token, as its client is told of it (TD1).
struct TokenDetails {
  // {"token", "keyName", "issued", "expires", "capability", "clientId"?}
  std::string Json() const;

  std::string token;
  std::string key_name;
  Timestamp issued{};
  Timestamp expires{};
  std::string capability;
  std::string client_id;  // empty: none
};

// A token of the key for a request: one that is signed, or, if `trusted`, one of somebody who has
// shown the key itself. 40101: the request is for another key, or not signed by this one, or
// neither signed nor trusted; 40000 or 40003: what it asks for makes no sense; 40160: the key
// permits nothing of it; and as UsedNonces says.
std::variant<TokenDetails, ErrorInfo> IssueToken(const Key& key, const TokenRequest& request,
                                                 bool trusted, UsedNonces& nonces, Timestamp now);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_TOKEN_REQUEST_H_
