#ifndef SIM_WORLD_RECORDING_H_
#define SIM_WORLD_RECORDING_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "sim/replay/output.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// A client's session, as a trace and as what its engine said of it: `presence replay TRACE
// --expect=OUTPUT` gives the same again.
class Recording {
 public:
  Recording() : output_(lines_) {}
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // What the client is given. `frame_json` is the frame of a ReceivedLine or SentLine.
  void AddLine(const TraceLine& line, std::string_view frame_json);
  // What it should have come to, as a line that `replay --check` holds it to: the channel's members
  // are these; it is settled.
  void AddMembersCheck(int64_t t, std::string_view channel, std::span<const Message> members);
  void AddSettledCheck(int64_t t, std::string_view channel);
  // What somebody who goes through the channel's room has asked for and was told since the last
  // such line: see CheckLine.
  void AddRoomCheck(int64_t t, std::string_view channel, JsonArray room);
  // Takes the engine's outputs.
  ReplaySink& output() { return output_; }

  const std::string& trace() const { return trace_; }
  const std::string& outputs() const { return lines_.text; }

 private:
  struct Lines : LineSink {
    void WriteLine(std::string_view line) override {
      text += line;
      text += '\n';
    }
    std::string text;
  };

  void AddCheck(int64_t t, const CheckLine& line);

  std::string trace_;
  Lines lines_;
  JsonlOutput output_;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_RECORDING_H_
