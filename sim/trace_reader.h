#ifndef SIM_TRACE_READER_H_
#define SIM_TRACE_READER_H_

#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/json/parser.h"
#include "engine/wire/frame_reader.h"
#include "engine/wire/plain_frame_reader.h"
#include "sim/trace_line.h"

namespace presence::sim {

// Reads the lines of a trace, one after the other, with two sets of buffers: who applies a line can
// look at the next one meanwhile. One thread at a time.
class TraceReader {
 public:
  TraceReader() = default;
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;

  // Reads one line. `text` is the line without its end, not blank, with simdjson's padding readable
  // after it, as LineReader gives it. Fails with InvalidArgument, and a message that fits after
  // "FILE:LINE: ", if the line is malformed.
  absl::Status Read(std::string_view text);
  // The line that was read; it views `text` and this reader's buffers, until the next Read.
  // REQUIRES: the last Read did not fail.
  const TraceLine& line() const { return current_->line; }

  // Reads the line after that one, for the Read of the same `text` that must come next. Null if it
  // is blank, malformed, or too long to be worth a second set of buffers; Read will tell. Holds as
  // long as line(), which stays as it is.
  const TraceLine* ReadAhead(std::string_view text);

  // Whether a line is blank, and so to be skipped; takes the CR of a CRLF off.
  static bool IsBlank(std::string_view& line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('{')) return false;
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
  }

 private:
  // Reads one line with one set of buffers.
  class LineParser {
   public:
    absl::Status Read(std::string_view text);
    TraceLine line;

   private:
    bool ReadPlain(std::string_view text);
    absl::Status ReadFrame(simdjson::dom::element element, std::string_view name,
                           std::string_view text, wire::Frame& frame);
    absl::Status ReadCall(simdjson::dom::object object, std::string_view text, CallLine& call);
    absl::Status ReadOperation(simdjson::dom::object object, std::string_view text, CallLine& call);
    absl::StatusOr<std::optional<std::string_view>> ReadCallId(simdjson::dom::element element,
                                                               std::string_view name,
                                                               std::string_view text);
    std::string& Keep(std::string text);

    wire::PlainFrameReader plain_;
    json::Parser parser_;
    json::RawJson raw_;
    wire::FrameReader frames_;
    std::list<std::string> kept_;  // texts made for the current line
  };

  LineParser parsers_[2];
  LineParser* current_ = &parsers_[0];
  LineParser* next_ = &parsers_[1];
  // What ReadAhead has read into next_.
  std::optional<std::string_view> ahead_;
  absl::Status ahead_status_;
};

}  // namespace presence::sim

#endif  // SIM_TRACE_READER_H_
