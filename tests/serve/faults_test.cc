// Faults on request, byte by byte: what the published clients hide.

#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/serve/serve_process.h"
#include "tests/serve/websocket_client.h"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using FaultsTest = ServeProcess;

TEST_F(FaultsTest, ThereAreNoneUnlessAskedForAtTheStart) {
  Serve();
  EXPECT_THAT(Post("/faults", R"({"fault":"jump","ms":1})"), HasSubstr("404 Not Found"));
}

TEST_F(FaultsTest, AreNotKept) {
  const Finished finished =
      Command({"--faults", "--state=file"}).Program("tools/presence-serve").Run();
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("leave --state out"));
}

TEST_F(FaultsTest, AMisspelledFieldIsRefusedRatherThanMeantForAll) {
  Serve({"--faults"});
  auto alice = Attached("alice");
  const std::string answer = Post("/faults", R"({"fault":"drop","client":"bob"})");
  EXPECT_THAT(answer, HasSubstr("400 Bad Request"));
  EXPECT_THAT(answer, HasSubstr(R"(\"drop\" has no field \"client\")"));
  EXPECT_THAT(Post("/faults", R"({"fault":"jump","ms":1,"room":"a"})"),
              HasSubstr("400 Bad Request"));
  EXPECT_THAT(Post("/faults", R"({"fault":"drop","clientId":7})"), HasSubstr("400 Bad Request"));
  const std::string of_a_long_name =
      Post("/faults", R"({"fault":"drop",")" + std::string(65, 'x') + R"(":1})");
  EXPECT_THAT(of_a_long_name, HasSubstr("has no field of this name"));
  Enter(*alice);
}

TEST_F(FaultsTest, NoMoreThanAThousandWait) {
  Serve({"--faults"});
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_THAT(Post("/faults", R"({"fault":"refuse","code":1})"), HasSubstr("200 OK"));
  }
  EXPECT_THAT(Post("/faults", R"({"fault":"refuse","code":1})"), HasSubstr("42910"));
  WebSocketClient forget(port_);
  forget.SendBytes("DELETE /faults HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(forget.ReadToEnd(), HasSubstr("204"));
  auto alice = Attached("alice");
  Enter(*alice);
}

TEST_F(FaultsTest, APageThatComesAgainIsNotCountedAsSent) {
  Serve({"--faults", "--verbose"});
  auto alice = Attached("alice");
  Enter(*alice);
  Post("/faults", R"({"fault":"stale-page","clientId":"bob"})");
  auto bob = Attached("bob");
  EXPECT_TRUE(bob->Await(R"("action":16)").has_value());
  EXPECT_TRUE(bob->Await(R"("action":16)").has_value());
  alice->Vanish();
  bob->Vanish();
  server_->Signal(SIGTERM);
  EXPECT_THAT(server_->Wait().err, Not(HasSubstr("an input was refused")));
}

TEST_F(FaultsTest, OfAForgottenRoomNobodyIsToldWhoLeft) {
  Serve({"--faults", "--verbose"});
  auto alice = Attached("alice");
  auto bob = Attached("bob");
  Enter(*bob);
  EXPECT_TRUE(alice->Await(R"("action":14)").has_value());
  EXPECT_THAT(Post("/faults", R"({"fault":"forget-room","room":"room"})"),
              HasSubstr(R"("connections":2)"));
  const std::string next = alice->Await(R"("channel":"room")").value_or("");
  EXPECT_THAT(next, HasSubstr(R"("action":13)"));
  alice->Vanish();
  bob->Vanish();
  server_->Signal(SIGTERM);
  EXPECT_THAT(server_->Wait().err, Not(HasSubstr("an input was refused")));
}

TEST_F(FaultsTest, SilenceIsNotEvenAPing) {
  Serve({"--faults", "--idle=50ms"});
  auto alice = Connect("alice");
  Post("/faults", R"({"fault":"silence"})");
  alice->SendText(R"({"action":0,"id":"anybody?"})");
  alice->SendFrame(WebSocketClient::kPing, "");
  // Who is not silenced is pinged, and dropped if he answers none.
  auto bob = Connect("bob");
  EXPECT_TRUE(bob->IsClosedUnanswered());
  std::string metrics = Get("/metrics");
  while (metrics.find("\npresence_transports 2\n") != metrics.npos) metrics = Get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("\npresence_transports 1\n"));
}

}  // namespace
}  // namespace presence::testing
