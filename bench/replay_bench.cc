// The replay of a trace without output beside its floor: parsing the same lines with simdjson and
// looking at nothing.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "bench/bench.h"
#include "benchmark/benchmark.h"
#include "presence/client/channel.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "sim/capture/generator.h"
#include "sim/replay/look_ahead.h"
#include "sim/replay/output.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"
#include "simdjson.h"

namespace presence::bench {
namespace {

// A generated trace: the members come with the first sync, then they change, and now and then one
// comes or goes.
class Trace {
 public:
  Trace(size_t members, size_t frames) {
    sim::GeneratorOptions options;
    options.members = members;
    options.frames = frames;
    options.rate = 1'000;
    options.checks = false;
    sim::TraceGenerator generator(options);
    while (generator.AppendNext(bytes_)) {
    }
    frames_ = generator.frames();
    items_ = generator.items();
    lines_ = static_cast<size_t>(std::count(bytes_.begin(), bytes_.end(), '\n'));
    generator.ForEachMember([this](const Message& member) {
      last_ids_.emplace(std::pair(member.connection_id, member.client_id), member.id);
    });
    size_ = bytes_.size();
    bytes_.append(simdjson::SIMDJSON_PADDING, ' ');
  }

  size_t frames() const { return frames_; }  // that the server sends
  size_t items() const { return items_; }    // on them
  size_t lines() const { return lines_; }
  // Padded, as simdjson wants it.
  std::string_view text() const { return std::string_view(bytes_).substr(0, size_); }
  // The id of each member's last message, by connection and client.
  const std::map<std::pair<std::string, std::string>, std::string>& last_ids() const {
    return last_ids_;
  }

 private:
  size_t frames_ = 0;
  size_t items_ = 0;
  size_t lines_ = 0;
  std::string bytes_;
  size_t size_ = 0;
  std::map<std::pair<std::string, std::string>, std::string> last_ids_;
};

// How many of the lines are JSON objects.
size_t ParseOnly(std::string_view text, simdjson::dom::parser& parser) {
  size_t objects = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const auto* const newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    simdjson::dom::element element;
    const auto error = parser.parse(at, static_cast<size_t>(newline - at), false).get(element);
    objects += error == simdjson::SUCCESS && element.is_object() ? 1 : 0;
    at = newline + 1;
  }
  return objects;
}

// Feeds the lines to `replayer`, as `presence replay` does.
void Replay(std::string_view text, sim::Replayer& replayer) {
  sim::LineReader lines(sim::ReadMemory(text));
  sim::LookAhead look_ahead(lines, replayer);
  std::string_view bytes;
  for (;;) {
    const absl::StatusOr<bool> more = lines.Next(bytes);
    Require(more.ok(), "a line");
    if (!*more) break;
    if (sim::TraceReader::IsBlank(bytes)) continue;
    Require(look_ahead.Replay(bytes).ok(), "a frame");
  }
  replayer.Finish();
}

// Compares what comes out with what the trace was made from.
class ResultChecker : public sim::ReplaySink {
 public:
  explicit ResultChecker(const Trace& trace) : trace_(trace) {}
  void Write(const sim::ReplayOutput&) override {}
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>,
                const Channel& channel) override {
    Require(channel.members().size() == trace_.last_ids().size(), "the number of members");
    channel.members().ForEach([this](const Message& member) {
      const auto found = trace_.last_ids().find(
          {std::string(member.connection_id), std::string(member.client_id)});
      Require(found != trace_.last_ids().end() && found->second == member.id, "a member");
    });
    ended_ = true;
  }
  bool ended() const { return ended_; }

 private:
  const Trace& trace_;
  bool ended_ = false;
};

void BenchReplay(benchmark::State& state, size_t members, size_t frames) {
  const Trace trace(members, frames);
  simdjson::dom::parser parser;
  Require(ParseOnly(trace.text(), parser) == trace.lines(), "the number of objects");
  {
    ResultChecker checker(trace);
    sim::Replayer replayer(checker);
    Replay(trace.text(), replayer);
    Require(checker.ended() && replayer.items() == trace.items(), "the number of items");
  }
  Comparison(state, trace.frames())
      .Run([&] { return SecondsOf([&] { ParseOnly(trace.text(), parser); }); },
           [&] {
             return SecondsOf([&] {
               sim::NoOutput output;
               sim::Replayer replayer(output);
               Replay(trace.text(), replayer);
             });
           });
}

void RegisterAll(bool smoke) {
  const size_t members = smoke ? 5 : 10'000;
  const size_t frames = smoke ? 50 : 200'000;
  Configure(benchmark::RegisterBenchmark(
                ("replay/" + std::to_string(members)).c_str(),
                [=](benchmark::State& state) { BenchReplay(state, members, frames); }),
            smoke);
}

}  // namespace
}  // namespace presence::bench

int main(int argc, char** argv) {
  return presence::bench::Main(argc, argv, presence::bench::RegisterAll);
}
