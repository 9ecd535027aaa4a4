// Faults on request, byte by byte: what the published clients hide.

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/serve/serve_process.h"
#include "tests/serve/websocket_client.h"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using FaultsTest = ServeProcess;

TEST_F(FaultsTest, ThereAreNoneUnlessAskedForAtTheStart) {
  Serve();
  EXPECT_THAT(Post("/faults", R"({"fault":"jump","ms":1})"), HasSubstr("404 Not Found"));
  EXPECT_THAT(Post("/faults", "{}"), HasSubstr("this server was started without --faults"));
}

TEST_F(FaultsTest, AreForProgramsOnThisMachine) {
  Serve({"--faults"});
  for (const char* const headers :
       {"Host: example.org", "Host: localhost\r\nOrigin: https://example.org",
        "Host: localhost\r\nX-Forwarded-For: 192.0.2.1"}) {
    for (const char* const method : {"POST", "DELETE"}) {
      WebSocketClient socket(port_);
      socket.SendBytes(std::string(method) + " /faults HTTP/1.1\r\n" + headers +
                       "\r\nContent-Length: 23\r\n\r\n{\"fault\":\"jump\",\"ms\":1}");
      EXPECT_THAT(socket.ReadToEnd(), HasSubstr("403 Forbidden")) << method << " " << headers;
    }
  }
}

TEST_F(FaultsTest, AConnectionIdSaysWhose) {
  Serve({"--faults"});
  auto one = Connect("alice");
  const std::string id = FieldOf(connected_, "connectionId");
  auto other = Attached("alice");
  EXPECT_THAT(Post("/faults", R"({"fault":"drop","connectionId":")" + id + R"("})"),
              HasSubstr(R"({"connections":1})"));
  EXPECT_TRUE(one->IsClosedUnanswered());
  Enter(*other);
}

TEST_F(FaultsTest, WhatWasDelayedComesBeforeWhatIsNotAnyMore) {
  Serve({"--faults"});
  auto alice = Connect("alice");
  Post("/faults", R"({"fault":"delay","clientId":"alice","ms":1000})");
  alice->SendText(R"({"action":0,"id":"first"})");
  Get("/time");  // it has come by then, most probably; if not, there is less to see
  Post("/faults", R"({"fault":"delay","clientId":"alice","ms":0})");
  alice->SendText(R"({"action":0,"id":"second"})");
  EXPECT_THAT(alice->Await(R"("action":0)").value_or(""), HasSubstr("first"));
  EXPECT_THAT(alice->Await(R"("action":0)").value_or(""), HasSubstr("second"));
}

TEST_F(FaultsTest, OfNobodyAreNotFound) {
  Serve({"--faults"});
  for (const char* const fault : {"drop", "silence"}) {
    EXPECT_THAT(Post("/faults", R"({"fault":")" + std::string(fault) + R"(","clientId":"bob"})"),
                HasSubstr("404 Not Found"));
  }
}

TEST_F(FaultsTest, ARefusalIsForItsRoomAndHasItsStatus) {
  Serve({"--faults"});
  auto alice = Attached("alice");
  alice->SendText(R"({"action":10,"channel":"other"})");
  ASSERT_TRUE(alice->Await(R"("action":11)").has_value());
  Post("/faults", R"({"fault":"refuse","code":42910,"statusCode":418,"room":"other"})");
  Enter(*alice);
  alice->SendText(
      R"({"action":14,"channel":"other","msgSerial":1,"presence":[{"action":2,"data":"hi"}]})");
  EXPECT_THAT(alice->Await(R"("action":2,)").value_or(""),
              HasSubstr(R"("code":42910,"statusCode":418)"));
}

TEST_F(FaultsTest, AreForgottenAndDelaysEndOnRequest) {
  Serve({"--faults"});
  auto alice = Attached("alice");
  Post("/faults", R"({"fault":"refuse","code":42910})");
  Post("/faults", R"({"fault":"delay","ms":3600000})");
  WebSocketClient socket(port_);
  socket.SendBytes("DELETE /faults HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(socket.ReadToEnd(), HasSubstr("204 No Content"));
  Enter(*alice);
}

TEST_F(FaultsTest, SaysWhatIsWrongWithABodyAndWhere) {
  Serve({"--faults"});
  for (const auto& [body, wrong] : {std::pair("", "there is no body"),
                                    {R"({"fault":"drop")", "something, at byte 16"},
                                    {"{'fault':'drop'}", "a key is not a string, at byte 2"},
                                    {R"({"fault":"refuse","code":"a"})", "such as 40160"}}) {
    const std::string answer = Post("/faults", body);
    EXPECT_THAT(answer, HasSubstr("400 Bad Request")) << body;
    EXPECT_THAT(answer, HasSubstr(wrong)) << body;
  }
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
  for (const char* const field :
       {R"("statusCode":"x")", R"("statusCode":1000)", R"("message":7)"}) {
    EXPECT_THAT(Post("/faults", R"({"fault":"refuse","code":40160,)" + std::string(field) + "}"),
                HasSubstr("400 Bad Request"))
        << field;
  }
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
  auto bob = Attached("bob");
  auto alice = Attached("alice");  // who is detached after he has left
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

// Killed as soon as each was answered, the server goes on as if it had not been.
TEST_F(FaultsTest, WhatTheyDidIsKeptOverAKill) {
  const std::string state = TestPath("faults.db");
  const auto serve_anew = [&] {
    if (server_ != nullptr) {
      server_->Signal(SIGKILL);
      server_->Wait();
    }
    Serve({"--faults", "--state=" + state, "--grace=20m"});
  };
  const auto members = [&] {
    return Get("/channels/room/presence?key=presence.development:not-a-secret");
  };
  serve_anew();
  auto alice = Attached("alice");
  Enter(*alice);
  auto bob = Attached("bob");
  Enter(*bob);
  EXPECT_THAT(Post("/faults", R"({"fault":"drop","clientId":"bob","resumable":false})"),
              HasSubstr("200 OK"));
  serve_anew();
  EXPECT_THAT(members(), AllOf(HasSubstr("alice"), Not(HasSubstr("bob"))));

  Post("/faults", R"({"fault":"refuse","code":40160})");
  auto carol = Attached("carol");
  carol->SendText(
      R"({"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2,"data":"hi"}]})");
  EXPECT_TRUE(carol->Await("40160").has_value());
  serve_anew();
  EXPECT_THAT(members(), AllOf(HasSubstr("alice"), Not(HasSubstr("carol"))));

  const auto now_ms = [&] {
    const std::string answer = Get("/time");
    return std::atoll(answer.c_str() + answer.rfind('[') + 1);
  };
  const int64_t before = now_ms();
  Post("/faults", R"({"fault":"jump","ms":600000})");
  EXPECT_GE(now_ms(), before + 600'000);
  serve_anew();
  EXPECT_GE(now_ms(), before + 600'000);
  EXPECT_THAT(members(), HasSubstr("alice"));
  Post("/faults", R"({"fault":"jump","ms":1200000})");
  // Her grace period is over, and that is found out by itself.
  while (members().find("alice") != std::string::npos) {
  }
  serve_anew();
  EXPECT_GE(now_ms(), before + 1'800'000);
  EXPECT_THAT(members(), Not(HasSubstr("alice")));

  auto dora = Attached("dora");
  Enter(*dora);
  Post("/faults", R"({"fault":"forget-room","room":"room"})");
  serve_anew();
  EXPECT_THAT(members(), Not(HasSubstr("dora")));
}

TEST_F(FaultsTest, SilenceIsNotEvenAPing) {
  Serve({"--faults", "--idle=500ms"});
  // On a busy machine she may have been lost before, as she answers no pings.
  std::unique_ptr<WebSocketClient> alice;
  std::string answer;
  while (answer.find(R"("connections":1)") == answer.npos) {
    alice = Connect("alice");
    answer = Post("/faults", R"({"fault":"silence"})");
  }
  alice->SendText(R"({"action":0,"id":"anybody?"})");
  alice->SendFrame(WebSocketClient::kPing, "");
  // Who is not silenced is pinged, and dropped if he answers none.
  WebSocketClient bob(port_);
  ASSERT_TRUE(bob.Upgrade(std::string(kDevelopmentKey) + "&clientId=bob"));
  EXPECT_TRUE(bob.IsClosedUnanswered());
  std::string metrics = Get("/metrics");
  while (metrics.find("\npresence_transports 2\n") != metrics.npos) metrics = Get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("\npresence_transports 1\n"));
}

}  // namespace
}  // namespace presence::testing
