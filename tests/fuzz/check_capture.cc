#include "tests/fuzz/check_capture.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/json/padded_text.h"
#include "sim/capture/redaction.h"
#include "sim/capture/sessions.h"
#include "sim/capture/trace_output.h"
#include "sim/trace/trace_reader.h"
#include "tests/fuzz/check.h"

namespace presence {

void CheckCapture(const sim::Capture& capture, std::string_view file) {
  const auto lines = static_cast<uint64_t>(1 + std::count(file.begin(), file.end(), '\n'));
  for (const sim::LeftOut& left : capture.left_out) {
    FuzzCheck(left.line >= 1 && left.line <= lines, "a line that there is not", left.why);
    FuzzCheck(!left.why.empty(), "left out without a reason");
  }
  FuzzCheck(!capture.sockets.empty() || !capture.why_empty.empty(), "empty without a reason");
  size_t frames = 0;
  for (const sim::CapturedSocket& socket : capture.sockets) {
    FuzzCheck(!socket.frames.empty(), "a socket without frames");
    frames += socket.frames.size();
  }
  const std::vector<sim::CapturedClient> clients = sim::ClientsOf(capture);
  for (const sim::CapturedClient& client : clients) frames -= client.frames;
  FuzzCheck(frames == 0, "a frame is nobody's, or that of two");
  for (const auto level : {sim::Redactor::Level::kNothing, sim::Redactor::Level::kSecrets,
                           sim::Redactor::Level::kAll}) {
    sim::Redactor redactor(level);
    for (const sim::CapturedClient& client : clients) {
      json::PaddedText padded;
      sim::TraceReader reader;
      size_t written = 0;
      sim::WriteTrace(capture, client, redactor, [&](std::string_view line) {
        FuzzCheck(line.ends_with('\n') && line.find('\n') == line.size() - 1, "not one line",
                  std::string(line));
        line.remove_suffix(1);
        const absl::Status status = reader.Read(padded.Assign(line));
        FuzzCheck(status.ok(), "a malformed line is written",
                  std::string(line) + status.ToString());
        ++written;
      });
      FuzzCheck(written == client.frames + client.sockets.size() - 1, "lines are missing");
    }
  }
}

}  // namespace presence
