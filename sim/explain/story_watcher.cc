// Lines and their steps.

#include "sim/explain/story_watcher.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"

namespace presence::sim {
namespace {

// What the client sent, of which an ACK may come that the replay knows nothing of.
constexpr size_t kMaxSentKept = 1000;

// The sequence id of a page's channelSerial.
std::string_view PageIdOf(std::string_view serial) { return serial.substr(0, serial.find(':')); }

}  // namespace

// --- Lines ---

absl::Status StoryWatcher::Apply(uint64_t line_number, const TraceLine& line) {
  line_ = line_number;
  block_.Begin(line_number);
  Head(line);
  head_ = Here();
  const uint64_t unknown = replayer_.unknown_acknowledged();
  if (absl::Status status = replayer_.Apply(line_number, line); !status.ok()) {
    block_.Abandon();
    return status;
  }
  const auto* const received = std::get_if<ReceivedLine>(&line.content);
  if (received != nullptr && replayer_.unknown_acknowledged() > unknown) {
    Acknowledged(received->frame, replayer_.unknown_acknowledged() - unknown);
  }
  NoteConnection(block_.front());
  block_.SetTime(replayer_.now_ms());
  if (block_.size() > 1 || IsWorthTelling(line)) {
    block_.WriteTo(sink_);
  } else {
    block_.Abandon();
  }
  return absl::OkStatus();
}

// Lines that are told even if nothing came of them.
bool StoryWatcher::IsWorthTelling(const TraceLine& line) const {
  const auto says_something = [](int64_t action) {
    return action != wire::kHeartbeat && action != wire::kMessage && action != wire::kObject &&
           action != wire::kAnnotation && action >= 0 && action <= wire::kAnnotation;
  };
  if (const auto* const received = std::get_if<ReceivedLine>(&line.content)) {
    return says_something(received->frame.action);
  }
  if (const auto* const sent = std::get_if<SentLine>(&line.content)) {
    return says_something(sent->frame.action);
  }
  return std::holds_alternative<CallLine>(line.content) ||
         std::holds_alternative<StateLine>(line.content) ||
         std::holds_alternative<ConnectionLine>(line.content);
}

void StoryWatcher::Head(const TraceLine& line) {
  if (const auto* const received = std::get_if<ReceivedLine>(&line.content)) {
    HeadFrame(received->frame, false);
  } else if (const auto* const sent = std::get_if<SentLine>(&line.content)) {
    HeadFrame(sent->frame, true);
    const wire::Frame& frame = sent->frame;
    if (frame.action == wire::kPresence && frame.msg_serial.has_value()) {
      sent_[*frame.msg_serial] = {Here(), WordsOf(frame, true),
                                  std::string(block_.front().message.client_id),
                                  std::string(frame.channel)};
      if (sent_.size() > kMaxSentKept) sent_.erase(sent_.begin());
    }
  } else if (const auto* const call = std::get_if<CallLine>(&line.content)) {
    call_id_ = call->id.has_value() ? std::string(*call->id) : absl::StrCat(line_);
    StoryItem& item = Add(StoryKind::kCalled, WordsOf(*call, call_id_));
    item.call_id = block_.Keep(call_id_);
    if (call->client_id.has_value()) item.message.client_id = block_.Keep(*call->client_id);
    if (call->name == CallLine::Name::kOperation) item.action = call->action;
    Call& asked = calls_[next_request_++];  // as the replayer numbers them
    asked.origin = Here();
    asked.id = call_id_;
  } else if (const auto* const state = std::get_if<StateLine>(&line.content)) {
    Add(StoryKind::kOwnerMoved, WordsOf(*state)).state = state->state;
  } else if (const auto* const connection = std::get_if<ConnectionLine>(&line.content)) {
    StoryItem& item = Add(StoryKind::kConnection, WordsOf(*connection));
    item.connection_state = connection->state;
    item.message.connection_id = block_.Keep(connection->id.value_or(""));
    item.message.client_id = block_.Keep(connection->client_id.value_or(""));
    if (connection->client_id.has_value()) identity_ = std::string(*connection->client_id);
  } else {
    Add(StoryKind::kReceived, "");
  }
}

void StoryWatcher::HeadFrame(const wire::Frame& frame, bool sent) {
  StoryItem& item = Add(sent ? StoryKind::kSent : StoryKind::kReceived, WordsOf(frame, sent));
  if (!frame.channel.empty()) item.channel = block_.Keep(frame.channel);
  item.serial = block_.Keep(frame.action == wire::kSync ? frame.channel_serial : "");
  item.sync_id = PageIdOf(item.serial);
  item.msg_serial = frame.msg_serial;
  if (sent && frame.presence.size() == 1) {
    const std::string_view named = frame.presence.front().client_id;
    item.message.client_id = block_.Keep(named.empty() ? identity_ : named);
  }
  if (!sent && frame.action == wire::kConnected) {
    item.connection_state = ConnectionState::kConnected;
    item.message.connection_id = block_.Keep(frame.connection_id);
    item.message.client_id = block_.Keep(frame.details_client_id);
    identity_ = std::string(frame.details_client_id);
  } else if (!sent && wire::SpeaksOfConnection(frame)) {
    item.connection_state = frame.action == wire::kDisconnected ? ConnectionState::kDisconnected
                            : frame.action == wire::kClosed     ? ConnectionState::kClosed
                                                                : ConnectionState::kFailed;
  }
}

// What befell others between two connections was not told: whoever is missing afterwards may have
// left then.
void StoryWatcher::NoteConnection(const StoryItem& head) {
  const std::string_view id = head.message.connection_id;
  if (head.connection_state != ConnectionState::kConnected || id.empty()) return;
  if (!connection_id_.empty() && connection_id_ != id) new_connection_ = head_;
  connection_id_ = id;
}

// Serials were acknowledged that the replay did not send: those of a capture, most of the time.
void StoryWatcher::Acknowledged(const wire::Frame& frame, uint64_t unknown) {
  const int64_t first = frame.msg_serial.value_or(0);
  const int64_t count = std::max<int64_t>(frame.count.value_or(1), 1);
  for (auto sent = sent_.lower_bound(first);
       sent != sent_.end() && sent->first - first < count && unknown > 0; ++sent, --unknown) {
    StoryItem& item =
        Add(StoryKind::kAckUnknown,
            absl::StrCat("it answers line ", sent->second.origin.line, ": ", sent->second.words));
    item.msg_serial = sent->first;
    item.message.client_id = block_.Keep(sent->second.client_id);
    if (!sent->second.channel.empty()) item.channel = block_.Keep(sent->second.channel);
    Because(sent->second.origin);
  }
  if (unknown == 0) return;
  StoryItem& item = Add(
      StoryKind::kAckUnknown,
      count == 1 ? std::string("nothing that is known of was sent with this serial")
                 : absl::StrCat("nothing that is known of was sent with ", unknown, " of them"));
  item.msg_serial = first;
  item.count = unknown;
}

// --- Items ---

StoryItem& StoryWatcher::Add(StoryKind kind, std::string words, Rule rule) {
  StoryItem& item = block_.Add(kind, std::move(words));
  if (step_.story != nullptr && step_.name.has_value()) item.channel = block_.Keep(*step_.name);
  item.rule = rule.name;
  item.point = rule.point;
  return item;
}

StoryItem& StoryWatcher::AddOf(StoryKind kind, const Message& member, std::string words,
                               Rule rule) {
  StoryItem& item = Add(kind, std::move(words), rule);
  item.message = block_.Keep(member);
  item.own = step_.channel != nullptr && !member.connection_id.empty() &&
             member.connection_id == step_.channel->connection().id();
  return item;
}

// --- Steps ---

void StoryWatcher::OnApply(size_t index, Timestamp, const ChannelInput& input,
                           const Effects& effects, const Channel& channel) {
  while (channels_.size() <= index) channels_.push_back(std::make_unique<ChannelStory>());
  ChannelStory& story = *channels_[index];
  step_ = Step();
  step_.story = &story;
  step_.channel = &channel;
  step_.input = &input;
  step_.effects = &effects;
  step_.effects_left = effects.size();
  if (const auto name = replayer_.NameOf(index)) step_.name.emplace(*name);
  const bool of_connection = std::holds_alternative<ConnectionUpdate>(input) ||
                             std::holds_alternative<OperationsAcked>(input) ||
                             std::holds_alternative<OperationsNacked>(input);
  if (!of_connection && step_.name.has_value()) {
    block_.front().channel = block_.Keep(*step_.name);
  }
  if (const auto* const call = std::get_if<OperationCall>(&input)) {
    Call& asked = calls_[call->request];
    asked.action = call->action;
    asked.client_id = std::string(call->client_id.value_or(channel.connection().identity()));
    block_.front().message.client_id = block_.Keep(asked.client_id);
  }
  if (channel.stats().frames_ignored > story.frames_ignored) TellFrameIgnored();
  story.frames_ignored = channel.stats().frames_ignored;
  if (const auto* const sync = std::get_if<SyncFrame>(&input)) TellPage(*sync);
  if (std::holds_alternative<OperationsAcked>(input)) TellAcked();
  if (step_.effects_left == 0) EndStep();
}

void StoryWatcher::Write(const ReplayOutput& output) {
  output_ = &output;
  if (step_.effects_left == 0) {  // not of a step: sent again on a new transport
    if (const auto* const send = std::get_if<SendPresence>(output.effect)) TellResend(*send);
    return;
  }
  std::visit([this](const auto& effect) { Tell(effect); }, *output.effect);
  if (--step_.effects_left == 0) EndStep();
}

void StoryWatcher::EndStep() {
  TellVerdicts();
  ChannelStory& story = *step_.story;
  const Channel& channel = *step_.channel;
  if (step_.cleared.has_value()) {
    story.facts.Clear(*step_.cleared);
    story.own.clear();
    story.syncing = false;
  }
  const uint64_t evicted = channel.members().tombstones_evicted();
  if (evicted > story.tombstones_evicted) {
    TellTombstonesDropped(evicted - story.tombstones_evicted, "there are too many of them");
    story.tombstones_evicted = evicted;
  }
  for (const ItemVerdict& verdict : step_.effects->verdicts()) {
    const bool echo = !verdict.message.connection_id.empty() &&
                      verdict.message.connection_id == channel.connection().id();
    if (echo) TellOwn(verdict.message.client_id, head_);
  }
  TellNotReentered();
  TellWaits();
  if (std::holds_alternative<ConnectionUpdate>(*step_.input)) TellRequeued();
  step_.story = nullptr;
  step_.channel = nullptr;
}

void StoryWatcher::WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                            const Channel& channel) {
  StoryState state;
  state.line = line;
  state.t = t;
  state.channel = name;
  state.engine = &channel;
  state.at_end = at_end_;
  // In the order in which they were made, as they are told.
  const ChannelStory* const story = ended_ < channels_.size() ? channels_[ended_].get() : nullptr;
  if (story != nullptr && story->syncing) state.sync_line = story->sync.line;
  ++ended_;
  sink_.WriteEnd(state);
}

}  // namespace presence::sim
