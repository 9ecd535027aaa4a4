#ifndef PRESENCE_FLAGS_H_
#define PRESENCE_FLAGS_H_

#include <cstdint>

#include "presence/base/internal/cxx20.h"

namespace presence {

// Bits of the flags of ATTACHED (TR3).
inline constexpr uint64_t kFlagHasPresence = uint64_t{1} << 0;
inline constexpr uint64_t kFlagResumed = uint64_t{1} << 2;
inline constexpr uint64_t kFlagPresence = uint64_t{1} << 16;
inline constexpr uint64_t kFlagPublish = uint64_t{1} << 17;
inline constexpr uint64_t kFlagSubscribe = uint64_t{1} << 18;
inline constexpr uint64_t kFlagPresenceSubscribe = uint64_t{1} << 19;
inline constexpr uint64_t kFlagModes =
    kFlagPresence | kFlagPublish | kFlagSubscribe | kFlagPresenceSubscribe;

}  // namespace presence

#endif  // PRESENCE_FLAGS_H_
