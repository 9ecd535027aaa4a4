#ifndef ENGINE_MEMBERS_KEY_HASH_H_
#define ENGINE_MEMBERS_KEY_HASH_H_

#include <cstdint>
#include <string_view>

#include "absl/numeric/int128.h"
#include "engine/base/bytes.h"

namespace presence {

// A hash of ids that who chooses the ids cannot foresee: each multiplication has a secret in both
// of its factors, so there is no text that makes one zero whatever the secrets are, as there is
// with hashes whose constants everybody knows. All bits of the result are good ones.
//
// The secrets come from where this is in memory and from where the program is, so they differ from
// one set, and one run, to the next. They decide where things lie, never what comes out.
class KeyHash {
 public:
  KeyHash() {
    static constexpr char kHere = 0;
    const auto program = reinterpret_cast<uintptr_t>(&kHere);
    const auto self = reinterpret_cast<uintptr_t>(this);
    first_ = Mix(self ^ 0x9E3779B97F4A7C15, program ^ 0xC2B2AE3D27D4EB4F);
    second_ = Mix(first_ ^ 0x165667B19E3779F9, self + 0x27D4EB2F165667C5);
  }
  explicit KeyHash(uint64_t first, uint64_t second) : first_(first), second_(second) {}
  KeyHash(const KeyHash&) = delete;
  KeyHash& operator=(const KeyHash&) = delete;

  // `salt` tells kinds of ids apart.
  uint64_t operator()(std::string_view bytes, uint64_t salt) const {
    const size_t size = bytes.size();
    uint64_t state = second_ ^ salt;
    size_t at = 0;
    for (; size - at > ShortBytes::kMaxSize; at += ShortBytes::kMaxSize) {
      state = Mix(WordAt<uint64_t>(bytes, at) ^ first_ ^ state,
                  WordAt<uint64_t>(bytes, at + sizeof(uint64_t)) ^ second_);
    }
    const ShortBytes rest(bytes.substr(at));
    return Together(rest.head ^ state, rest.tail ^ size * kOdd);
  }
  // Of two hashes.
  uint64_t Together(uint64_t a, uint64_t b) const {
    return Mix(Mix(a ^ first_, b ^ second_) ^ second_, kOdd);
  }

 private:
  static constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;

  static uint64_t Mix(uint64_t a, uint64_t b) {
    const absl::uint128 product = absl::uint128(a) * b;
    return absl::Uint128High64(product) ^ absl::Uint128Low64(product);
  }

  uint64_t first_;
  uint64_t second_;
};

}  // namespace presence

#endif  // ENGINE_MEMBERS_KEY_HASH_H_
