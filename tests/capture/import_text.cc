#include "tests/capture/import_text.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/capture/cdp_reader.h"
#include "sim/capture/frame_text_reader.h"
#include "sim/capture/har_reader.h"
#include "sim/capture/log_reader.h"
#include "sim/capture/sessions.h"
#include "sim/capture/trace_output.h"

namespace presence::sim {

std::string TextOf(Capture& capture, Redactor::Level level) {
  std::string text;
  Redactor redactor(level);
  for (const CapturedClient& client : ClientsOf(capture)) {
    absl::StrAppend(&text, "== ", client.client_id, "; ", absl::StrJoin(client.connection_ids, ","),
                    "; ", absl::StrJoin(client.channels, ","), "\n");
    WriteTrace(capture, client, redactor, [&text](std::string_view line) { text += line; });
  }
  for (const LeftOut& left : capture.left_out) {
    absl::StrAppend(&text, left.line, ": ", left.why, "\n");
  }
  if (capture.sockets_passed_over > 0) {
    absl::StrAppend(&text, "passed over: ", capture.sockets_passed_over, "\n");
  }
  if (!capture.why_empty.empty()) absl::StrAppend(&text, "empty: ", capture.why_empty, "\n");
  return text;
}

std::string ImportedHar(std::string_view text, const std::map<std::string, std::string>& beside) {
  Capture capture;
  capture.text = text;
  ReadHar(
      [&beside](std::string_view name) -> absl::StatusOr<std::string> {
        const auto file = beside.find(std::string(name));
        if (file == beside.end()) return absl::NotFoundError("cannot open it");
        return file->second;
      },
      capture);
  LinkByKeys(capture);
  return TextOf(capture);
}

std::string ImportedCdp(std::string_view text) {
  Capture capture;
  capture.text = text;
  ReadCdpEvents(capture);
  LinkByKeys(capture);
  return TextOf(capture);
}

std::string ImportedLog(std::string_view text) {
  Capture capture;
  capture.text = text;
  ReadAblyLog(capture);
  return TextOf(capture);
}

std::string ImportedFrames(std::string_view text) {
  Capture capture;
  capture.text = text;
  ReadFrameTexts(capture);
  return TextOf(capture);
}

}  // namespace presence::sim
