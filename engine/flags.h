#ifndef PRESENCE_FLAGS_H_
#define PRESENCE_FLAGS_H_

#include <cstdint>

#include "presence/base/internal/cxx20.h"

namespace presence {

// Bits of the flags of ATTACH and ATTACHED (TR3).
inline constexpr uint64_t kFlagHasPresence = uint64_t{1} << 0;
inline constexpr uint64_t kFlagResumed = uint64_t{1} << 2;
// Modes: what a connection may do on a channel.
inline constexpr uint64_t kFlagPresence = uint64_t{1} << 16;
inline constexpr uint64_t kFlagPublish = uint64_t{1} << 17;
inline constexpr uint64_t kFlagSubscribe = uint64_t{1} << 18;
inline constexpr uint64_t kFlagPresenceSubscribe = uint64_t{1} << 19;
inline constexpr uint64_t kFlagAnnotationPublish = uint64_t{1} << 21;
inline constexpr uint64_t kFlagAnnotationSubscribe = uint64_t{1} << 22;
// What stands for all modes where none are named: who wants to annotate has to say so.
inline constexpr uint64_t kFlagDefaultModes =
    kFlagPresence | kFlagPublish | kFlagSubscribe | kFlagPresenceSubscribe;
// All that are modes.
inline constexpr uint64_t kFlagModes =
    kFlagDefaultModes | kFlagAnnotationPublish | kFlagAnnotationSubscribe;

}  // namespace presence

#endif  // PRESENCE_FLAGS_H_
