// What a server keeps and sends because somebody asked for it is bounded; a test for each bound.

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/session/server_harness.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kTooMany[] = R"({"action":6,"error":{"code":42910,"statusCode":429,)";

TEST(ServerBounds, ConnectionsLostOnesIncluded) {
  Server::Options options;
  options.max_connections = 2;
  ServerHarness h(options);
  h.Accept(1);
  h.Accept(2);
  h.Gone(1);
  EXPECT_THAT(h.Accept(3), ElementsAre(StartsWith(std::string("send 3 ") + kTooMany), "end 3"));
  EXPECT_EQ(h.server.transport_count(), 1u) << "what was refused is not kept";
  EXPECT_EQ(h.Resume(4, "k1")[0], "c1 resumed") << "that is no new one";
  EXPECT_EQ(h.server.stats().connections_refused, 1u);
}

TEST(ServerBounds, Transports) {
  Server::Options options;
  options.max_connections = 2;
  ServerHarness h(options);
  for (const TransportHandle transport : {TransportHandle{1}, TransportHandle{2}}) {
    h.Accept(transport);
    h.Say(transport, R"({"action":7})");
  }
  EXPECT_EQ(h.server.connection_count(), 0u);
  EXPECT_THAT(h.Accept(3), ElementsAre(StartsWith(std::string("send 3 ") + kTooMany), "end 3"))
      << "ended ones count until they are gone";
  h.Gone(1);
  EXPECT_EQ(h.Accept(4)[0], "c4 opened");
}

TEST(ServerBounds, RoomsAndChannelsOfAConnection) {
  Server::Options options;
  options.max_rooms = 3;
  options.max_channels = 2;
  ServerHarness h(options);
  h.Accept(1);
  h.Accept(2);
  h.Attach(1, "a");
  h.Attach(1, "b");
  EXPECT_THAT(
      h.Attach(1, "c"),
      ElementsAre(StartsWith(R"(send 1 {"action":9,"channel":"c","error":{"code":42910,)")));
  EXPECT_THAT(h.Attach(1, "b")[0], HasSubstr(R"("action":11)")) << "attached already";
  h.Attach(2, "c");
  EXPECT_THAT(
      h.Attach(2, "d"),
      ElementsAre(StartsWith(R"(send 2 {"action":9,"channel":"d","error":{"code":42910,)")));
  EXPECT_THAT(h.Attach(2, "a")[0], HasSubstr(R"("action":11)")) << "it is there already";
  EXPECT_EQ(h.server.room_count(), 3u);
  h.Say(2, R"({"action":12,"channel":"c"})");
  EXPECT_THAT(h.Attach(2, "d")[0], HasSubstr(R"("action":11)"));
}

// --- What transports have not taken ---

// Two connections; the room has a member with so much data for each page of a sync.
struct Slow : ServerHarness {
  explicit Slow(const Server::Options& options) : ServerHarness(WithSmallPages(options)) {
    Accept(1, "*");
    Attach(1, "room");
    for (int64_t i = 0; i < 5; ++i) {
      Enter(1, "room", i, "client" + std::to_string(i), std::string(1'000, 'd'));
      Take(1);
    }
    Accept(2);
    Take(2);
  }
  static Server::Options WithSmallPages(Server::Options options) {
    options.room.sync_page_size = 1;
    return options;
  }
  Lines Take(TransportHandle transport) {
    return Apply(BytesTaken{transport, server.unsent_bytes(transport)});
  }
  // Pages, by and by, until nothing is due.
  size_t Pages() {
    size_t pages = 0;
    while (NextMs() == 0) pages += LinesWith("send", AdvanceOnce()).size();
    return pages;
  }
  Lines AdvanceOnce() {
    Lines lines;
    ServerEffects effects;
    server.AdvanceTo(TimestampFromMs(now_ms), effects);
    for (const ServerEffect& effect : effects) lines.push_back(ServerLineOf(effect));
    EXPECT_EQ(server.CheckInvariants(), "");
    return lines;
  }
};

TEST(ServerBounds, PagesWaitForATransportThatIsTooFarBehindAndGoOnWhenItHasTakenHalf) {
  Server::Options options;
  options.unsent_pause = 2'000;
  Slow h(options);
  EXPECT_EQ(h.Attach(2, "room").size(), 2u) << "ATTACHED and the first page";
  EXPECT_EQ(h.Pages(), 1u) << "with the second page there is too much";
  EXPECT_GT(h.server.unsent_bytes(2), 2'000u);
  EXPECT_EQ(h.NextMs(), -1);
  EXPECT_EQ(h.server.stats().pages_paused, 1u);
  EXPECT_EQ(h.Enter(1, "room", 5, "client5").size(), 3u);
  EXPECT_THAT(SentTo(2, h.Enter(1, "room", 6, "client6")), ElementsAre(HasSubstr("client6")))
      << "all else is sent";
  h.Apply(BytesTaken{2, h.server.unsent_bytes(2) - 1'001});
  EXPECT_EQ(h.Pages(), 0u);
  h.Apply(BytesTaken{2, 1});
  EXPECT_EQ(h.Pages(), 1u);
  h.Take(2);
  EXPECT_EQ(h.Pages(), 2u) << "five members were there when the sync began";
}

TEST(ServerBounds, WhoAttachesTooFarBehindWaitsForItsFirstPage) {
  Server::Options options;
  options.unsent_pause = 10;
  Slow h(options);
  h.Attach(2, "other");
  EXPECT_EQ(h.Attach(2, "room").size(), 1u);
  EXPECT_EQ(h.Pages(), 0u);
  h.Take(2);
  EXPECT_EQ(h.Pages(), 1u);
}

TEST(ServerBounds, ATransportThatIsMuchTooFarBehindIsToBeDroppedAndSentNothingMore) {
  Server::Options options;
  options.unsent_drop = 2'000;
  Slow h(options);
  h.Attach(2, "other");
  EXPECT_EQ(LinesWith("drop", h.Attach(2, "room")), Lines{});
  const size_t unsent = h.server.unsent_bytes();
  EXPECT_THAT(h.AdvanceOnce(), ElementsAre(StartsWith("send 2 "), "drop 2"));
  EXPECT_LT(h.server.unsent_bytes(), unsent);
  EXPECT_EQ(SentTo(2, h.Enter(1, "room", 5, "client5")), Lines{});
  EXPECT_EQ(h.Say(2, R"({"action":0})"), Lines{});
  EXPECT_EQ(h.server.FindRoom("other")->attached_count(), 1u) << "not lost before its transport is";
  EXPECT_EQ(h.Apply(BytesTaken{2, 1}), Lines{});
  EXPECT_EQ(h.Gone(2), Lines{"c2 lost"});
  EXPECT_EQ(h.server.stats().transports_dropped, 1u);
  EXPECT_THAT(h.Resume(3, "k2")[0], "c2 resumed");
}

TEST(ServerBounds, ADroppedTransportIsNotToldToEnd) {
  Server::Options options;
  options.unsent_drop = 100;
  ServerHarness h(options);
  EXPECT_THAT(h.Accept(1), ElementsAre("c1 opened", StartsWith("send 1 "), "drop 1"));
  EXPECT_EQ(h.Say(1, R"({"action":7})"), Lines{"c1 closed"});
  EXPECT_EQ(h.Gone(1), Lines{});
}

TEST(ServerBounds, BeyondTheTotalTheTransportThatIsFurthestBehindIsToBeDropped) {
  Server::Options options;
  options.unsent_total = 10'000;
  Slow h(options);
  h.Attach(2, "room");
  h.Pages();
  h.Accept(3);
  EXPECT_GT(h.server.unsent_bytes(2), 5'000u);
  Lines lines;
  int64_t serial = 5;
  while (lines.empty()) {
    lines = LinesWith("drop", h.Enter(1, "room", serial++, "x", std::string(1'000, 'd')));
    h.Take(1);
  }
  EXPECT_EQ(lines, Lines{"drop 2"});
  EXPECT_LT(serial, 20) << "long before it alone is too far behind";
  EXPECT_LE(h.server.unsent_bytes(), 10'000u);
}

TEST(ServerBounds, AHeartbeatThatIsTooMuchIsTheLast) {
  Server::Options options;
  options.unsent_drop = 400;
  ServerHarness h(options);
  TransportAccepted accepted = h.Client(1);
  accepted.heartbeats = true;
  h.Apply(accepted);
  const Lines lines = h.Advance(1'000'000);
  EXPECT_EQ(lines.back(), "drop 1");
  EXPECT_EQ(h.NextMs(), -1);
}

TEST(ServerBounds, BytesTakenAreNoMoreThanWereSent) {
  ServerHarness h;
  h.Accept(1);
  h.ApplyRefused(BytesTaken{1, h.server.unsent_bytes(1) + 1}, absl::StatusCode::kInvalidArgument);
  h.Apply(BytesTaken{1, h.server.unsent_bytes(1)});
  EXPECT_EQ(h.server.unsent_bytes(), 0u);
}

TEST(ServerBounds, WhatIsSentAndNotTakenDecidesNothingElse) {
  // Two servers with the same inputs, of which one is told what is taken: the same members, the
  // same answers.
  Server::Options options;
  options.unsent_pause = 1'000;
  options.unsent_drop = 3'000;
  Slow told(options);
  Slow not_told(options);
  for (Slow* const h : {&told, &not_told}) {
    h->Attach(2, "room");
    for (int64_t i = 5; i < 20; ++i) {
      h->Enter(1, "room", i, "client" + std::to_string(i), std::string(500, 'd'));
      h->Enter(2, "room", i);
      h->Pages();
      if (h == &told) {
        h->Take(1);
        h->Take(2);
      }
    }
  }
  EXPECT_EQ(told.server.stats().transports_dropped, 0u);
  EXPECT_EQ(not_told.server.stats().transports_dropped, 2u);
  std::string members[2];
  for (Slow* const h : {&told, &not_told}) {
    h->server.FindRoom("room")->members().ForEach([&](const Message& member) {
      members[h == &told] += std::string(member.client_id) + std::string(member.id) + "\n";
    });
  }
  EXPECT_EQ(members[0], members[1]);
  EXPECT_NE(members[0], "");
  EXPECT_EQ(told.server.room_stats().frames_acked, not_told.server.room_stats().frames_acked);
}

}  // namespace
}  // namespace presence
