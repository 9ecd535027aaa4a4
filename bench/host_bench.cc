// One operation into a room of many connections: what a recipient costs, beside what it costs to
// append its handle to a vector.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "benchmark/benchmark.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/room_host.h"
#include "presence/message.h"
#include "presence/wire/host_frame.h"

namespace presence::bench {
namespace {

// Keeps the compiler from leaving out what makes `value`.
template <typename T>
void Use(T value) {
  benchmark::DoNotOptimize(value);
}

// A room with so many connections attached, the first of which has a member, and what the owner of
// a host does with what comes out: each frame is encoded, and its handles are appended to a list of
// what is to be sent.
class Room {
 public:
  explicit Room(size_t connections) {
    for (ConnectionHandle handle = 1; handle <= connections; ++handle) {
      Apply(ConnectionOpened{handle, absl::StrCat("connection-", handle), "user"});
      Apply(AttachRequest{handle});
    }
    Operate(PresenceAction::kEnter);
  }

  // An operation of the first connection.
  void Operate(PresenceAction action) {
    IncomingItem item;
    item.action = static_cast<int64_t>(action);
    item.payload.data_kind = DataKind::kString;
    item.payload.data = "forty bytes of what somebody has to say.";
    frames_ = 0;
    to_.clear();
    Apply(PresenceRequest{1, serial_++, std::span(&item, 1)});
  }

  // Of the last operation: frames that were broadcast, to whom, and the last of them.
  size_t frames() const { return frames_; }
  const std::vector<ConnectionHandle>& to() const { return to_; }
  const std::string& json() const { return json_; }

 private:
  void Apply(const HostInput& input) {
    Require(host_.Apply(TimestampFromMs(1), input, effects_).ok(), "a step of the host");
    for (const HostEffect& effect : effects_) {
      const auto* const broadcast = std::get_if<Broadcast>(&effect);
      if (broadcast == nullptr) continue;
      ++frames_;
      json_.clear();
      wire::AppendHostFrame("room", effect, json_);
      for (const ConnectionHandle handle : broadcast->to) to_.push_back(handle);
    }
  }

  RoomHost host_;
  HostEffects effects_;
  int64_t serial_ = 0;
  size_t frames_ = 0;
  std::vector<ConnectionHandle> to_;
  std::string json_;
};

void BenchBroadcast(benchmark::State& state, size_t connections, size_t operations) {
  Room large(connections);
  Room small(1);
  large.Operate(PresenceAction::kUpdate);
  Require(large.frames() == 1, "the number of frames");  // encoded once, for all
  Require(large.to().size() == connections, "the number of recipients");
  for (size_t i = 0; i < connections; ++i) Require(large.to()[i] == i + 1, "a recipient");
  small.Operate(PresenceAction::kUpdate);
  Require(small.to().size() == 1 && small.json() == large.json(), "the frame");

  std::vector<ConnectionHandle> appended;
  appended.reserve(connections);
  const auto floor = [&] {
    return SecondsOf([&] {
      for (size_t i = 0; i < operations; ++i) {
        appended.clear();
        for (ConnectionHandle handle = 2; handle <= connections; ++handle) {
          appended.push_back(handle);
          Use(appended.data());
        }
      }
    });
  };
  const auto seconds_of = [&](Room& room) {
    return SecondsOf([&] {
      for (size_t i = 0; i < operations; ++i) room.Operate(PresenceAction::kUpdate);
    });
  };
  // What the others cost: all but what an operation costs whoever is there.
  Comparison(state, operations * (connections - 1)).Run(floor, [&] {
    const double alone = seconds_of(small);
    return seconds_of(large) - alone;
  });
}

void RegisterAll(bool smoke) {
  const size_t connections = smoke ? 10 : 1'000;
  const size_t operations = smoke ? 10 : 20'000;
  Configure(benchmark::RegisterBenchmark(
                absl::StrCat("recipient/", connections).c_str(),
                [=](benchmark::State& state) { BenchBroadcast(state, connections, operations); }),
            smoke);
}

}  // namespace
}  // namespace presence::bench

int main(int argc, char** argv) {
  return presence::bench::Main(argc, argv, presence::bench::RegisterAll);
}
