// Any bytes are read as a HAR: what is made of them is a trace that can be replayed line by line,
// whatever is left out is named, and no more than the HAR has is written.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "sim/capture/capture.h"
#include "sim/capture/har_reader.h"
#include "sim/capture/sessions.h"
#include "tests/fuzz/check_capture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  presence::sim::Capture capture;
  capture.text = std::string(reinterpret_cast<const char*>(data), size);
  const std::string file = capture.text;
  // It may be named as a file beside it, too.
  presence::sim::ReadHar([&file](std::string_view) -> absl::StatusOr<std::string> { return file; },
                         capture);
  presence::sim::LinkByKeys(capture);
  presence::CheckCapture(capture, file);
  return 0;
}
