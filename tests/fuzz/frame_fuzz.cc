// Any bytes are read as a frame or refused with a message; what was read is written, and reads as
// the same frame again. Plain frames are read like others, and so are those that look like the one
// before: each frame after itself, and what stands behind the first line end after what stands
// before it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/client/channel_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "tests/fuzz/check.h"
#include "tests/wire/frame_difference.h"
#include "tests/wire/reader_agreement.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using presence::FuzzCheck;
  using presence::wire::Frame;
  using presence::wire::FrameReader;

  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const std::string disagreement = presence::wire::ReaderDisagreement(json);
  FuzzCheck(disagreement.empty(), "plain or not makes a difference", disagreement);
  const std::string again_disagreement = presence::wire::ReaderDisagreementAfter(json, json);
  FuzzCheck(again_disagreement.empty(), "the second time makes a difference", again_disagreement);
  if (const size_t line_end = json.find('\n'); line_end != json.npos) {
    const std::string after_disagreement = presence::wire::ReaderDisagreementAfter(
        json.substr(0, line_end), json.substr(line_end + 1));
    FuzzCheck(after_disagreement.empty(), "the one before makes a difference", after_disagreement);
  }

  FrameReader reader;
  const absl::StatusOr<Frame> frame = reader.Read(json);
  if (!frame.ok()) {
    FuzzCheck(frame.status().code() == absl::StatusCode::kInvalidArgument &&
                  !frame.status().message().empty(),
              "refused in the wrong way", frame.status().ToString());
    return 0;
  }

  std::string written;
  presence::wire::AppendFrame(*frame, written);
  FrameReader another_reader;
  const absl::StatusOr<Frame> again = another_reader.Read(written);
  FuzzCheck(again.ok(), "what was written is refused", again.status().ToString());
  const std::string difference = presence::wire::Difference(*frame, *again);
  FuzzCheck(difference.empty(), "what was written reads as something else", difference);
  for (const presence::IncomingItem& item : again->presence) {
    FuzzCheck(item.malformed.empty(), "a malformed item was written", std::string(item.malformed));
  }

  std::string written_again;
  presence::wire::AppendFrame(*again, written_again);
  FuzzCheck(written_again == written, "written in two ways", written + "\n" + written_again);
  return 0;
}
