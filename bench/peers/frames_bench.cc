// What one peer makes of the frames of a trace, from their JSON texts: the members at the end, and
// how long it took; see `run`. With --smoke both peers here, on a few frames, compared.
//
//   frames_bench ours|by-hand TRACE MEMBERS    MEMBERS is written: a JSON object on each line,
//   sorted

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/bench.h"
#include "bench/peers/by_hand.h"
#include "engine/json/writer.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "sim/capture/generator.h"

namespace presence::bench {
namespace {

// What the server sent, in the text of a trace: the frame of each line that has one.
std::vector<std::string> FramesOf(std::string_view trace) {
  constexpr std::string_view kReceived = R"(,"recv":)";
  std::vector<std::string> frames;
  while (!trace.empty()) {
    const std::string_view line = trace.substr(0, trace.find('\n'));
    trace.remove_prefix(std::min(trace.size(), line.size() + 1));
    const size_t at = line.find(kReceived);
    if (at == line.npos || at > 24) continue;  // behind the time, not in somebody's data
    const size_t from = at + kReceived.size();
    frames.emplace_back(line.substr(from, line.size() - 1 - from));
  }
  return frames;
}

struct Result {
  size_t events = 0;
  double seconds = 0;
  std::vector<std::string> members;  // JSON, sorted
};

template <typename Work>
double WallSecondsOf(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string JsonOf(std::string_view connection_id, std::string_view client_id, std::string_view id,
                   int64_t timestamp, std::string_view data, std::string_view encoding) {
  std::string out = R"({"connectionId":)";
  json::AppendString(connection_id, out);
  out += R"(,"clientId":)";
  json::AppendString(client_id, out);
  out += R"(,"id":)";
  json::AppendString(id, out);
  out += R"(,"timestamp":)" + std::to_string(timestamp) + R"(,"data":)";
  json::AppendString(data, out);
  out += R"(,"encoding":)";
  json::AppendString(encoding, out);
  return out + "}";
}

Result Ours(const std::vector<std::string>& frames) {
  Result result;
  wire::FrameReader reader;
  Channel channel{Channel::Options()};
  Effects effects;
  result.seconds = WallSecondsOf([&] {
    for (const std::string& text : frames) {
      const absl::StatusOr<wire::Frame> frame = reader.Read(text);
      Require(frame.ok(), "a frame");
      Require(channel.Apply(TimestampFromMs(0), wire::ChannelInputOf(*frame), effects).ok(),
              "a step");
      for (const Effect& effect : effects) {
        result.events += std::holds_alternative<MemberEvent>(effect) ? 1 : 0;
      }
    }
  });
  channel.members().ForEach([&](const Message& member) {
    result.members.push_back(JsonOf(member.connection_id, member.client_id, member.id,
                                    ToMs(member.timestamp), member.payload.data,
                                    member.payload.encoding.value_or("")));
  });
  std::sort(result.members.begin(), result.members.end());
  return result;
}

Result OfByHand(const std::vector<std::string>& frames) {
  Result result;
  wire::FrameReader reader;
  ByHand set;
  result.seconds = WallSecondsOf([&] {
    for (const std::string& text : frames) {
      const absl::StatusOr<wire::Frame> frame = reader.Read(text);
      Require(frame.ok(), "a frame");
      result.events += set.Apply(*frame);
    }
  });
  for (const auto& [key, member] : set.members()) {
    result.members.push_back(JsonOf(member.connection_id, member.client_id, member.id,
                                    member.timestamp, member.data, member.encoding));
  }
  std::sort(result.members.begin(), result.members.end());
  return result;
}

int Smoke() {
  sim::GeneratorOptions options;
  options.members = 20;
  options.frames = 500;
  options.sync_every = 100;
  options.checks = false;
  std::string trace;
  sim::TraceGenerator generator(options);
  while (generator.AppendNext(trace)) {
  }
  const std::vector<std::string> frames = FramesOf(trace);
  Require(frames.size() >= options.frames, "the number of frames");
  const Result ours = Ours(frames);
  const Result by_hand = OfByHand(frames);
  Require(!ours.members.empty() && ours.members == by_hand.members, "the members at the end");
  Require(ours.events == by_hand.events, "the number of events");
  return 0;
}

int Run(std::string_view peer, const char* trace_file, const char* members_file) {
  std::ifstream in(trace_file);
  const std::string trace{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::vector<std::string> frames = FramesOf(trace);
  Require(!frames.empty(), "there are frames");
  const Result result = peer == "ours" ? Ours(frames) : OfByHand(frames);
  std::ofstream out(members_file);
  for (const std::string& member : result.members) out << member << '\n';
  Require(out.good(), "the file of members");
  std::printf(R"({"frames":%zu,"events":%zu,"members":%zu,"seconds":%.6f})"
              "\n",
              frames.size(), result.events, result.members.size(), result.seconds);
  return 0;
}

}  // namespace
}  // namespace presence::bench

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && arguments[0] == "--smoke") return presence::bench::Smoke();
  if (arguments.size() == 3 && (arguments[0] == "ours" || arguments[0] == "by-hand")) {
    return presence::bench::Run(arguments[0], argv[2], argv[3]);
  }
  std::fprintf(stderr, "usage: frames_bench ours|by-hand TRACE MEMBERS\n");
  return 2;
}
