#ifndef ENGINE_JSON_KEY_TABLE_H_
#define ENGINE_JSON_KEY_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/bytes.h"

namespace presence::json {

// Finds a key among a fixed few: a table without collisions over length, first and last character,
// made by the compiler, so that one comparison decides.
template <size_t N>
class KeyTable {
 public:
  consteval explicit KeyTable(const std::array<std::string_view, N>& names) : names_(names) {
    for (multiplier_ = 1; !Fill(); ++multiplier_) {
    }
  }
  // The position of the key among the names; N if it is none of them.
  size_t Find(std::string_view key) const {
    const size_t i = table_[SlotOf(key)];
    return i < N && EqualBytes(names_[i], key) ? i : N;
  }
  constexpr std::string_view name(size_t i) const { return names_[i]; }

 private:
  static constexpr size_t kSlots = 64;
  static_assert(N <= kSlots / 4);

  constexpr size_t SlotOf(std::string_view key) const {
    if (key.empty()) return 0;
    const auto first = static_cast<unsigned char>(key.front());
    const auto last = static_cast<unsigned char>(key.back());
    return (key.size() + first * multiplier_ + last * (multiplier_ >> 4)) % kSlots;
  }
  consteval bool Fill() {
    table_.fill(N);
    for (size_t i = 0; i < N; ++i) {
      uint8_t& slot = table_[SlotOf(names_[i])];
      if (slot != N) return false;
      slot = static_cast<uint8_t>(i);
    }
    return true;
  }

  std::array<std::string_view, N> names_;
  std::array<uint8_t, kSlots> table_{};
  size_t multiplier_ = 0;
};

}  // namespace presence::json

#endif  // ENGINE_JSON_KEY_TABLE_H_
