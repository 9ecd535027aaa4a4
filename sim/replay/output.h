#ifndef SIM_REPLAY_OUTPUT_H_
#define SIM_REPLAY_OUTPUT_H_

// What a replay writes: JSON Lines for programs (a public contract), short lines for people.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/json/text_buffer.h"
#include "presence/client/channel.h"
#include "sim/replay/line_sink.h"
#include "sim/replay/replayer.h"

namespace presence::sim {

// One JSON object per output. Field names and their order do not change; fields may be added.
class JsonlOutput : public ReplaySink {
 public:
  // `lines` must outlive this.
  explicit JsonlOutput(LineSink& lines) : lines_(lines) {}
  void Write(const ReplayOutput& output) override;
  void WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                const Channel& channel) override;

 private:
  LineSink& lines_;
  json::TextBuffer text_;
};

// One short line per output, to be read and not parsed. Nothing in a trace can reach a terminal as
// a control character.
class TextOutput : public ReplaySink {
 public:
  // `lines` must outlive this.
  explicit TextOutput(LineSink& lines) : lines_(lines) {}
  void Write(const ReplayOutput& output) override;
  void WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                const Channel& channel) override;

 private:
  LineSink& lines_;
  std::string text_;
};

// Writes nothing.
class NoOutput : public ReplaySink {
 public:
  void Write(const ReplayOutput&) override {}
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>, const Channel&) override {}
};

// Passes on only what concerns one channel, and what no line has given a channel yet.
class ChannelFilter : public ReplaySink {
 public:
  // `next` must outlive this.
  ChannelFilter(std::string name, ReplaySink& next) : name_(std::move(name)), next_(next) {}
  void Write(const ReplayOutput& output) override {
    if (!output.channel.has_value() || *output.channel == name_) next_.Write(output);
  }
  void WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                const Channel& channel) override {
    if (!name.has_value() || *name == name_) next_.WriteEnd(line, t, name, channel);
  }

 private:
  const std::string name_;
  ReplaySink& next_;
};

}  // namespace presence::sim

#endif  // SIM_REPLAY_OUTPUT_H_
