#ifndef SIM_TRACE_TRACE_WRITER_H_
#define SIM_TRACE_TRACE_WRITER_H_

#include <string>
#include <string_view>

#include "sim/trace/trace_line.h"

namespace presence::sim {

// Appends a line of a trace, with its LF: what TraceReader reads, and in the order of keys of the
// traces there are. `frame_json` is the frame of a line that has one (ReceivedLine, SentLine,
// CheckLine with a page) as the text of a JSON object in one line; what the
// line's struct says of it is not looked at.
void AppendTraceLine(const TraceLine& line, std::string_view frame_json, std::string& out);

}  // namespace presence::sim

#endif  // SIM_TRACE_TRACE_WRITER_H_
