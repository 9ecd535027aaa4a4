// The command line, the address and the clock.

#include "tools/serve/serve_options.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "tools/command.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/serve/listen_address.h"
#include "tools/serve/random_id.h"
#include "tools/serve/server_clock.h"

namespace presence::serve {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::variant<ServeOptions, std::string> Read(const std::vector<std::string>& arguments) {
  tools::CommandLine line;
  const auto wrong =
      tools::CommandLine::Parse(arguments, tools::FlagsOf(*tools::FindCommand("serve")), line);
  if (wrong.has_value()) return *wrong;
  return ReadServeOptions(line);
}
ServeOptions Good(const std::vector<std::string>& arguments) {
  const auto read = Read(arguments);
  if (const auto* const wrong = std::get_if<std::string>(&read)) ADD_FAILURE() << *wrong;
  return std::holds_alternative<ServeOptions>(read) ? std::get<ServeOptions>(read) : ServeOptions();
}
std::string Wrong(const std::vector<std::string>& arguments) {
  const auto read = Read(arguments);
  const auto* const wrong = std::get_if<std::string>(&read);
  return wrong == nullptr ? "nothing" : *wrong;
}

TEST(ServeOptionsTest, WithoutFlagsItIsForDevelopment) {
  const ServeOptions options = Good({});
  EXPECT_EQ(options.listen.text(), "127.0.0.1:0");
  EXPECT_TRUE(options.development_key);
  EXPECT_EQ(options.keys.all().size(), 1u);
  EXPECT_TRUE(Server::Validate(options.server).ok());
  EXPECT_NE(options.server.server_id, Good({}).server.server_id);
}

TEST(ServeOptionsTest, FlagsSetWhatTheyName) {
  const ServeOptions options = Good(
      {"--listen=[::1]:80", "--key=a:b", "--key=c:d", "--grace=3m", "--batch=20ms", "--resume=1m",
       "--idle=1s", "--max-connections=7", "--max-rooms=8", "--max-members=9", "--verbose"});
  EXPECT_EQ(options.listen.text(), "[::1]:80");
  EXPECT_FALSE(options.development_key);
  EXPECT_EQ(options.keys.all().size(), 2u);
  EXPECT_EQ(options.server.room.grace_period, milliseconds(180'000));
  EXPECT_GE(options.server.max_grace_period, milliseconds(180'000));
  EXPECT_EQ(options.server.room.batch_interval, milliseconds(20));
  EXPECT_EQ(options.server.connection_state_ttl, milliseconds(60'000));
  EXPECT_EQ(options.server.max_idle_interval, milliseconds(1'000));
  EXPECT_EQ(options.server.max_connections, 7u);
  EXPECT_EQ(options.server.max_rooms, 8u);
  EXPECT_EQ(options.server.room.max_members, 9u);
  EXPECT_TRUE(options.verbose);
  EXPECT_FALSE(options.record.has_value());
  const ServeOptions more =
      Good({"--max-channels=3", "--max-message=4", "--page=5", "--max-unsent-mib=6",
            "--max-grace=10m", "--max-members-mib=7", "--max-frame-kib=8", "--state=s.db",
            "--record=r", "--record-files=7", "--record-mib=8", "--record-file-mib=9",
            "--max-in-flight=10", "--max-client-unsent-kib=16"});
  EXPECT_EQ(more.server.max_channels, 3u);
  EXPECT_EQ(more.server.room.max_message_size, 4);
  EXPECT_EQ(more.server.room.sync_page_size, 5u);
  EXPECT_EQ(more.server.unsent_total, size_t{6} << 20);
  EXPECT_EQ(more.server.room.max_in_flight, 10u);
  EXPECT_EQ(more.server.unsent_drop, size_t{16} << 10);
  EXPECT_EQ(more.server.unsent_pause, size_t{2} << 10);
  EXPECT_EQ(options.server.unsent_pause, size_t{1} << 20) << "an eighth of 8 MiB";
  EXPECT_EQ(more.server.room.max_member_bytes, size_t{7} << 20);
  EXPECT_EQ(more.server.max_frame_size, size_t{8} << 10);
  EXPECT_EQ(more.server.max_grace_period, milliseconds(600'000));
  EXPECT_EQ(more.state, "s.db");
  ASSERT_TRUE(more.record.has_value());
  EXPECT_EQ(more.record->folder, "r");
  EXPECT_EQ(more.record->max_files, 7u);
  EXPECT_EQ(more.record->max_bytes, uint64_t{8} << 20);
  EXPECT_EQ(more.record->max_file_bytes, uint64_t{9} << 20);
  EXPECT_FALSE(options.sandbox);
  EXPECT_TRUE(Good({"--sandbox"}).sandbox);
}

TEST(ServeOptionsTest, SaysWhatIsWrong) {
  EXPECT_THAT(Wrong({"--listen=here"}), HasSubstr("not an address and a port"));
  EXPECT_THAT(Wrong({"--grace=long"}), HasSubstr("--grace=long: not a time"));
  EXPECT_THAT(Wrong({"--key=a"}), HasSubstr("--key: a key is NAME:SECRET"));
  EXPECT_THAT(Wrong({R"(--key=a:b:{"x")"}), HasSubstr(R"(such as {"lobby:*":)"));
  EXPECT_THAT(Wrong({"--key=a:b", "--key=a:c"}), HasSubstr("two keys are named a"));
  EXPECT_THAT(Wrong({"--listen=0.0.0.0:80"}), HasSubstr("give a --key"));
  EXPECT_EQ(Wrong({"--listen=0.0.0.0:80", "--key=a:b"}), "nothing");
}

TEST(ServeOptionsTest, WhoAsksForAPortIsToldWhereThatIsSaid) {
  for (const char* argument : {"--port=8080", "--host=127.0.0.1"}) {
    EXPECT_THAT(Wrong({argument}), HasSubstr("did you mean --listen?")) << argument;
  }
}

TEST(ServeOptionsTest, ABatchOfNoTimeIsNone) {
  for (const char* argument : {"--batch=0", "--batch=0ms", "--batch=0s"}) {
    EXPECT_EQ(Good({"--batch=20ms", argument}).server.room.batch_interval, milliseconds(0));
  }
  EXPECT_THAT(Wrong({"--grace=0ms"}), HasSubstr("not a time"));
}

TEST(ServeOptionsTest, ALineToPasteIntoAClientsOptions) {
  const ServeOptions options = Good({});
  EXPECT_EQ(WelcomeText(options, *ParseListenAddress("127.0.0.1:81")),
            "Presence is served at http://127.0.0.1:81\n"
            "The key is one for development, which everybody knows.\n"
            "Options of a client:\n"
            "  { key: 'presence.development:not-a-secret', clientId: 'alice', endpoint: "
            "'127.0.0.1', port: 81, tls: false }\n");
}

TEST(ServeOptionsTest, WhatIsPastedIsGoodInAnUrlAndInJavaScript) {
  const ServeOptions options = Good({R"(--key=a:it's\n)"});
  const std::string text = WelcomeText(options, *ParseListenAddress("[::1]:81"));
  EXPECT_THAT(text, HasSubstr("endpoint: '[::1]', port: 81"));
  EXPECT_THAT(text, HasSubstr(R"(key: 'a:it\'s\\n',)"));
}

TEST(ServeOptionsTest, OfAllAddressesClientsGetOneThatCanBeConnectedTo) {
  const ServeOptions options = Good({"--key=a:b"});
  const std::string four = WelcomeText(options, *ParseListenAddress("0.0.0.0:81"));
  EXPECT_THAT(four, HasSubstr("endpoint: '127.0.0.1', port: 81"));
  EXPECT_THAT(four, HasSubstr("other machines"));
  const std::string six = WelcomeText(options, *ParseListenAddress("[::]:81"));
  EXPECT_THAT(six, HasSubstr("endpoint: '[::1]', port: 81"));
  EXPECT_THAT(six, HasSubstr("other machines"));
  EXPECT_THAT(WelcomeText(options, *ParseListenAddress("10.0.0.1:81")),
              Not(HasSubstr("other machines")));
}

TEST(ServeOptionsTest, BoundsOfARecordWantARecord) {
  for (const std::string flag : {"record-files", "record-mib", "record-file-mib"}) {
    EXPECT_EQ(Wrong({"--" + flag + "=3"}), "--" + flag + " without --record means nothing") << flag;
  }
}

TEST(ListenAddressTest, KnowsAddressesAndWhichAreOfThisMachine) {
  for (const char* text : {"127.0.0.1:0", "127.9.9.9:65535", "localhost:1", "[::1]:1"}) {
    ASSERT_TRUE(ParseListenAddress(text).has_value()) << text;
    EXPECT_TRUE(ParseListenAddress(text)->is_loopback) << text;
  }
  for (const char* text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1"}) {
    ASSERT_TRUE(ParseListenAddress(text).has_value()) << text;
    EXPECT_FALSE(ParseListenAddress(text)->is_loopback) << text;
  }
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "::1:80",
                           "127.0.0.1:-1", "127.0.0.1:1x", "example.org:80", "[::1:80"}) {
    EXPECT_FALSE(ParseListenAddress(text).has_value()) << text;
  }
}

TEST(ServerClockTest, GoesOnFromTheWallClockByTheOther) {
  const ServerClock clock(TimestampFromMs(5'000), std::chrono::seconds(100));
  EXPECT_EQ(ToMs(clock.At(std::chrono::seconds(100))), 5'000);
  EXPECT_EQ(ToMs(clock.At(milliseconds(100'007))), 5'007);
  EXPECT_EQ(ToMs(clock.At(milliseconds(100'007) + std::chrono::nanoseconds(999'999))), 5'007);
}

TEST(ServerClockTest, NeverGoesBack) {
  const ServerClock clock;
  Timestamp last = clock.Now();
  for (int i = 0; i < 1'000; ++i) {
    const Timestamp now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ServerClockTest, GoesOnWhereItWasAheadOfTheWallClock) {
  const Timestamp wall = ServerClock().Now();
  EXPECT_GE(ServerClock(std::chrono::hours(1), Timestamp::min()).Now(),
            wall + std::chrono::hours(1));
  EXPECT_GE(ServerClock(milliseconds(0), wall + std::chrono::hours(2)).Now(),
            wall + std::chrono::hours(2));
}

TEST(RandomIdTest, GivesIdsThatTheServerTakesAndNoneTwice) {
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(RandomId(16));
  for (const std::string& id : ids) {
    EXPECT_EQ(id.size(), 16u);
    EXPECT_TRUE(Server::IsId(id));
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace
}  // namespace presence::serve
