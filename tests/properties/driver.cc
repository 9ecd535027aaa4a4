#include "tests/properties/driver.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>
#include <variant>

namespace presence {

ChannelModel::Options ModelOptionsOf(const Channel::Options& options) {
  ChannelModel::Options same;
  same.strict_mode = options.strict_mode;
  same.queue_messages = options.queue_messages;
  same.attach_on_subscribe = options.attach_on_subscribe;
  same.max_message_size = options.max_message_size;
  same.max_queued = options.max_queued;
  same.max_in_flight = options.max_in_flight;
  same.max_queued_bytes = options.max_queued_bytes;
  same.max_in_flight_bytes = options.max_in_flight_bytes;
  same.max_tombstones = options.max_tombstones;
  same.max_tombstone_bytes = options.max_tombstone_bytes;
  same.max_members = options.max_members;
  return same;
}

Driver::Driver(const Channel::Options& options, bool with_model)
    : options_(options),
      with_model_(with_model),
      channel_(options),
      model_(ModelOptionsOf(options)) {
  trace_.push_back(OptionsLine(options));
}

void Driver::Do(Command command) {
  Resolve(command);
  std::string line = TraceLine(command);
  const bool told = !line.empty();
  if (told) trace_.push_back(std::move(line));

  for (const Watcher& watcher : watchers_) {
    if (watcher.before) watcher.before(*this, command);
  }
  const InputOf input(command);
  const Timestamp now = TimestampFromMs(command.t);
  status_ = channel_.Apply(now, input.input(), effects_);
  if (status_.ok()) {
    now_ = std::max(now_, command.t);
  } else if (told) {
    trace_.pop_back();  // no trace can say what the engine refuses
  }
  if (with_model_) Compare(model_.Apply(now, input.input()));
  if (const std::string broken = channel_.CheckInvariants(); !broken.empty()) {
    throw std::runtime_error("invariant broken: " + broken);
  }
  for (const Effect& effect : effects_) {
    if (const auto* send = std::get_if<SendPresence>(&effect)) {
      sent_.push_back(Sent{next_serial_++, send->token});
      last_token_ = std::max(last_token_, send->token);
    }
  }
  for (const Watcher& watcher : watchers_) {
    if (watcher.after) watcher.after(*this, command, effects_);
  }
}

// What the owner of the connection does before its channel hears of it.
void Driver::Resolve(Command& command) {
  if (command.kind == Command::Kind::kConnection) {
    if (command.connection_state == ConnectionState::kConnected) {
      if (!command.connection_id.empty()) {
        if (!connected_id_.empty() && command.connection_id != connected_id_) {
          sent_.clear();
          next_serial_ = 0;
        }
        connected_id_ = command.connection_id;
      }
    } else if (command.connection_state != ConnectionState::kDisconnected ||
               !options_.queue_messages) {
      sent_.clear();
    }
  }
  if (command.kind == Command::Kind::kAck || command.kind == Command::Kind::kNack) {
    std::vector<Sent> left;
    for (const Sent& sent : sent_) {
      if (sent.msg_serial >= command.msg_serial &&
          sent.msg_serial - command.msg_serial < command.count) {
        command.acknowledged.push_back(AcknowledgedOperation{sent.token, sent.msg_serial});
      } else {
        left.push_back(sent);
      }
    }
    sent_ = left;
  }
}

void Driver::Compare(const std::optional<Lines>& expected) const {
  if (status_.ok() != expected.has_value()) {
    throw std::runtime_error("the engine says " + status_.ToString() + ", the model " +
                             (expected ? "takes the input" : "refuses it"));
  }
  const Lines effects = LinesOf(effects_);
  if (effects != expected.value_or(Lines())) {
    throw std::runtime_error("effects differ:\n" + Difference(effects, expected.value_or(Lines())));
  }
  const Snapshot ours = SnapshotOf(channel_);
  const Snapshot theirs = model_.snapshot();
  if (ours != theirs) {
    throw std::runtime_error("states differ:\n" + Difference(LinesOf(ours), LinesOf(theirs)));
  }
  // Of those sent lately, too, that need not be sent again: they must be forgotten.
  const OperationToken first = last_token_ > 20 ? last_token_ - 20 : 1;
  for (OperationToken token = first; token <= last_token_; ++token) {
    const std::optional<OutgoingItem> item = channel_.Unacknowledged(token);
    const std::optional<OutgoingItem> same = model_.Unacknowledged(token);
    const std::string line = item ? Line(*item) : "nothing";
    const std::string wanted = same ? Line(*same) : "nothing";
    if (line != wanted) {
      throw std::runtime_error("unacknowledged differ:\n" + Difference({line}, {wanted}));
    }
  }
}

Lines EverythingOf(const Channel& channel, const absl::Status& status, const Effects& effects) {
  Lines lines = {status.ToString()};
  for (const Lines& more : {LinesOf(effects), LinesOf(SnapshotOf(channel))}) {
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

std::string WriteTrace(const std::string& test_name, const std::vector<std::string>& lines) {
  const char* directory = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (directory == nullptr) directory = std::getenv("TMPDIR");
  if (directory == nullptr) directory = "/tmp";
  const std::string name = std::string(directory) + "/" + test_name + ".trace.jsonl";
  std::ofstream file(name, std::ios::binary | std::ios::trunc);
  const char* parameters = std::getenv("RC_PARAMS");
  file << NoteLine(test_name + ", RC_PARAMS=" + (parameters != nullptr ? parameters : "")) << '\n';
  for (const std::string& line : lines) file << line << '\n';
  return file ? name : name + " (could not be written)";
}

}  // namespace presence
