#include "sim/replay/replay_line.h"

#include <optional>

namespace presence::sim {

absl::Status ReplayLine(std::string_view text, LineReader& lines, TraceReader& reader,
                        Replayer& replayer) {
  if (absl::Status status = reader.Read(text); !status.ok()) return status;
  if (const std::optional<std::string_view> ahead = lines.Ahead(); ahead.has_value()) {
    if (const TraceLine* const next = reader.ReadAhead(*ahead); next != nullptr) {
      replayer.Expect(*next);
    }
  }
  return replayer.Apply(lines.line_number(), reader.line());
}

}  // namespace presence::sim
