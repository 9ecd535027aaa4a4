#include "tools/serve/keys.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/serve/signature.h"

namespace presence::serve {

absl::StatusOr<Key> ParseKey(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == 0 || colon == text.npos) {
    return absl::InvalidArgumentError("a key is NAME:SECRET or NAME:SECRET:CAPABILITY");
  }
  Key key;
  key.name = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  const size_t second = rest.find(':');
  key.secret = rest.substr(0, second);
  if (key.secret.empty() || key.secret.find_first_of(". \t\r\n") != key.secret.npos ||
      key.name.find_first_of(" \t\r\n") != key.name.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("key ", key.name,
                     ": its name has no blanks, its secret neither blanks nor dots, and neither is "
                     "empty, or clients do not take it"));
  }
  if (second == rest.npos) {
    key.capability = Capability::All();
    return key;
  }
  absl::StatusOr<Capability> capability = Capability::Read(rest.substr(second + 1));
  if (!capability.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("key ", key.name, ": ", capability.status().message()));
  }
  key.capability = *std::move(capability);
  return key;
}

absl::Status Keys::Add(Key key) {
  if (Find(key.name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("two keys are named ", key.name));
  }
  all_.push_back(std::move(key));
  return absl::OkStatus();
}

const Key* Keys::Find(std::string_view name) const {
  for (const Key& key : all_) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

const Key* Keys::Check(std::string_view text) const {
  const size_t colon = text.find(':');
  if (colon == text.npos) return nullptr;
  const Key* const key = Find(text.substr(0, colon));
  return key != nullptr && SameSecret(key->secret, text.substr(colon + 1)) ? key : nullptr;
}

}  // namespace presence::serve
