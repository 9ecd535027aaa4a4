#ifndef SIM_TRACE_TRACE_READER_H_
#define SIM_TRACE_TRACE_READER_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// Reads the lines of a trace, one after the other. One thread at a time.
class TraceReader {
 public:
  TraceReader();
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;
  ~TraceReader();

  // Reads one line. `text` is the line without its end, not blank, with json::kPadding bytes
  // readable after it, as LineReader gives it. Fails with InvalidArgument, and a message that fits
  // after "FILE:LINE: ", if the line is malformed.
  absl::Status Read(std::string_view text);
  // The line that was read; it views `text` and this reader's buffers, until the next Read.
  // REQUIRES: the last Read did not fail.
  const TraceLine& line() const { return *line_; }

  // Whether a line is blank, and so to be skipped; takes the CR of a CRLF off.
  static bool IsBlank(std::string_view& line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('{')) return false;
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
  }

 private:
  class LineParser;

  std::unique_ptr<LineParser> parser_;
  const TraceLine* line_;  // parser_'s
};

}  // namespace presence::sim

#endif  // SIM_TRACE_TRACE_READER_H_
