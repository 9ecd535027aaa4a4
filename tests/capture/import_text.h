#ifndef TESTS_CAPTURE_IMPORT_TEXT_H_
#define TESTS_CAPTURE_IMPORT_TEXT_H_

#include <map>
#include <string>
#include <string_view>

#include "sim/capture/capture.h"
#include "sim/capture/redaction.h"

namespace presence::sim {

// A capture that a reader has read, as one text: "== client ID; connections; channels" and the
// lines of its trace for each client, then "LINE: why" for what was left out, "passed over: N", and
// "empty: why".
std::string TextOf(Capture& capture, Redactor::Level level = Redactor::Level::kNothing);

std::string ImportedHar(std::string_view text,
                        const std::map<std::string, std::string>& beside = {});
std::string ImportedCdp(std::string_view text);
std::string ImportedLog(std::string_view text);
std::string ImportedFrames(std::string_view text);

}  // namespace presence::sim

#endif  // TESTS_CAPTURE_IMPORT_TEXT_H_
