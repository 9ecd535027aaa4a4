#ifndef TOOLS_SERVE_JWT_H_
#define TOOLS_SERVE_JWT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "presence/json/json_value.h"

namespace presence::serve {

// A JSON Web Token signed with HS256 (RFC 7519), as far as tokens of clients go.
class Jwt {
 public:
  // The longest token, in bytes.
  static constexpr size_t kMaxBytes = size_t{8} << 10;

  // Takes a token apart; nothing is believed yet. Fails with InvalidArgument and a message for
  // people that repeats nothing of the token: it is none, it is too long, it is signed in another
  // way, or its header has no `kid`.
  static absl::StatusOr<Jwt> Read(std::string_view token);
  // A token with these claims, signed by a key.
  static std::string Write(std::string_view key_name, std::string_view secret,
                           const JsonObject& claims);

  // Whether this secret has signed it.
  bool IsSignedWith(std::string_view secret) const;

  // The name of the key that has signed it, as it says (`kid`).
  const std::string& key_name() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return key_name_; }
  const JsonObject& claims() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return claims_; }

 private:
  Jwt() = default;

  std::string key_name_;
  JsonObject claims_;
  std::string signed_text_;
  std::string signature_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_JWT_H_
