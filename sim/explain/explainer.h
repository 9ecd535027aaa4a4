#ifndef SIM_EXPLAIN_EXPLAINER_H_
#define SIM_EXPLAIN_EXPLAINER_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "sim/explain/story.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

class StoryWatcher;

// Replays a trace and tells its story: the same replay as `presence replay`, watched.
//
//   Explainer explainer(sink);
//   for each line: absl::Status status = explainer.Apply(number, line);
//   explainer.Finish();
//
// Memory: of each visible member, of each tombstone and of each call and operation under way one
// small fact, and facts of the members that left last (kMaxDeparted of them, kMaxDepartedBytes of
// their ids); never the story itself. One thread at a time.
class Explainer {
 public:
  static constexpr size_t kMaxDeparted = 100'000;
  static constexpr size_t kMaxDepartedBytes = size_t{16} << 20;

  // `sink` must outlive this.
  explicit Explainer(StorySink& sink);
  ~Explainer();
  Explainer(const Explainer&) = delete;
  Explainer& operator=(const Explainer&) = delete;

  // Replays one line and writes its block, if it did something. InvalidArgument, with a message
  // that fits after "FILE:LINE: ", if it cannot stand where it stands; nothing has changed then.
  absl::Status Apply(uint64_t line_number, const TraceLine& line);
  // The end of the trace; or, if not `at_end`, of what is wanted of it. Writes what is there now.
  void Finish(bool at_end = true);

  // Whether a frame has been replayed.
  bool any_frames() const;
  // The engine's now, ms since the epoch.
  int64_t now_ms() const;
  // Of all channels that lines have named so far. They hold until the next line.
  std::vector<std::string_view> ChannelNames() const;

 private:
  std::unique_ptr<StoryWatcher> watcher_;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_EXPLAINER_H_
