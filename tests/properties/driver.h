#ifndef TESTS_PROPERTIES_DRIVER_H_
#define TESTS_PROPERTIES_DRIVER_H_

// The owner of one channel, as dull as can be: hands commands in, numbers what is sent, brings ACKs
// back, keeps the trace. With a model beside the engine it compares the two after every input.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "tests/model/channel_model.h"
#include "tests/properties/command.h"

namespace presence {

class Driver {
 public:
  // A frame with an operation or a re-entry that nobody acknowledged yet.
  struct Sent {
    int64_t msg_serial = 0;
    OperationToken token = 0;
  };
  // Watches one input: before it is applied, and after.
  struct Watcher {
    std::function<void(const Driver&, const Command&)> before;
    std::function<void(const Driver&, const Command&, const Effects&)> after;
  };

  explicit Driver(const Channel::Options& options, bool with_model = true);

  // Applies the command; throws std::runtime_error with both sides if engine and model differ, or
  // if the engine breaks an invariant of its own.
  void Do(Command command);
  void Watch(Watcher watcher) { watchers_.push_back(std::move(watcher)); }

  Channel& channel() { return channel_; }
  const Channel& channel() const { return channel_; }
  const ChannelModel& model() const { return model_; }
  const Channel::Options& options() const { return options_; }
  // Of the last command.
  const Effects& effects() const { return effects_; }
  const absl::Status& status() const { return status_; }
  // In serial order.
  const std::vector<Sent>& sent() const { return sent_; }
  int64_t next_serial() const { return next_serial_; }
  RequestId NewRequest() { return next_request_++; }
  // The latest time of all commands that were taken.
  int64_t now() const { return now_; }

  // All lines so far, ready for `presence replay`.
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  void Resolve(Command& command);
  void Compare(const std::optional<Lines>& expected) const;

  const Channel::Options options_;
  const bool with_model_;
  Channel channel_;
  ChannelModel model_;
  Effects effects_;
  absl::Status status_;
  std::vector<Watcher> watchers_;
  std::vector<Sent> sent_;
  int64_t next_serial_ = 0;
  OperationToken last_token_ = 0;
  std::string connected_id_;
  RequestId next_request_ = 1;
  int64_t now_ = 0;
  std::vector<std::string> trace_;
};

ChannelModel::Options ModelOptionsOf(const Channel::Options& options);

// The Status code of the engine's answer, its effects and what can be read of it, as lines.
Lines EverythingOf(const Channel& channel, const absl::Status& status, const Effects& effects);

// Writes the lines where the test's outputs go and returns the file's name.
std::string WriteTrace(const std::string& test_name, const std::vector<std::string>& lines);

}  // namespace presence

#endif  // TESTS_PROPERTIES_DRIVER_H_
