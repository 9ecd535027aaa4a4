#ifndef TOOLS_TRACE_FILE_H_
#define TOOLS_TRACE_FILE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "sim/trace/line_reader.h"
#include "tools/console.h"

namespace presence::tools {

class KeptBeginning;

// A trace that a command reads: opens it, shows how far it has come, says on standard error what is
// wrong with it and, if it is no trace, what it may be, and remembers the exit status.
//
//   TraceFile file(name, output, keep_going, "auto");
//   std::string_view text;
//   while (file.Next(text, any_frames)) {
//     if (status = ... text ...; !status.ok() && !file.Refuse(status, any_frames)) break;
//   }
//   return file.Finish();
class TraceFile {
 public:
  // `output` must outlive this: it is flushed before a read that may block, and before anything is
  // said. Malformed lines are skipped if `keep_going`. `progress` is --progress.
  TraceFile(std::string name, Output& output, bool keep_going, std::string_view progress);
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  ~TraceFile();

  // False: it cannot be opened, and the status is kExitUsage.
  bool Open();
  // REQUIRES: it is open.
  sim::LineReader& lines() { return *lines_; }

  // The next line that is not blank, as LineReader gives it. False at the end, and if the run is
  // over. `any_frames`: a frame was read already, so it is a trace.
  bool Next(std::string_view& text, bool any_frames);
  // The line that Next returned last cannot be replayed. False: that ends the run.
  bool Refuse(const absl::Status& status, bool any_frames);
  // Before something else is said on standard error.
  void Pause();
  // After the last line: says what else there is to say of the file. The exit status, if something
  // ended the run before the end of the trace.
  std::optional<int> Finish();

  // "17: what is wrong", of the line that ended the run; empty: none did.
  const std::string& refused() const { return refused_; }
  uint64_t malformed_lines() const { return malformed_lines_; }
  // Whether there has been a line that is not blank.
  bool any_line() const { return any_line_; }

 private:
  bool Report(uint64_t line, const absl::Status& status, bool can_skip, bool any_frames);

  const std::string name_;
  Output& output_;
  const bool keep_going_;
  Progress progress_;
  std::unique_ptr<sim::LineReader> lines_;
  const KeptBeginning* beginning_ = nullptr;  // of lines_
  bool told_kind_ = false;                    // what the file may be instead of a trace
  bool any_line_ = false;
  uint64_t malformed_lines_ = 0;
  std::optional<int> ended_;
  std::string refused_;
};

// If none of `names`, the channels of the trace, is `wanted`: says so, and which there are.
void TellMissingChannel(const std::string& trace, std::string_view wanted,
                        const std::vector<std::string_view>& names);
// "3 malformed lines skipped", on standard error; nothing if there are none.
void TellMalformed(uint64_t lines);

}  // namespace presence::tools

#endif  // TOOLS_TRACE_FILE_H_
