#include "tools/serve/credentials.h"

namespace presence::serve {
namespace {

constexpr int64_t kBadCredentials = 40101;

ErrorInfo Bad(std::string why) { return {kBadCredentials, 401, std::move(why), nullptr}; }

}  // namespace

std::variant<Credentials, ErrorInfo> CheckCredentials(const Keys& keys,
                                                      const RequestTarget& target) {
  const std::string_view key_text = target.Parameter("key");
  if (key_text.empty()) return Bad("the URL has no key");
  const Key* const key = keys.Check(key_text);
  if (key == nullptr) return Bad("the key is not one of this server's");
  const std::string_view client_id = target.Parameter("clientId");
  return Credentials{std::string(client_id.empty() ? "*" : client_id), key->capability};
}

}  // namespace presence::serve
