#ifndef TESTS_FUZZ_CHECK_CAPTURE_H_
#define TESTS_FUZZ_CHECK_CAPTURE_H_

#include "sim/capture/capture.h"

namespace presence {

// Ends a fuzz run if the capture is not as a reader must leave it, or a trace made of it, redacted
// or not, has a line that is malformed.
void CheckCapture(const sim::Capture& capture);

}  // namespace presence

#endif  // TESTS_FUZZ_CHECK_CAPTURE_H_
