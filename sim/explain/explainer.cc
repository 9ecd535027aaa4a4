#include "sim/explain/explainer.h"

#include "sim/explain/story_watcher.h"

namespace presence::sim {

Explainer::Explainer(StorySink& sink) : watcher_(std::make_unique<StoryWatcher>(sink)) {}
Explainer::~Explainer() = default;

absl::Status Explainer::Apply(uint64_t line_number, const TraceLine& line) {
  return watcher_->Apply(line_number, line);
}

void Explainer::Finish(bool at_end) { watcher_->Finish(at_end); }

bool Explainer::any_frames() const { return watcher_->replayer().frames() > 0; }

int64_t Explainer::now_ms() const { return watcher_->replayer().now_ms(); }

std::vector<std::string_view> Explainer::ChannelNames() const {
  return watcher_->replayer().ChannelNames();
}

}  // namespace presence::sim
