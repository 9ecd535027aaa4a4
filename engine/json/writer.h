#ifndef ENGINE_JSON_WRITER_H_
#define ENGINE_JSON_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

// Appends `text` as a JSON string: UTF-8, of which only quotes, backslashes and control characters
// are escaped. Bytes that are not UTF-8 become U+FFFD.
void AppendString(std::string_view text, std::string& out);
void AppendInt(int64_t number, std::string& out);
// With a fraction or an exponent always, and the fewest digits that read back as the same number;
// null if it is not finite.
void AppendDouble(double number, std::string& out);

// A string or an integer straight into memory; they return its end. REQUIRES: so much room at `to`,
// of which what is behind the end may be overwritten, too.
inline constexpr size_t RoomForString(size_t size) { return 6 * size + 32; }
inline constexpr size_t kRoomForInt = 24;
char* WriteString(std::string_view text, char* to);
char* WriteInt(int64_t number, char* to);

}  // namespace presence::json

#endif  // ENGINE_JSON_WRITER_H_
