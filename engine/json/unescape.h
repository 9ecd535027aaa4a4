#ifndef ENGINE_JSON_UNESCAPE_H_
#define ENGINE_JSON_UNESCAPE_H_

#include <string>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

// Appends what a JSON string says whose quotes have `escaped` between them; never more bytes than
// that has. False if an escape is none, or a surrogate is alone: what has been appended then is of
// no use.
[[nodiscard]] bool AppendUnescaped(std::string_view escaped, std::string& out);

}  // namespace presence::json

#endif  // ENGINE_JSON_UNESCAPE_H_
