#include "presence/session/internal/permissions.h"

#include "presence/flags.h"

namespace presence {

bool Permissions::Fit(std::span<const Permission> permissions) {
  if (permissions.size() > kMaxCount) return false;
  size_t bytes = 0;
  for (const Permission& one : permissions) bytes += one.channel.size();
  return bytes <= kMaxBytes;
}

Permissions::Permissions(std::span<const Permission> permissions) {
  all_.reserve(permissions.size());
  for (const Permission& one : permissions) {
    all_.push_back({std::string(one.channel), one.is_prefix, one.modes & kFlagModes});
  }
}

uint64_t Permissions::ModesOf(std::string_view channel) const {
  uint64_t modes = 0;
  for (const Owned& one : all_) {
    if (one.is_prefix ? channel.starts_with(one.channel) : channel == one.channel) {
      modes |= one.modes;
    }
  }
  return modes;
}

}  // namespace presence
