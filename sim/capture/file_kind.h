#ifndef SIM_CAPTURE_FILE_KIND_H_
#define SIM_CAPTURE_FILE_KIND_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace presence::sim {

// What a file is, of those kinds that `presence` reads or is often given.
enum class FileKind : uint8_t {
  kTrace,    // what `presence replay` reads
  kHar,      // this and the next three `presence import` reads
  kAblyLog,  // of an Ably client, at level 4
  kFrames,   // frames as text, copied out of a browser
  kCdp,      // events about WebSockets in the Chrome DevTools Protocol, in which drivers speak
  kZip,      // such as a HAR that Playwright packed: `presence import` reads that, too
  kUtf16,    // any text in UTF-16 (utf16.h): `presence import` reads what it says
  kGzip,     // compressed
  kEmpty,    // nothing, or only blanks
  kObjects,  // frames as a console shows objects, which are not whole
  kStrings,  // frames in JSON strings, quotes escaped, without what says whose they are
  kOther,
};

// Tells it by how a file begins: the more of it is given, the surer. Never needs more than a
// megabyte.
FileKind KindOf(std::string_view beginning);

// What to tell somebody who gave a file of this kind to a command that reads traces, such as "a
// HAR: `presence import FILE` turns it into a trace"; nullopt if it may be a trace.
std::optional<std::string_view> AdviceForTraceReader(FileKind kind);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_FILE_KIND_H_
