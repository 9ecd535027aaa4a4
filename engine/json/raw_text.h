#ifndef ENGINE_JSON_RAW_TEXT_H_
#define ENGINE_JSON_RAW_TEXT_H_

// Parts of a JSON text as they stand in it, byte for byte. REQUIRES, for all of these: a text, or a
// part of one, that Parser accepted. Each costs O(text).

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace presence::json {

// White space between tokens.
inline bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The text of the value of `key` in an object, without surrounding white space; of duplicate keys
// the last counts; nullopt if the key is not there, or the text is no object.
std::optional<std::string_view> RawField(std::string_view object_text, std::string_view key);

// Calls `take` with the text of each element of an array, without surrounding white space.
void ForEachRawElement(std::string_view array_text, absl::FunctionRef<void(std::string_view)> take);

// The text without the white space between its tokens.
std::string Compact(std::string_view text);

}  // namespace presence::json

#endif  // ENGINE_JSON_RAW_TEXT_H_
