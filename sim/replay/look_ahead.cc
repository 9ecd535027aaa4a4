#include "sim/replay/look_ahead.h"

#include <cstddef>
#include <utility>
#include <variant>

#include "engine/members/member_prefetch.h"
#include "presence/base/internal/check.h"
#include "presence/client/channel.h"

namespace presence::sim {
namespace {

// Of the first member that the line is about, if its channel is there already.
std::optional<MemberPrefetch> PrefetchFor(const Replayer& replayer, const TraceLine& line) {
  const auto* const received = std::get_if<ReceivedLine>(&line.content);
  if (received == nullptr || received->frame.presence.empty()) return std::nullopt;
  const wire::Frame& frame = received->frame;
  const Channel* const channel = replayer.Find(frame.channel);
  if (channel == nullptr) return std::nullopt;
  const IncomingItem& item = frame.presence.front();
  return MemberPrefetch(channel->members(),
                        item.connection_id.empty() ? frame.connection_id : item.connection_id);
}

}  // namespace

absl::Status LookAhead::Replay(std::string_view text) {
  if (absl::Status status = Read(text); !status.ok()) return status;
  std::optional<MemberPrefetch> prefetch;
  if (const TraceLine* const next = ReadAhead(); next != nullptr) {
    prefetch = PrefetchFor(replayer_, *next);
  }
  absl::Status status = replayer_.Apply(lines_.line_number(), current_->line());
  if (prefetch.has_value()) prefetch->Finish();
  return status;
}

absl::Status LookAhead::Read(std::string_view text) {
  if (!ahead_.has_value()) return current_->Read(text);
  PRESENCE_CHECK(ahead_->data() == text.data() && ahead_->size() == text.size());
  ahead_.reset();
  std::swap(current_, next_);
  return std::move(ahead_status_);
}

// The line after the current one; null if there is none yet, or it is blank, malformed, or too long
// to be worth a second set of buffers: its turn will tell.
const TraceLine* LookAhead::ReadAhead() {
  constexpr size_t kMaxBytes = 4096;
  std::optional<std::string_view> text = lines_.Ahead();
  if (!text.has_value() || TraceReader::IsBlank(*text) || text->size() > kMaxBytes) return nullptr;
  ahead_ = text;
  ahead_status_ = next_->Read(*text);
  return ahead_status_.ok() ? &next_->line() : nullptr;
}

}  // namespace presence::sim
