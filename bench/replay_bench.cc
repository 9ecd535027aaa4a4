// The replay of a trace without output beside its floor: parsing the same lines with simdjson and
// looking at nothing.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/bench.h"
#include "benchmark/benchmark.h"
#include "presence/client/channel.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "sim/replay/look_ahead.h"
#include "sim/replay/output.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"
#include "simdjson.h"

namespace presence::bench {
namespace {

constexpr size_t kFrameBytes = 211;

// Bare PRESENCE frames of one item each, all of the same length: every member enters, then any of
// them update.
class Trace {
 public:
  Trace(size_t members, size_t frames) : frames_(frames) {
    std::vector<int> serials(members, 0);
    Random random(42);
    for (size_t i = 0; i < frames; ++i) {
      const size_t member = i < members ? i : random.Below(members);
      AddFrame(i, member, serials[member]++);
    }
    size_ = bytes_.size();
    bytes_.append(simdjson::SIMDJSON_PADDING, ' ');
  }

  size_t frames() const { return frames_; }
  // Padded, as simdjson wants it.
  std::string_view text() const { return std::string_view(bytes_).substr(0, size_); }
  // The id of each member's last message, by client id.
  const std::map<std::string, std::string>& last_ids() const { return last_ids_; }

 private:
  void AddFrame(size_t i, size_t member, int serial) {
    char text[kFrameBytes + 1];
    const int size = std::snprintf(
        text, sizeof text,
        R"({"action":14,"id":"c%05zuZq:%d","channel":"my-room","connectionId":"c%05zuZq",)"
        R"("timestamp":%zu,"presence":[{"action":%d,"clientId":"user%05zu","data":")",
        member, serial, member, 1'795'493'321'848 + i, serial == 0 ? 2 : 4, member);
    constexpr std::string_view kEnd = "\"}]}\n";
    Require(size > 0 && static_cast<size_t>(size) + kEnd.size() < kFrameBytes, "a frame's length");
    bytes_.append(text, static_cast<size_t>(size));
    bytes_.append(kFrameBytes + 1 - kEnd.size() - static_cast<size_t>(size), 'x');
    bytes_ += kEnd;
    std::snprintf(text, sizeof text, "user%05zu", member);
    std::string& last_id = last_ids_[text];
    std::snprintf(text, sizeof text, "c%05zuZq:%d:0", member, serial);
    last_id = text;
  }

  const size_t frames_;
  std::string bytes_;
  size_t size_ = 0;
  std::map<std::string, std::string> last_ids_;
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
  void Write(const sim::ReplayOutput& output) override {
    events_ += std::holds_alternative<MemberEvent>(*output.effect) ? 1 : 0;
  }
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>,
                const Channel& channel) override {
    Require(events_ == trace_.frames(), "the number of events");
    Require(channel.members().size() == trace_.last_ids().size(), "the number of members");
    channel.members().ForEach([this](const Message& member) {
      const auto found = trace_.last_ids().find(std::string(member.client_id));
      Require(found != trace_.last_ids().end() && found->second == member.id, "a member");
    });
    ended_ = true;
  }
  bool ended() const { return ended_; }

 private:
  const Trace& trace_;
  size_t events_ = 0;
  bool ended_ = false;
};

void BenchReplay(benchmark::State& state, size_t members, size_t frames) {
  const Trace trace(members, frames);
  simdjson::dom::parser parser;
  Require(ParseOnly(trace.text(), parser) == frames, "the number of objects");
  {
    ResultChecker checker(trace);
    sim::Replayer replayer(checker);
    Replay(trace.text(), replayer);
    Require(checker.ended() && replayer.items() == frames, "the number of items");
  }
  Comparison(state, frames)
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
