#ifndef SIM_CAPTURE_TRACE_OUTPUT_H_
#define SIM_CAPTURE_TRACE_OUTPUT_H_

#include <string_view>

#include "absl/functional/function_ref.h"
#include "sim/capture/capture.h"
#include "sim/capture/redaction.h"
#include "sim/capture/sessions.h"

namespace presence::sim {

// Hands the lines of one client's trace, each with its LF, to `write`, in their order: the frames
// of its sockets, and a `connection` line where one socket ends and another follows.
void WriteTrace(const Capture& capture, const CapturedClient& client, Redactor& redactor,
                absl::FunctionRef<void(std::string_view line)> write);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_TRACE_OUTPUT_H_
