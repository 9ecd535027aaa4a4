// Any bytes are read as events of the DevTools protocol: what is made of them is a trace that can
// be replayed line by line, and whatever is left out is named.

#include <cstddef>
#include <cstdint>
#include <string>

#include "sim/capture/capture.h"
#include "sim/capture/cdp_reader.h"
#include "sim/capture/sessions.h"
#include "tests/fuzz/check_capture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  presence::sim::Capture capture;
  capture.text = text;
  presence::sim::ReadCdpEvents(capture);
  presence::sim::LinkByKeys(capture);
  presence::CheckCapture(capture, text);
  return 0;
}
