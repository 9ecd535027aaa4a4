#ifndef SIM_CAPTURE_UTF16_H_
#define SIM_CAPTURE_UTF16_H_

#include <string>
#include <string_view>

namespace presence::sim {

// Whether a file begins as text in UTF-16, which Windows' tools write: by its byte order mark, or,
// without one, by the NULs that every letter of its beginning has.
bool IsUtf16(std::string_view beginning);

// The same text in UTF-8, without the mark. Surrogates that are alone, and half a unit at the end,
// become U+FFFD.
std::string Utf8OfUtf16(std::string_view text);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_UTF16_H_
