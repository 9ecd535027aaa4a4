#ifndef TOOLS_SERVE_KEYS_H_
#define TOOLS_SERVE_KEYS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/serve/capability.h"

namespace presence::serve {

// What a program authenticates itself with: clients are given NAME:SECRET.
struct Key {
  std::string name;
  std::string secret;
  Capability capability;

  std::string text() const { return name + ":" + secret; }
};

// NAME:SECRET or NAME:SECRET:CAPABILITY, the last as JSON (capability.h); without it, everything is
// permitted. Published clients take no blanks in a key, nor dots or colons in its secret. Fails
// with InvalidArgument and a message for people that does not repeat the secret.
absl::StatusOr<Key> ParseKey(std::string_view text);

// The keys that are good.
class Keys {
 public:
  // AlreadyExists: there is one of this name.
  absl::Status Add(Key key);
  // Null: there is none of this name.
  const Key* Find(std::string_view name) const;
  // The one that clients give as NAME:SECRET; null: there is none such.
  const Key* Check(std::string_view text) const;
  const std::vector<Key>& all() const { return all_; }

 private:
  std::vector<Key> all_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_KEYS_H_
