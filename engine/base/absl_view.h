#ifndef ENGINE_BASE_ABSL_VIEW_H_
#define ENGINE_BASE_ABSL_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"
#include "presence/base/internal/cxx20.h"

namespace presence {

// The one place where a std::string_view becomes Abseil's: distributions build Abseil with a
// string_view of its own, newer builds use the standard's. Both compile.
inline absl::string_view AbslView(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

}  // namespace presence

#endif  // ENGINE_BASE_ABSL_VIEW_H_
