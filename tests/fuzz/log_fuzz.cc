// Any bytes, also such as Windows' tools write, are read as a log, and as copied frames: what is
// made of them is a trace that can be replayed line by line, and whatever is left out is named.

#include <cstddef>
#include <cstdint>
#include <string>

#include "sim/capture/capture.h"
#include "sim/capture/frame_text_reader.h"
#include "sim/capture/log_reader.h"
#include "sim/capture/utf16.h"
#include "tests/fuzz/check_capture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  if (presence::sim::IsUtf16(text)) text = presence::sim::Utf8OfUtf16(text);
  presence::sim::Capture log;
  log.text = text;
  presence::sim::ReadAblyLog(log);
  presence::CheckCapture(log, text);
  presence::sim::Capture frames;
  frames.text = text;
  presence::sim::ReadFrameTexts(frames);
  presence::CheckCapture(frames, text);
  return 0;
}
