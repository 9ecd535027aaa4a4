#ifndef PRESENCE_BASE_INTERNAL_CHECK_H_
#define PRESENCE_BASE_INTERNAL_CHECK_H_

#include <cstdio>
#include <cstdlib>

#include "presence/base/internal/cxx20.h"

// PRESENCE_CHECK(condition) ends the program when a promise of our own code is broken. It is never
// used on what comes from outside: bad input is a Status, a malformed item a diagnostic.
//
// absl's CHECK would be the same thing, but the Abseil of older distributions does not have it.
#define PRESENCE_CHECK(condition)                                                         \
  (static_cast<bool>(condition)                                                           \
       ? static_cast<void>(0)                                                             \
       : (std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition), \
          std::abort()))

// The same in debug builds only, for checks on the hot path; each must cost O(1).
#ifdef NDEBUG
#define PRESENCE_DCHECK(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define PRESENCE_DCHECK(condition) PRESENCE_CHECK(condition)
#endif

#endif  // PRESENCE_BASE_INTERNAL_CHECK_H_
