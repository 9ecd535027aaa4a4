#include "sim/replay/replayer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/base/bytes.h"
#include "presence/base/internal/check.h"

namespace presence::sim {

struct Replayer::NamedChannel {
  NamedChannel(const Channel::Options& options, const Connection& connection)
      : channel(options, connection) {}

  size_t index = 0;
  std::optional<std::string> name;  // nullopt until a line names it
  Channel channel;
};

Replayer::Replayer(ReplaySink& sink, ReplayObserver* observer) : sink_(sink), observer_(observer) {
  if (observer != nullptr && observer->WantsVerdicts()) effects_.WantVerdicts();
}

Replayer::~Replayer() = default;

absl::Status Replayer::Apply(uint64_t line_number, const TraceLine& line) {
  if (absl::Status status = CheckPlace(line); !status.ok()) return status;
  line_ = line_number;
  if (line.t.has_value()) now_ms_ = std::max(now_ms_, *line.t);
  return std::visit([this](const auto& content) { return On(content); }, line.content);
}

// Whether the line can stand here; asked before anything changes.
absl::Status Replayer::CheckPlace(const TraceLine& line) const {
  if (std::holds_alternative<OptionsLine>(line.content) && !channels_.empty()) {
    return absl::InvalidArgumentError("\"options\" after the first line that needs a channel");
  }
  const auto* const move = std::get_if<StateLine>(&line.content);
  if (move != nullptr && move->state == ChannelState::kAttached) {
    const NamedChannel* const channel = FindChannel(move->channel);
    if (channel == nullptr || channel->channel.state() != ChannelState::kDetaching) {
      return absl::InvalidArgumentError(
          "state \"attached\" gives up a detach, and the channel is not detaching");
    }
  }
  const auto* const connection = std::get_if<ConnectionLine>(&line.content);
  if (connection != nullptr && connection->anew) {
    const ConnectionState state = ledger_.connection().state();
    bool can_begin = state == ConnectionState::kClosed || state == ConnectionState::kFailed;
    for (const auto& named : channels_) {
      const ChannelState at = named->channel.state();
      can_begin = can_begin && at != ChannelState::kAttaching && at != ChannelState::kAttached &&
                  at != ChannelState::kDetaching;
    }
    if (!can_begin) {
      return absl::InvalidArgumentError(
          "\"anew\" begins another connection, and the last one is not closed or failed, or a "
          "channel is still on its way");
    }
  }
  return absl::OkStatus();
}

void Replayer::Finish() {
  for (const auto& named : channels_) {
    sink_.WriteEnd(line_, now_ms_, named->name, named->channel);
  }
}

const Channel* Replayer::Find(std::string_view name) const {
  const NamedChannel* const found = IsLast(name) ? last_ : FindChannel(name);
  return found == nullptr ? nullptr : &found->channel;
}

std::optional<std::string_view> Replayer::NameOf(size_t index) const {
  return channels_[index]->name;
}

std::vector<std::string_view> Replayer::ChannelNames() const {
  std::vector<std::string_view> names;
  for (const auto& named : channels_) {
    if (named->name.has_value()) names.emplace_back(*named->name);
  }
  return names;
}

uint64_t Replayer::items() const {
  uint64_t items = 0;
  for (const auto& named : channels_) items += named->channel.stats().items;
  return items;
}

// --- Lines ---

absl::Status Replayer::On(const ReceivedLine& line) {
  const wire::Frame& frame = line.frame;
  ++frames_;
  if (frame.action == wire::kAck || frame.action == wire::kNack) {
    Acknowledge(frame);
  } else if (wire::SpeaksOfConnection(frame)) {
    UpdateConnection(*wire::ConnectionUpdateOf(frame, ledger_.Current()));
  } else {
    Feed(ChannelNamed(frame.channel), wire::ChannelInputOf(frame));
  }
  return absl::OkStatus();
}

// What the client sent is no input, but for what it says of the owner: that it attaches, that it
// detaches, which serials it has used.
absl::Status Replayer::On(const SentLine& line) {
  const wire::Frame& frame = line.frame;
  if (frame.msg_serial.has_value()) ledger_.Skip(*frame.msg_serial);
  switch (frame.action) {
    case wire::kConnected:
    case wire::kDisconnected:
    case wire::kClosed:
    case wire::kAck:
    case wire::kNack:
      return absl::OkStatus();
    case wire::kAttach:
      Feed(ChannelNamed(frame.channel), OwnerMove{ChannelState::kAttaching, nullptr});
      return absl::OkStatus();
    case wire::kDetach:
      Feed(ChannelNamed(frame.channel), OwnerMove{ChannelState::kDetaching, nullptr});
      return absl::OkStatus();
    default:
      if (frame.action != wire::kError || !frame.channel.empty()) ChannelNamed(frame.channel);
      return absl::OkStatus();
  }
}

absl::Status Replayer::On(const CallLine& call) {
  NamedChannel& channel = ChannelNamed(call.channel);
  const RequestId request = AddRequest(call);
  if (observer_ != nullptr) {
    observer_->OnCall(channel.index, call, requests_[request], channel.channel);
  }
  switch (call.name) {
    case CallLine::Name::kOperation:
      Feed(channel, OperationCall{request, call.action, call.client_id, call.payload});
      break;
    case CallLine::Name::kGet:
      Feed(channel,
           GetCall{request, call.filter_client_id, call.filter_connection_id, call.wait_for_sync});
      break;
    case CallLine::Name::kIsUserPresent:
      Feed(channel, IsUserPresentCall{request, call.client_id.value_or("")});
      break;
    case CallLine::Name::kSubscribe:
      Feed(channel, SubscribeCall{request, SubscriptionOf(requests_[request]), call.events});
      break;
    case CallLine::Name::kUnsubscribe: {
      UnsubscribeCall unsubscribe;
      unsubscribe.request = request;
      if (call.of.has_value()) unsubscribe.id = SubscriptionOf(*call.of);
      Feed(channel, unsubscribe);
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status Replayer::On(const StateLine& line) {
  Feed(ChannelNamed(line.channel),
       OwnerMove{line.state, line.reason.has_value() ? &*line.reason : nullptr});
  return absl::OkStatus();
}

absl::Status Replayer::On(const ConnectionLine& line) {
  if (line.anew) ledger_.Forget();
  ConnectionUpdate update = ledger_.Current();
  update.state = line.state;
  if (line.id.has_value()) update.id = *line.id;
  if (line.client_id.has_value()) update.client_id = *line.client_id;
  update.reason = line.reason.has_value() ? ShareError(*line.reason) : nullptr;
  UpdateConnection(update);
  if (line.anew) {
    for (const auto& channel : channels_) {
      Feed(*channel, OwnerMove{ChannelState::kInitialized, nullptr});
    }
  }
  return absl::OkStatus();
}

absl::Status Replayer::On(const OptionsLine& line) {
  const auto set = [](const auto& from, auto& to) {
    if (from.has_value()) to = static_cast<std::decay_t<decltype(to)>>(*from);
  };
  set(line.strict_mode, options_.strict_mode);
  set(line.queue_messages, options_.queue_messages);
  set(line.attach_on_subscribe, options_.attach_on_subscribe);
  set(line.max_message_size, options_.max_message_size);
  set(line.max_queued, options_.max_queued);
  set(line.max_in_flight, options_.max_in_flight);
  set(line.max_tombstones, options_.max_tombstones);
  set(line.max_queued_bytes, options_.max_queued_bytes);
  set(line.max_in_flight_bytes, options_.max_in_flight_bytes);
  set(line.max_members, options_.max_members);
  return absl::OkStatus();
}

absl::Status Replayer::On(const CheckLine& line) {
  NamedChannel& channel = ChannelNamed(line.frame.channel);
  if (observer_ != nullptr) observer_->OnCheck(channel.index, line, channel.channel);
  return absl::OkStatus();
}

// --- Channels ---

bool Replayer::IsLast(std::string_view name) const {
  return last_ != nullptr && last_->name.has_value() && EqualBytes(*last_->name, name);
}

// The channel of this name; without one, the first. Before any is named there is an unnamed one,
// which the first name takes over. Null: there is none yet.
Replayer::NamedChannel* Replayer::FindChannel(std::string_view name) const {
  if (!name.empty()) {
    const auto known = by_name_.find(AbslView(name));
    if (known != by_name_.end()) return known->second;
    if (channels_.empty() || channels_.front()->name.has_value()) return nullptr;
  }
  return channels_.empty() ? nullptr : channels_.front().get();
}

Replayer::NamedChannel& Replayer::ChannelNamed(std::string_view name) {
  if (IsLast(name)) return *last_;
  NamedChannel* found = FindChannel(name);
  if (found == nullptr) found = &AddChannel(name);
  if (name.empty()) return *found;
  if (!found->name.has_value()) {
    found->name.emplace(name);
    by_name_.emplace(*found->name, found);
  }
  last_ = found;
  return *found;
}

Replayer::NamedChannel& Replayer::AddChannel(std::string_view name) {
  NamedChannel& added =
      *channels_.emplace_back(std::make_unique<NamedChannel>(options_, ledger_.connection()));
  added.index = channels_.size() - 1;
  if (!name.empty()) {
    added.name.emplace(name);
    by_name_.emplace(*added.name, &added);
  }
  return added;
}

void Replayer::Feed(NamedChannel& channel, const ChannelInput& input) {
  const Timestamp now = TimestampFromMs(now_ms_);
  const absl::Status status = channel.channel.Apply(now, input, effects_);
  PRESENCE_CHECK(status.ok());  // lines hold no value that makes an input senseless
  if (observer_ != nullptr) {
    observer_->OnApply(channel.index, now, input, effects_, channel.channel);
  }
  for (const Effect& effect : effects_) Write(channel, effect);
}

void Replayer::Write(NamedChannel& channel, const Effect& effect) {
  ReplayOutput output(line_, now_ms_, channel.name, effect);
  std::string call_id;
  if (const auto* event = std::get_if<MemberEvent>(&effect)) {
    const std::vector<Channel::Subscription>& subscriptions = channel.channel.subscriptions();
    if (!subscriptions.empty()) {
      reached_.clear();
      for (const Channel::Subscription& subscription : subscriptions) {
        if ((subscription.events & MaskOf(event->type)) != 0) {
          reached_.push_back(subscription_names_[subscription.id]);
        }
      }
      output.to = reached_;
    }
  } else if (const auto* send = std::get_if<SendPresence>(&effect)) {
    output.msg_serial = ledger_.Send(channel.index, send->token);
  } else if (const auto* result = std::get_if<CallResult>(&effect)) {
    const auto request = requests_.find(result->request);
    PRESENCE_CHECK(request != requests_.end());  // every call is answered once
    call_id = std::move(request->second);
    requests_.erase(request);
    output.call_id = call_id;
    if (result->kind == CallResult::Kind::kMembers && result->error == nullptr) {
      output.members = effects_.members(*result);
    }
  }
  if (observer_ != nullptr) observer_->OnOutput(channel.index, output);
  sink_.Write(output);
}

// --- The connection ---

void Replayer::UpdateConnection(const ConnectionUpdate& update) {
  const Connection::Transition transition = ledger_.Apply(update);
  for (const auto& channel : channels_) Feed(*channel, ledger_.Current());
  if (transition.lost) {
    ledger_.ForgetFailed([this](const Outbox::Entry& entry) {
      return channels_[entry.channel]->channel.Unacknowledged(entry.token).has_value();
    });
  }
  if (transition.reconnected) WriteResends();
}

// What is sent again on a new transport of the same connection (RTN19a), in the order of the
// serials over all channels.
void Replayer::WriteResends() {
  for (const Outbox::Entry& entry : ledger_.ToSendAgain()) {
    const NamedChannel& channel = *channels_[entry.channel];
    const std::optional<OutgoingItem> item = channel.channel.Unacknowledged(entry.token);
    PRESENCE_CHECK(item.has_value());
    const Effect effect = SendPresence{entry.token, *item};
    ReplayOutput output(line_, now_ms_, channel.name, effect);
    output.msg_serial = entry.msg_serial;
    sink_.Write(output);
  }
}

void Replayer::Acknowledge(const wire::Frame& frame) {
  if (!frame.msg_serial.has_value()) return;
  for (const Ledger::Settled& settled :
       ledger_.Settle(*frame.msg_serial, frame.count.value_or(1))) {
    NamedChannel& channel = *channels_[settled.channel];
    if (frame.action == wire::kAck) {
      Feed(channel, OperationsAcked{settled.operations});
    } else {
      Feed(channel,
           OperationsNacked{settled.operations, frame.error.has_value() ? &*frame.error : nullptr});
    }
  }
}

// --- Calls ---

RequestId Replayer::AddRequest(const CallLine& call) {
  const RequestId request = next_request_++;
  requests_[request] = call.id.has_value() ? std::string(*call.id) : absl::StrCat(line_);
  return request;
}

SubscriptionId Replayer::SubscriptionOf(std::string_view id) {
  const auto [known, added] =
      subscription_ids_.try_emplace(std::string(id), subscription_names_.size());
  if (added) subscription_names_.emplace_back(id);
  return known->second;
}

}  // namespace presence::sim
