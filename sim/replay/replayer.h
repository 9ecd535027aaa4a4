#ifndef SIM_REPLAY_REPLAYER_H_
#define SIM_REPLAY_REPLAYER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "presence/client/channel.h"
#include "presence/session/ledger.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// One thing that came out of a replay, with what is needed to write it down. Views hold during the
// call it is given to.
struct ReplayOutput {
  ReplayOutput(uint64_t the_line, int64_t the_t, std::optional<std::string_view> the_channel,
               const Effect& the_effect)
      : line(the_line), t(the_t), channel(the_channel), effect(&the_effect) {}

  uint64_t line;                            // the trace line that caused it, from 1
  int64_t t;                                // the engine's now, ms since the epoch
  std::optional<std::string_view> channel;  // nullopt: no line has named it
  const Effect* effect;
  // Of a CallResult: the id of the call, as JSON text, and the members it lists.
  std::string_view call_id;
  std::span<const Message> members;
  // Of a SendPresence: the serial it goes out with.
  int64_t msg_serial = 0;
  // Of a MemberEvent: the ids of the subscriptions it reached, as JSON text; nullopt while there
  // are none in force.
  std::optional<std::span<const std::string_view>> to;
};

// Takes what comes out, in order.
class ReplaySink {
 public:
  virtual ~ReplaySink() = default;
  virtual void Write(const ReplayOutput& output) = 0;
  // At the end, for each channel in order of first appearance.
  virtual void WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                        const Channel& channel) = 0;
};

// Watches a replay from outside, to check it.
class ReplayObserver {
 public:
  virtual ~ReplayObserver() = default;
  // `input` was applied to `channel`, the `index`th of the replay, and these are its effects. The
  // sink has been given none of them yet.
  virtual void OnApply(size_t index, Timestamp now, const ChannelInput& input,
                       const Effects& effects, const Channel& channel) = 0;
  // Whether the effects are to hold the verdicts on the items, too. Asked once.
  virtual bool WantsVerdicts() const { return false; }
  // `channel` is about to be given a call, whose id is this JSON text.
  virtual void OnCall(size_t /*index*/, const CallLine& /*call*/, std::string_view /*id*/,
                      const Channel& /*channel*/) {}
  // The `index`th channel said this, and the sink is about to be given it.
  virtual void OnOutput(size_t /*index*/, const ReplayOutput& /*output*/) {}
  // The trace says what it should have come to by now.
  virtual void OnCheck(size_t /*index*/, const CheckLine& /*line*/, const Channel& /*channel*/) {}
};

// Feeds a trace to the engine: a channel for each that is named, and the ledger of their
// connection, which numbers their frames. What a session decides, and when, is what the trace says.
// Same lines, same outputs, byte for byte. One thread at a time.
class Replayer {
 public:
  // `sink`, and `observer` if not null, must outlive the replayer.
  explicit Replayer(ReplaySink& sink, ReplayObserver* observer = nullptr);
  ~Replayer();
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;

  // Replays one line. InvalidArgument if it cannot stand where it stands; nothing has changed then.
  absl::Status Apply(uint64_t line_number, const TraceLine& line);
  // The end of the trace.
  void Finish();

  // The channel that a line of this name is about, if there is one yet; else null. It stays as long
  // as the replayer.
  const Channel* Find(std::string_view name) const;
  // The name of the `index`th channel; nullopt: no line has named it. REQUIRES: there is one.
  std::optional<std::string_view> NameOf(size_t index) const;
  // Of all channels that lines have named, in order of first appearance. They hold until the next
  // line.
  std::vector<std::string_view> ChannelNames() const;
  // The engine's now, ms since the epoch.
  int64_t now_ms() const { return now_ms_; }
  // Over all channels, so far.
  uint64_t frames() const { return frames_; }
  uint64_t items() const;
  // Acknowledged serials that nobody was waiting for.
  uint64_t unknown_acknowledged() const { return ledger_.unknown_acknowledged(); }

 private:
  struct NamedChannel;

  absl::Status On(const NoteLine&) { return absl::OkStatus(); }
  absl::Status On(const ReceivedLine& line);
  absl::Status On(const SentLine& line);
  absl::Status On(const CallLine& line);
  absl::Status On(const StateLine& line);
  absl::Status On(const ConnectionLine& line);
  absl::Status On(const OptionsLine& line);
  absl::Status On(const CheckLine& line);

  bool IsLast(std::string_view name) const;
  absl::Status CheckPlace(const TraceLine& line) const;
  NamedChannel* FindChannel(std::string_view name) const;
  NamedChannel& ChannelNamed(std::string_view name);
  NamedChannel& AddChannel(std::string_view name);
  void Feed(NamedChannel& channel, const ChannelInput& input);
  void Write(NamedChannel& channel, const Effect& effect);
  void WriteResends();
  void UpdateConnection(const ConnectionUpdate& update);
  void Acknowledge(const wire::Frame& frame);
  RequestId AddRequest(const CallLine& call);
  SubscriptionId SubscriptionOf(std::string_view id);

  ReplaySink& sink_;
  ReplayObserver* const observer_;
  uint64_t line_ = 0;
  int64_t now_ms_ = 0;

  Channel::Options options_;
  std::vector<std::unique_ptr<NamedChannel>> channels_;  // in order of first appearance
  absl::flat_hash_map<std::string, NamedChannel*> by_name_;
  NamedChannel* last_ = nullptr;  // the channel named last, to find it at once

  Ledger ledger_;

  Effects effects_;
  RequestId next_request_ = 0;
  std::unordered_map<RequestId, std::string> requests_;  // to the call's id, as JSON text
  absl::flat_hash_map<std::string, SubscriptionId> subscription_ids_;
  std::vector<std::string> subscription_names_;  // by SubscriptionId, as JSON text
  std::vector<std::string_view> reached_;
  uint64_t frames_ = 0;
};

}  // namespace presence::sim

#endif  // SIM_REPLAY_REPLAYER_H_
