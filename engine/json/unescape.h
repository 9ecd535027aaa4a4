#ifndef ENGINE_JSON_UNESCAPE_H_
#define ENGINE_JSON_UNESCAPE_H_

#include <string>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

// Writes what the escape says that begins at `at`, with its backslash, and moves `at` behind it;
// all of it stands before `end`. Returns the end of what it wrote, which is no longer than the
// escape; null if it is none, or a surrogate that is alone.
[[nodiscard]] char* WriteEscape(const char*& at, const char* end, char* to);
// Writes what a JSON string says whose quotes have `escaped` between them, and returns its end;
// null if an escape is none, or a surrogate is alone: what has been written then is of no use.
// REQUIRES: as many bytes at `to` as `escaped` has; more are never written.
[[nodiscard]] char* WriteUnescaped(std::string_view escaped, char* to);
// Appends the same; false for null.
[[nodiscard]] bool AppendUnescaped(std::string_view escaped, std::string& out);

}  // namespace presence::json

#endif  // ENGINE_JSON_UNESCAPE_H_
