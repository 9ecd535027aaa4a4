#ifndef PRESENCE_SESSION_INTERNAL_PERMISSIONS_H_
#define PRESENCE_SESSION_INTERNAL_PERMISSIONS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "presence/session/server_input.h"

namespace presence {

// What a connection may do, by channel.
class Permissions {
 public:
  // So many of one connection, and so many bytes of their names.
  static constexpr size_t kMaxCount = 1024;
  static constexpr size_t kMaxBytes = size_t{64} << 10;

  // Whether they are not too many.
  static bool Fit(std::span<const Permission> permissions);

  Permissions() = default;
  explicit Permissions(std::span<const Permission> permissions);

  // Calls f(std::string_view channel, bool is_prefix, uint64_t modes) for each.
  template <typename F>
  void ForEach(F f) const {
    for (const Owned& one : all_) f(one.channel, one.is_prefix, one.modes);
  }

  // All modes, of kFlagModes, that one or another of them gives on this channel. O(permissions).
  uint64_t ModesOf(std::string_view channel) const;

 private:
  struct Owned {
    std::string channel;
    bool is_prefix = false;
    uint64_t modes = 0;
  };
  std::vector<Owned> all_;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_PERMISSIONS_H_
