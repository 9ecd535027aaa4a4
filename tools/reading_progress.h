#ifndef TOOLS_READING_PROGRESS_H_
#define TOOLS_READING_PROGRESS_H_

#include <cstdint>
#include <cstdio>
#include <optional>

#include "sim/trace/line_reader.h"
#include "tools/console.h"

namespace presence::tools {

// Shows how far a file has been read, if it is time for that. Cheap enough for every line.
inline void ShowReading(const sim::LineReader& reader, Progress& progress) {
  constexpr uint64_t kLinesApart = 256;  // of looks at the clock
  if (reader.line_number() % kLinesApart != 1 || !progress.Due()) return;
  std::optional<double> part;
  if (const uint64_t total = reader.source().total(); total > 0) {
    part = static_cast<double>(reader.source().position()) / static_cast<double>(total);
  }
  char what[80];
  std::snprintf(what, sizeof what, "%llu lines  %.1f MB/s",
                static_cast<unsigned long long>(reader.line_number()),
                static_cast<double>(reader.bytes()) / 1e6 / progress.seconds());
  progress.Show(part, what);
}

}  // namespace presence::tools

#endif  // TOOLS_READING_PROGRESS_H_
