#ifndef TESTS_FUZZ_CHECK_CAPTURE_H_
#define TESTS_FUZZ_CHECK_CAPTURE_H_

#include <string_view>

#include "sim/capture/capture.h"

namespace presence {

// Ends a fuzz run if the capture is not as a reader must leave it, or a trace made of it, redacted
// or not, has a line that is malformed. `file`: all that was read.
void CheckCapture(const sim::Capture& capture, std::string_view file);

}  // namespace presence

#endif  // TESTS_FUZZ_CHECK_CAPTURE_H_
