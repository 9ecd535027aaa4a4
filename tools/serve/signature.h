#ifndef TOOLS_SERVE_SIGNATURE_H_
#define TOOLS_SERVE_SIGNATURE_H_

#include <string>
#include <string_view>

namespace presence::serve {

// The 32 bytes of HMAC-SHA256 and of SHA-256.
std::string HmacSha256(std::string_view key, std::string_view text);
std::string Sha256(std::string_view text);

// Whether both are the same, in a time that tells nothing but whether they are equally long.
bool SameSecret(std::string_view one, std::string_view other);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_SIGNATURE_H_
