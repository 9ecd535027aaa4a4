#ifndef SIM_CAPTURE_HAR_READER_H_
#define SIM_CAPTURE_HAR_READER_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "sim/capture/capture.h"

namespace presence::sim {

// The content of a file that lies beside the HAR, by its bare name.
using ReadBeside = absl::FunctionRef<absl::StatusOr<std::string>(std::string_view name)>;

// Reads the sockets of a HAR, which is `capture.text`, with their messages: those in the HAR, and
// those that Playwright puts beside it. In memory of its own that is in proportion to the number of
// messages, not to their sizes. What of it is no JSON any more ends it: what came before counts.
void ReadHar(ReadBeside read_beside, Capture& capture);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_HAR_READER_H_
