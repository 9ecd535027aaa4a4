#ifndef SIM_CAPTURE_LOG_MESSAGE_H_
#define SIM_CAPTURE_LOG_MESSAGE_H_

// Frames as ably-js logs them: "[ProtocolMessage; action=SYNC; channel=room; ...]".

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace presence::sim {

// How surely a logged frame can be read. Nothing in it is escaped: a value may hold what looks like
// the end of it, and like what follows then.
enum class LogCertainty : uint8_t {
  kCertain,    // one reading, or the one that is as long as what was received
  kLength,     // one plain reading, which is not as long as what was received: that may have had
               // fields that are not logged, or the log may deceive
  kAmbiguous,  // several readings, or none
  kCut,        // the frame does not end
};

struct LoggedFrame {
  LogCertainty certainty = LogCertainty::kCut;
  std::string json;            // kCertain, kLength: in the protocol's JSON form
  std::string connection;      // received: whose client it is, the id that it has; else empty
  bool length_agrees = false;  // the reading is as long as what was received
  bool plain = false;          // no value of it looks like more than one
  bool usual_order = false;    // the frame's own keys come as the client logs them mostly
  // The keys of each item, in their order, as numbers below kItemKeyCount.
  std::vector<std::vector<uint8_t>> item_keys;
};

// Reads a frame that begins `text`, and ends it but for, if it was received, the id of the client's
// connection. `length`: so many characters (UTF-16) it had in the JSON form, if that is known.
// Takes time in proportion to the text.
LoggedFrame ReadLoggedFrame(std::string_view text, bool received, std::optional<size_t> length);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_LOG_MESSAGE_H_
