// The replay of a trace beside its floor: parsing the same lines with simdjson, in memory, by the
// best kernel that the machine has, and looking at nothing. What is replayed by the whole program,
// `presence replay`, is timed from its start to its end, reading its file included.

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "benchmark/benchmark.h"
#include "engine/base/absl_view.h"
#include "engine/json/writer.h"
#include "presence/client/channel.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "sim/base/random.h"
#include "sim/replay/look_ahead.h"
#include "sim/replay/output.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"
#include "simdjson.h"

extern char** environ;

namespace presence::bench {
namespace {

// A trace of frames like those of captured sessions, as `presence import` writes them: each is the
// only one of its line, has one item, and that has JSON text as its data, escapes and all. Lines
// are of 256 bytes, but for some of a member's first ones. Everybody enters, and then members
// change, drawn at random.
class Trace {
 public:
  Trace(size_t members, size_t frames) : items_(members + frames) {
    constexpr int64_t kStartMs = 1'795'493'321'887;
    bytes_ = absl::StrCat(R"({"t":)", kStartMs,
                          R"(,"recv":{"action":11,"channel":"my-room::$chat","flags":0}})", "\n");
    std::vector<uint64_t> serials(members);
    sim::Random random(1);
    for (size_t frame = 0; frame < items_; ++frame) {
      const size_t member = frame < members ? frame : random.Below(members);
      AppendLine(member, serials[member]++, kStartMs + static_cast<int64_t>(frame / 10));
    }
    for (size_t member = 0; member < members; ++member) {
      last_ids_.emplace(std::pair(ConnectionOf(member), ClientOf(member)),
                        absl::StrCat(ConnectionOf(member), ":", serials[member] - 1, ":0"));
    }
    size_ = bytes_.size();
    bytes_.append(simdjson::SIMDJSON_PADDING, ' ');
  }

  size_t items() const { return items_; }
  size_t frames() const { return items_; }
  size_t lines() const { return items_ + 1; }
  // Padded, as simdjson wants it.
  std::string_view text() const { return std::string_view(bytes_).substr(0, size_); }
  // The id of each member's last message, by connection and client.
  const std::map<std::pair<std::string, std::string>, std::string>& last_ids() const {
    return last_ids_;
  }

 private:
  static std::string ConnectionOf(size_t member) {
    return absl::StrCat("cx", 10'000 + member, "Zq");
  }
  static std::string ClientOf(size_t member) { return absl::StrCat("user-", 10'000 + member); }

  void AppendLine(size_t member, uint64_t serial, int64_t now_ms) {
    constexpr size_t kLineBytes = 256;
    constexpr std::string_view kSays[] = {"online", "away", "typing", "busy"};
    const std::string connection = ConnectionOf(member);
    const size_t begin = bytes_.size();
    absl::StrAppend(&bytes_, R"({"t":)", now_ms, R"(,"recv":{"action":14,"id":")", connection, ":",
                    serial, R"(","channel":"my-room::$chat","connectionId":")", connection,
                    R"(","timestamp":)", now_ms, R"(,"presence":[{"action":)", serial == 0 ? 2 : 4,
                    R"(,"clientId":")", ClientOf(member), R"(","data":)");
    std::string data = absl::StrCat(R"({"status":")", AbslView(kSays[(member + serial) % 4]),
                                    R"(","step":)", serial);
    constexpr std::string_view kEnd = R"(,"encoding":"json"}]}})"
                                      "\n";
    // Four quotes and a brace, of which three quotes are escaped, and the two around all.
    constexpr std::string_view kMood = R"(,"mood":"")";
    const size_t so_far =
        bytes_.size() - begin + data.size() + 6 + kMood.size() + 4 + 1 + 2 + kEnd.size();
    if (so_far < kLineBytes) {
      absl::StrAppend(&data, R"(,"mood":")", std::string(kLineBytes - so_far, 'z'), R"(")");
    }
    data += '}';
    json::AppendString(data, bytes_);
    bytes_ += kEnd;
  }

  const size_t items_;
  std::string bytes_;
  size_t size_ = 0;
  std::map<std::pair<std::string, std::string>, std::string> last_ids_;
};

// The trace in a file, as long as this is there.
class TraceFile {
 public:
  explicit TraceFile(std::string_view text)
      : path_(std::filesystem::temp_directory_path() /
              absl::StrCat("replay_bench-", getpid(), ".jsonl")) {
    std::ofstream file(path_, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    Require(file.good(), "the file of the trace");
  }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  ~TraceFile() { std::filesystem::remove(path_); }

  std::string path() const { return path_.string(); }

 private:
  const std::filesystem::path path_;
};

struct Ended {
  double seconds = 0;  // of the processor's time, the system's included
  size_t lines = 0;    // that it wrote
};

// Runs `presence replay --output=FORM PATH`, whose output goes into a pipe that is read meanwhile.
Ended RunReplay(const std::string& form, const std::string& path) {
  std::string program = "tools/presence-of-any-commit";  // where `bazel run` and `bazel test` begin
  std::array<std::string, 4> words = {program, "replay", "--output=" + form, path};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2] = {-1, -1};
  Require(pipe2(ends, O_CLOEXEC) == 0, "a pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const bool started =
      posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  Require(started, "the start of presence");

  Ended ended;
  std::vector<char> buffer(size_t{1} << 16);
  for (;;) {
    const ssize_t got = read(ends[0], buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    ended.lines += static_cast<size_t>(std::count(buffer.data(), buffer.data() + got, '\n'));
  }
  close(ends[0]);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  Require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the program's end");
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  ended.seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return ended;
}

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
  void Write(const sim::ReplayOutput&) override { ++outputs_; }
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>,
                const Channel& channel) override {
    ++outputs_;
    Require(channel.members().size() == trace_.last_ids().size(), "the number of members");
    channel.members().ForEach([this](const Message& member) {
      const auto found = trace_.last_ids().find(
          {std::string(member.connection_id), std::string(member.client_id)});
      Require(found != trace_.last_ids().end() && found->second == member.id, "a member");
    });
    ended_ = true;
  }
  bool ended() const { return ended_; }
  size_t outputs() const { return outputs_; }

 private:
  const Trace& trace_;
  bool ended_ = false;
  size_t outputs_ = 0;
};

enum class Subject : uint8_t { kInMemory, kProgram, kProgramJsonl };

void BenchReplay(benchmark::State& state, Subject subject, size_t members, size_t frames) {
  const Trace trace(members, frames);
  simdjson::dom::parser parser;
  Require(ParseOnly(trace.text(), parser) == trace.lines(), "the number of objects");
  ResultChecker checker(trace);
  {
    sim::Replayer replayer(checker);
    Replay(trace.text(), replayer);
    Require(checker.ended() && replayer.items() == trace.items(), "the number of items");
  }
  const auto floor = [&] { return SecondsOf([&] { ParseOnly(trace.text(), parser); }); };
  Comparison comparison(state, trace.frames());
  if (subject == Subject::kInMemory) {
    return comparison.Run(floor, [&] {
      return SecondsOf([&] {
        sim::NoOutput output;
        sim::Replayer replayer(output);
        Replay(trace.text(), replayer);
      });
    });
  }
  const TraceFile file(trace.text());
  const std::string form = subject == Subject::kProgram ? "none" : "jsonl";
  const size_t lines = subject == Subject::kProgram ? 0 : checker.outputs();
  Require(RunReplay(form, file.path()).lines == lines, "the number of lines written");
  comparison.Run(floor, [&] { return RunReplay(form, file.path()).seconds; });
}

void RegisterAll(bool smoke) {
  const size_t members = smoke ? 5 : 10'000;
  const size_t frames = smoke ? 50 : 400'000;
  constexpr std::pair<std::string_view, Subject> kSubjects[] = {
      {"program", Subject::kProgram},
      {"program_jsonl", Subject::kProgramJsonl},
      {"in_memory", Subject::kInMemory}};
  for (const auto& [name, subject] : kSubjects) {
    Configure(
        benchmark::RegisterBenchmark(absl::StrCat("replay_", AbslView(name), "/", members).c_str(),
                                     [=, subject = subject](benchmark::State& state) {
                                       BenchReplay(state, subject, members, frames);
                                     }),
        smoke);
  }
}

}  // namespace
}  // namespace presence::bench

int main(int argc, char** argv) {
  return presence::bench::Main(argc, argv, presence::bench::RegisterAll);
}
