// A server exported and restored: it goes on as the exported one does once all its transports are
// gone, and refuses what contradicts itself.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/host/server_snapshot.h"
#include "presence/wire/snapshot.h"
#include "tests/session/server_harness.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Server::Options Small() {
  Server::Options options;
  options.room.sync_page_size = 1;
  options.room.batch_interval = std::chrono::milliseconds(50);
  return options;
}

// Connections of every kind: c1 attached with a sync that runs, c2 lost in grace, c3 lost beyond
// it, c4 connected and nowhere.
void Fill(ServerHarness& h) {
  h.Accept(3, "*");
  h.Attach(3, "hall");
  h.Enter(3, "hall", 7, "ann");
  h.Gone(3);
  h.Advance(20'000);
  h.Accept(1, "*");
  h.Attach(1, "room");
  for (int64_t i = 0; i < 3; ++i) h.Enter(1, "room", i, "client" + std::to_string(i), "data");
  h.Enter(1, "room", 3);
  h.Accept(2, "bob");
  h.Attach(2, "room");
  h.Enter(2, "room", 0);
  h.Attach(2, "hall");
  h.Gone(2);
  h.Accept(4);
  h.Attach(1, "room");
}

// What happens afterwards, as lines.
Lines GoOn(ServerHarness& h) {
  Lines all;
  const auto note = [&](Lines lines) { all.insert(all.end(), lines.begin(), lines.end()); };
  note(h.Advance(1'000));
  note(h.Resume(11, "k1", "*"));
  note(h.Attach(11, "room"));
  for (int64_t i = 0; i < 5; ++i) {
    note(h.Enter(11, "room", i, i == 3 ? "" : "client" + std::to_string(i), "data"));
  }
  note(h.Resume(12, "k2", "bob"));
  note(h.Attach(12, "room"));
  note(h.Attach(12, "hall"));
  note(h.Resume(13, "k3", "*"));
  note(h.Attach(13, "hall"));
  note(h.Accept(15));
  note(h.Attach(15, "new"));
  note(h.Enter(15, "new", 0));
  note(h.Advance(500'000));
  note(h.Resume(14, "k4"));
  return all;
}

TEST(ServerExport, ARestoredServerDoesWhatTheOtherDoesOnceItsTransportsAreGone) {
  ServerHarness h(Small());
  Fill(h);
  const ServerSnapshot snapshot = h.server.Export();
  EXPECT_EQ(snapshot, h.server.Export());
  auto restored = Server::Restore(TimestampFromMs(h.now_ms), Small(), snapshot);
  ASSERT_TRUE(restored.ok()) << restored.status();
  for (const TransportHandle transport : {TransportHandle{1}, TransportHandle{4}})
    h.Gone(transport);
  EXPECT_EQ((*restored)->Export(), h.server.Export());
  EXPECT_EQ((*restored)->stats().connections_lost, 0u);
  EXPECT_EQ((*restored)->lost_count(), 4u);

  ServerHarness other(Small(), *std::move(restored));
  other.now_ms = h.now_ms;
  const Lines lines = GoOn(h);
  EXPECT_GT(lines.size(), 30u);
  EXPECT_EQ(GoOn(other), lines);
  EXPECT_EQ(other.server.Export(), h.server.Export());
}

TEST(ServerExport, AReplicaThatTakesTheSameInputsIsTheSameWithItsTransports) {
  ServerHarness h(Small());
  Fill(h);
  h.Resume(5, "k2", "bob");
  h.Say(4, R"({"action":17,"auth":{"accessToken":"t"}})");
  h.Apply(CredentialsRefused{4});
  const ServerSnapshot snapshot = h.server.ExportWithTransports();
  EXPECT_THAT(snapshot.transports, ::testing::SizeIs(3)) << "one was ended and is not gone";
  auto replica = Server::Replicate(Small(), snapshot);
  ASSERT_TRUE(replica.ok()) << replica.status();
  EXPECT_EQ((*replica)->ExportWithTransports(), snapshot);
  ServerHarness other(Small(), *std::move(replica));
  other.now_ms = h.now_ms;
  for (ServerHarness* const each : {&h, &other}) {
    each->Attach(5, "room");
    each->Enter(1, "room", 4, "dora");
    each->Advance(16'000);
    each->Gone(4);
    each->Accept(6);
    each->Attach(6, "room");
    each->Enter(6, "room", 0);
  }
  EXPECT_EQ(other.server.ExportWithTransports(), h.server.ExportWithTransports());
}

TEST(ServerExport, TransportsThatContradictConnectionsAreRefused) {
  ServerHarness h(Small());
  Fill(h);
  const ServerSnapshot good = h.server.ExportWithTransports();
  ASSERT_EQ(good.transports.size(), 2u);
  const auto refused = [&](std::function<void(ServerSnapshot&)> change) {
    ServerSnapshot bad = good;
    change(bad);
    EXPECT_EQ(Server::Replicate(Small(), bad).status().code(), absl::StatusCode::kInvalidArgument);
  };
  refused([](ServerSnapshot& s) { s.transports.clear(); });
  refused([](ServerSnapshot& s) { s.transports[0].connection = 99; });
  refused([](ServerSnapshot& s) { s.transports[0].connection = 0; });
  refused([](ServerSnapshot& s) { s.transports[1] = s.transports[0]; });
  refused([](ServerSnapshot& s) { s.transports[1].handle = s.transports[0].handle; });
  refused([](ServerSnapshot& s) { s.transports[0].permissions.resize(1025); });
}

TEST(ServerExport, WhoHadATransportIsLostAtTheMomentOfTheRestore) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Advance(1'000);
  auto restored = Server::Restore(TimestampFromMs(h.now_ms + 60'000), {}, h.server.Export());
  ASSERT_TRUE(restored.ok());
  ServerHarness later({}, *std::move(restored));
  later.now_ms = h.now_ms + 60'000;
  EXPECT_EQ(later.NextMs(), 15'000);
  EXPECT_EQ(later.Advance(120'000), (Lines{"room: leave me of c1", "c1 expired"}));
}

TEST(ServerExport, NewRoomsHaveOtherIdsThanThoseBefore) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Say(1, R"({"action":7})");
  auto restored = Server::Restore(TimestampFromMs(h.now_ms), {}, h.server.Export());
  ServerHarness other({}, *std::move(restored));
  other.Accept(2);
  EXPECT_THAT(other.Attach(2, "room"), ElementsAre(HasSubstr(R"("channelSerial":"server-2-)")));
}

TEST(ServerExport, AsTextNothingIsLostAndNoDamageGoesUnnoticed) {
  ServerHarness h(Small());
  Fill(h);
  ServerSnapshot snapshot = h.server.Export();
  snapshot.rooms[0].name += '\xff';
  std::string text;
  wire::AppendSnapshot(snapshot, text);
  const auto read = wire::ParseServerSnapshot(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, snapshot);
  EXPECT_FALSE(wire::ParseSnapshot(text).ok()) << "it is not one of a room";
  for (size_t i = 0; i < text.size(); ++i) {
    for (const int bit : {0, 4, 7}) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_FALSE(wire::ParseServerSnapshot(damaged).ok()) << i;
    }
    EXPECT_FALSE(wire::ParseServerSnapshot(text.substr(0, i)).ok()) << i;
  }
}

TEST(ServerExport, WhatContradictsItselfIsRefused) {
  ServerHarness h(Small());
  Fill(h);
  const ServerSnapshot good = h.server.Export();
  ASSERT_EQ(good.connections.size(), 4u);
  ASSERT_EQ(good.rooms.size(), 2u);
  ASSERT_FALSE(good.connections[1].refusals.empty());
  const auto refused = [&](const char* what, std::function<void(ServerSnapshot&)> change,
                           Server::Options options = Small()) {
    ServerSnapshot bad = good;
    change(bad);
    const auto restored = Server::Restore(TimestampFromMs(h.now_ms), options, bad);
    EXPECT_EQ(restored.status().code(), absl::StatusCode::kInvalidArgument) << what;
    EXPECT_FALSE(restored.status().message().empty()) << what;
  };
  using S = ServerSnapshot;
  refused("count", [](S& s) { s.last_connection = uint64_t{1} << 63; });
  refused("count", [](S& s) { s.last_room = uint64_t{1} << 63; });
  refused("fewer were made", [](S& s) { s.last_connection = 3; });
  refused("fewer were made", [](S& s) { s.last_room = 1; });
  refused("time", [](S& s) { s.server_time = Timestamp::max(); });
  refused("a room is ahead", [](S& s) { s.server_time -= std::chrono::milliseconds(1); });
  refused("order", [](S& s) { std::swap(s.connections[0], s.connections[1]); });
  refused("order", [](S& s) { std::swap(s.rooms[0], s.rooms[1]); });
  refused("id", [](S& s) { s.connections[3].id = "a:b"; });
  refused("key", [](S& s) { s.connections[3].key = ""; });
  refused("same id", [](S& s) { s.connections[3].id = s.connections[0].id; });
  refused("same key", [](S& s) { s.connections[3].key = s.connections[0].key; });
  refused("client", [](S& s) { s.connections[3].client_id.resize(Server::kMaxIdentity + 1); });
  refused("grace", [](S& s) { s.connections[3].grace_period = std::chrono::milliseconds(-1); });
  refused("grace", [](S& s) { s.connections[3].grace_period = std::chrono::milliseconds::max(); });
  refused("serial", [](S& s) { s.connections[3].last_serial = -2; });
  refused("refusal", [](S& s) { s.connections[1].last_serial = 2; });
  refused("causes", [](S& s) {
    SharedError cause;
    for (size_t i = 0; i <= kMaxCauses; ++i) {
      cause = std::make_shared<const ErrorInfo>(ErrorInfo{1, 1, "", cause});
    }
    s.connections[1].refusals[0].error.cause = cause;
  });
  refused("grace without rooms", [](S& s) {
    s.connections[3].lost = S::Lost{s.server_time, s.server_time};
  });
  refused("another grace",
          [](S& s) { *s.connections[2].lost->grace_until += std::chrono::hours(1); });
  refused("no grace", [](S& s) { s.connections[2].lost->grace_until.reset(); });
  refused("not lost", [](S& s) { s.connections[2].lost.reset(); });
  refused("lost", [](S& s) { s.connections[1].lost = S::Lost{s.server_time, std::nullopt}; });
  refused("unknown connection", [](S& s) { s.connections.erase(s.connections.begin() + 1); });
  refused("another id", [](S& s) { s.connections[1].id = "other"; });
  refused("another client", [](S& s) { s.connections[1].client_id = "other"; });
  refused("name", [](S& s) { s.rooms[0].name = ":"; });
  refused("same name", [](S& s) { s.rooms[0].name = s.rooms[1].name; });
  refused("empty room", [](S& s) { s.rooms[0].room = RoomSnapshot(); });
  refused("a room that contradicts itself", [](S& s) { s.rooms[0].room.last_joined = 0; });
  const auto bounded = [&](std::function<void(Server::Options&)> change) {
    Server::Options options = Small();
    change(options);
    refused(
        "bounds", [](S&) {}, options);
  };
  bounded([](auto& o) { o.max_connections = 3; });
  bounded([](auto& o) { o.max_rooms = 1; });
  bounded([](auto& o) { o.max_channels = 1; });
}

}  // namespace
}  // namespace presence
