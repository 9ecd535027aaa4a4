#include "sim/capture/trace_output.h"

#include <optional>
#include <string>

#include "presence/client/connection.h"
#include "sim/trace/trace_line.h"
#include "sim/trace/trace_writer.h"

namespace presence::sim {

void WriteTrace(const Capture& capture, const CapturedClient& client, Redactor& redactor,
                absl::FunctionRef<void(std::string_view line)> write) {
  FrameTexts texts;
  std::string line;
  std::string redacted;
  std::optional<int64_t> last_t;
  for (const size_t place : client.sockets) redactor.LearnUrl(capture.sockets[place].url);
  for (size_t i = 0; i < client.sockets.size(); ++i) {
    if (i > 0) {
      ConnectionLine connection;
      connection.state = ConnectionState::kDisconnected;
      line.clear();
      AppendTraceLine({last_t, connection}, "", line);
      write(line);
    }
    for (const CapturedFrame& captured : capture.sockets[client.sockets[i]].frames) {
      std::string_view json;
      if (texts.Read(captured, json, nullptr).has_value()) continue;  // it was read before
      redacted.clear();
      redactor.Append(json, redacted);
      TraceLine trace_line;
      trace_line.t = captured.t;
      if (captured.sent) {
        trace_line.content = SentLine();
      } else {
        trace_line.content = ReceivedLine();
      }
      line.clear();
      AppendTraceLine(trace_line, redacted, line);
      write(line);
      last_t = captured.t;
    }
  }
}

}  // namespace presence::sim
