// A host and clients of this engine on ordered links, whatever happens to these: in the end every
// client has the host's set.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/host/room_world.h"

namespace presence {

std::ostream& operator<<(std::ostream& out, const RoomHost::Options& options) {
  return out << "page of " << options.sync_page_size << " each "
             << options.sync_page_interval.count() << " ms, grace " << options.grace_period.count()
             << " ms, batch of " << options.max_batch << " each " << options.batch_interval.count()
             << " ms";
}

namespace {

constexpr size_t kClients = 4;

struct Step {
  enum class Kind : uint8_t {
    kOperate,
    kToHost,
    kToClient,
    kWait,
    kClockBack,
    kOnline,
    kOffline,
    kClose,
    kAttach,
    kDetach,
    kDrain,
    kAttachAgain,
    kAskForSync,
    kPause,
  };
  Kind kind = Kind::kOperate;
  size_t client = 0;
  int what = 0;    // of an operation: its action
  int amount = 0;  // whom an operation is for, frames to deliver, milliseconds
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::string_view kNames[] = {
      "operate", "to_host", "to_client", "wait",  "clock_back",   "online",       "offline",
      "close",   "attach",  "detach",    "drain", "attach_again", "ask_for_sync", "pause"};
  return out << kNames[static_cast<size_t>(step.kind)] << " client=" << step.client
             << " what=" << step.what << " amount=" << step.amount;
}

rc::Gen<Step> GenStep() {
  using Kind = Step::Kind;
  return rc::gen::construct<Step>(rc::gen::weightedElement<Kind>({{20, Kind::kOperate},
                                                                  {12, Kind::kToHost},
                                                                  {12, Kind::kToClient},
                                                                  {8, Kind::kWait},
                                                                  {1, Kind::kClockBack},
                                                                  {6, Kind::kOnline},
                                                                  {4, Kind::kOffline},
                                                                  {2, Kind::kClose},
                                                                  {4, Kind::kAttach},
                                                                  {2, Kind::kDetach},
                                                                  {1, Kind::kDrain},
                                                                  {3, Kind::kAttachAgain},
                                                                  {3, Kind::kAskForSync},
                                                                  {3, Kind::kPause}}),
                                  rc::gen::inRange<size_t>(0, kClients), rc::gen::inRange(0, 3),
                                  rc::gen::inRange(0, 8));
}

rc::Gen<std::vector<Step>> GenSteps() {
  return rc::gen::resize(150, rc::gen::container<std::vector<Step>>(GenStep()));
}

rc::Gen<RoomHost::Options> GenOptions() {
  return rc::gen::map(rc::gen::tuple(rc::gen::element(1, 2, 3, 100), rc::gen::element(0, 5),
                                     rc::gen::element(0, 20, 200), rc::gen::element(0, 0, 7, 50),
                                     rc::gen::element(1, 3, 100)),
                      [](const std::tuple<int, int, int, int, int>& chosen) {
                        RoomHost::Options options;
                        options.sync_page_size = static_cast<size_t>(std::get<0>(chosen));
                        options.sync_page_interval = std::chrono::milliseconds(std::get<1>(chosen));
                        options.grace_period = std::chrono::milliseconds(std::get<2>(chosen));
                        options.batch_interval = std::chrono::milliseconds(std::get<3>(chosen));
                        options.max_batch = static_cast<size_t>(std::get<4>(chosen));
                        return options;
                      });
}

void Take(RoomWorld& world, const Step& step, int number) {
  using Kind = Step::Kind;
  RoomWorld::Client& client = world.client(step.client);
  switch (step.kind) {
    case Kind::kOperate: {
      constexpr PresenceAction kActions[] = {PresenceAction::kEnter, PresenceAction::kUpdate,
                                             PresenceAction::kLeave};
      const std::string name = "u" + std::to_string(step.amount % 5);
      const bool any = client.identity == "*";
      world.Operate(client, kActions[step.what],
                    any ? std::optional<std::string_view>(name) : std::nullopt,
                    step.amount % 2 == 0 ? "data " + std::to_string(number) : "");
      return;
    }
    case Kind::kToHost:
      for (int i = 0; i <= step.amount && world.DeliverToHost(client); ++i) {
      }
      return;
    case Kind::kToClient:
      for (int i = 0; i <= step.amount && world.DeliverToClient(client); ++i) {
      }
      return;
    case Kind::kWait:
      world.now += step.amount * step.amount * step.amount;
      world.Advance();
      return;
    case Kind::kClockBack:
      world.now -= 100;
      return;
    case Kind::kOnline:
      return world.GoOnline(client);
    case Kind::kOffline:
      return world.GoOffline(client);
    case Kind::kClose:
      return world.Close(client);
    case Kind::kAttach:
      return world.Attach(client);
    case Kind::kDetach:
      return world.Detach(client);
    case Kind::kDrain:
      return world.Drain();
    case Kind::kAttachAgain:
      return world.AttachAgain(client);
    case Kind::kAskForSync:
      return world.AskForSync(client);
    case Kind::kPause:
      return world.Pause(client);
  }
}

std::unique_ptr<RoomWorld> MakeWorld(const RoomHost::Options& options) {
  auto world = std::make_unique<RoomWorld>(options);
  for (const char* identity : {"*", "alice", "*"}) {
    world->Attach(world->Add(identity));
  }
  world->Attach(world->Add("bob", kFlagPresence));  // sees members of its own only
  static_assert(kClients == 4);
  return world;
}

RC_GTEST_PROP(HostAndClient, WhenAllHasArrivedEveryAttachedClientHasTheHostsSet, ()) {
  const RoomHost::Options options = *GenOptions();
  const std::vector<Step> steps = *GenSteps();
  const auto world = MakeWorld(options);
  uint64_t compared = 0;
  int number = 0;
  for (const Step& step : steps) {
    Take(*world, step, number++);
    if (step.kind == Step::Kind::kDrain) {
      RC_ASSERT(world->Problem() == "");
      ++compared;
    }
  }
  world->Drain();
  RC_ASSERT(world->Problem() == "");
  // Everybody comes back: nobody hangs, and nobody is left out.
  for (size_t i = 0; i < kClients; ++i) {
    world->GoOnline(world->client(i));
    world->Attach(world->client(i));
  }
  world->Drain();
  RC_ASSERT(world->Problem() == "");
  for (size_t i = 0; i < kClients; ++i) {
    RC_ASSERT(world->client(i).channel.state() == ChannelState::kAttached);
  }
  RC_CLASSIFY(world->pages_with_changes_between > 0, "changes between pages");
  RC_CLASSIFY(world->host().size() > 0, "members in the end");
  RC_CLASSIFY(world->host().stats().connections_expired > 0, "a grace period ended");
  RC_CLASSIFY(world->host().stats().frames_repeated > 0, "operations sent again");
  RC_CLASSIFY(compared > 0, "compared in between");
}

RC_GTEST_PROP(HostAndClient, WhoIsNotRefusedAnythingIsInTheRoomExactlyAsItBelieves, ()) {
  const RoomHost::Options options = *GenOptions();
  const std::vector<Step> steps = *GenSteps();
  const auto world = MakeWorld(options);
  int number = 0;
  for (const Step& step : steps) Take(*world, step, number++);
  for (size_t i = 0; i < kClients; ++i) {
    world->GoOnline(world->client(i));
    world->Attach(world->client(i));
  }
  world->Drain();
  RC_ASSERT(world->Problem() == "");
  bool somebody = false;
  for (size_t i = 0; i < kClients; ++i) {
    const RoomWorld::Client& client = world->client(i);
    if (client.refused > 0) continue;
    std::set<std::string> believed;
    client.channel.own_members().ForEach(
        [&](const Message& member) { believed.insert(std::string(member.client_id)); });
    std::set<std::string> present;
    world->host().members().ForEachOfConnection(client.connection_id, [&](const Message& member) {
      present.insert(std::string(member.client_id));
    });
    RC_ASSERT(believed == present);
    somebody |= !present.empty();
  }
  RC_CLASSIFY(somebody, "somebody is present");
}

}  // namespace
}  // namespace presence
