// The program over real sockets: what its clients do wrong, and what becomes of the others. Nothing
// here depends on how long anything takes.

#include "tests/serve/serve_process.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/serve/websocket_client.h"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using std::string_view_literals::operator""sv;

constexpr char kProgram[] = "tools/presence-serve";

class ServeProcessTest : public ServeProcess {
 protected:
  // The number that /metrics tells under this name; -1: none.
  int64_t Metric(std::string_view name) {
    const std::string line = "\npresence_" + std::string(name) + " ";
    const std::string metrics = Get("/metrics");
    const size_t at = metrics.find(line);
    return at == metrics.npos ? -1 : std::atoll(metrics.c_str() + at + line.size());
  }
  // What all sockets together have not taken yet.
  int64_t UnsentBytes() { return Metric("unsent_bytes"); }
};

TEST_F(ServeProcessTest, ConnectsAClientAndSaysWhoItIs) {
  Serve();
  auto alice = Connect("alice");
  EXPECT_EQ(FieldOf(connected_, "clientId"), "alice");
  EXPECT_EQ(FieldOf(connected_, "connectionId").size(), 16u);
  EXPECT_EQ(FieldOf(connected_, "connectionKey").size(), 32u);
}

TEST_F(ServeProcessTest, ElsewhereThanAtTheRootThereIsNoWebSocket) {
  Serve();
  WebSocketClient client(port_);
  std::string request = WebSocketClient::UpgradeRequest(kDevelopmentKey);
  request.insert(request.find('?'), "chat");
  ASSERT_TRUE(client.SendBytes(request));
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("HTTP/1.1 404 Not Found"));
}

TEST_F(ServeProcessTest, SomebodyWhoEntersIsToldToAll) {
  Serve();
  auto alice = Attached("alice");
  auto bob = Attached("bob");
  Enter(*bob);
  EXPECT_THAT(alice->Await(R"("action":14)").value_or(""), HasSubstr(R"("clientId":"bob")"));
}

TEST_F(ServeProcessTest, AHandshakeByteByByteIsAHandshake) {
  Serve();
  WebSocketClient slow(port_);
  for (const char c : WebSocketClient::UpgradeRequest(kDevelopmentKey)) {
    ASSERT_TRUE(slow.SendBytes({&c, 1}));
  }
  EXPECT_THAT(slow.ReadHead(), HasSubstr("101 Switching Protocols"));
  EXPECT_TRUE(slow.Await(R"("action":4)").has_value());
}

// Each frame is encoded once for all; to compress it for each would cost more than all else.
TEST_F(ServeProcessTest, NothingIsCompressedThoughAClientOffersIt) {
  Serve();
  WebSocketClient browser(port_);
  std::string request = WebSocketClient::UpgradeRequest(kDevelopmentKey);
  request.insert(request.size() - 2,
                 "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
  ASSERT_TRUE(browser.SendBytes(request));
  const std::string head = browser.ReadHead();
  EXPECT_THAT(head, HasSubstr("101 Switching Protocols"));
  EXPECT_THAT(head, Not(HasSubstr("permessage-deflate")));
  EXPECT_TRUE(browser.Await(R"("action":4)").has_value());
}

TEST_F(ServeProcessTest, AMessageInPiecesIsAMessage) {
  Serve();
  auto alice = Connect("alice");
  alice->SendFrame(WebSocketClient::kText, R"({"action":10,)", false);
  alice->SendFrame(WebSocketClient::kPing, "between");
  for (const char c : std::string_view(R"("channel":"room")")) {
    alice->SendFrame(WebSocketClient::kContinuation, {&c, 1}, false);
  }
  alice->SendFrame(WebSocketClient::kContinuation, "}", true);
  EXPECT_THAT(alice->Await(R"("action":11)").value_or(""), HasSubstr(R"("channel":"room")"));
}

TEST_F(ServeProcessTest, WhatItHasNoUseForIsTakenAndNotSaidBack) {
  Serve();
  auto alice = Connect("alice", "&v=3&agent=ably-js%2F2.28.0&echo=false&whatever=1");
  // PUBLISH, SUBSCRIBE, ANNOTATION_PUBLISH, ANNOTATION_SUBSCRIBE.
  alice->SendText(R"({"action":10,"channel":"room","flags":6684672,)"
                  R"("params":{"rewind":"1","agent":"chat-js/1.4.0","occupancy":"metrics"}})");
  const std::string attached = alice->Await(R"("action":11)").value_or("");
  EXPECT_THAT(attached, HasSubstr(R"("flags":6684672)"));
  EXPECT_THAT(attached, Not(HasSubstr("params")));
  EXPECT_NE(FieldOf(attached, "channelSerial"), "") << "some clients wait for it";
}

TEST_F(ServeProcessTest, JsonIsInTextMessagesAndMessagePackInBinaryOnes) {
  constexpr std::string_view kPing = R"({"action":0,"id":"ping"})";
  constexpr std::string_view kPackedPing =
      "\x82\xa6"
      "action\0\xa2id\xa4ping"sv;
  Serve();
  for (const char* const format : {"", "&format=json", "&format=msgpack"}) {
    const bool packed = std::string(format).ends_with("msgpack");
    const int opcode = packed ? WebSocketClient::kBinary : WebSocketClient::kText;
    WebSocketClient client(port_);
    ASSERT_TRUE(client.Upgrade(std::string(kDevelopmentKey) + "&clientId=me" + format));
    EXPECT_TRUE(client.Await("connectionKey", opcode).has_value()) << format;
    client.SendFrame(opcode, packed ? kPackedPing : kPing);
    EXPECT_TRUE(client.Await("ping", opcode).has_value()) << format;
  }
}

TEST_F(ServeProcessTest, CredentialsThatAreNotGoodAreToldAsAnErrorOfTheConnection) {
  Serve();
  for (const char* query : {"", "key=presence.development:guess", "key=presence.development",
                            "key=other:not-a-secret", "access_token=abc"}) {
    WebSocketClient stranger(port_);
    ASSERT_TRUE(stranger.Upgrade(query)) << query;
    const std::string error = stranger.Await(R"("action":9)").value_or("");
    EXPECT_THAT(error, HasSubstr(R"("code":40101,"statusCode":401)")) << query;
    EXPECT_THAT(error, Not(HasSubstr("channel"))) << query;
    EXPECT_EQ(stranger.Await("").value_or("closed"), "closed") << query;
    EXPECT_TRUE(stranger.closed()) << query;
  }
}

TEST_F(ServeProcessTest, GarbageIsClosedAndHarmsNobodyElse) {
  Serve();
  auto alice = Connect("alice");
  {
    WebSocketClient garbage(port_);
    garbage.SendBytes("\x16\x03\x01 what is this\r\n\r\n");
    garbage.ReadToEnd();
  }
  {
    WebSocketClient garbage(port_);
    garbage.SendBytes("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x'));
    garbage.ReadToEnd();
  }
  {
    auto garbage = Connect("mallory");
    garbage->SendBytes("\xff\xff\xff\xff not a frame");
    garbage->ReadToEnd();
  }
  {
    auto garbage = Connect("mallory");
    garbage->SendText("no json");
    EXPECT_THAT(garbage->Await(R"("action":9)").value_or(""), HasSubstr(R"("code":40000)"));
    EXPECT_FALSE(garbage->Await("").has_value());
  }
  alice->SendText(R"({"action":0,"id":"still here"})");
  EXPECT_TRUE(alice->Await("still here").has_value());
}

TEST_F(ServeProcessTest, ABodyOf64KiBIsReadAndALargerOneIsRefused) {
  Serve();
  constexpr size_t kMost = size_t{64} << 10;
  EXPECT_THAT(Post("/nothing", std::string(kMost, 'x')), HasSubstr("404 Not Found"));
  for (const size_t bytes : {kMost + 1, 10 * kMost}) {
    EXPECT_THAT(Post("/nothing", std::string(bytes, 'x')),
                AllOf(HasSubstr("HTTP/1.1 413 "), HasSubstr("at most 65536 bytes of body")));
  }
}

// So that who sends all before he reads anything gets to read why it was refused.
TEST_F(ServeProcessTest, OfABodyThatIsRefusedAMebibyteIsTakenAndNoMore) {
  Serve();
  WebSocketClient socket(port_);
  socket.SendBytes(
      "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
  EXPECT_THAT(socket.ReadToEnd(), HasSubstr("HTTP/1.1 413 "));
  Get("/health");  // after which a socket that is not read from would be closed
  const std::string piece(size_t{10} << 10, 'x');
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(socket.SendBytes(piece)) << i;
  int taken = 0;
  while (taken < 10'000 && socket.SendBytes(piece)) ++taken;
  EXPECT_LT(taken, 10'000) << "of 10 KiB";
}

TEST_F(ServeProcessTest, WhatIsNoRequestIsRefused) {
  Serve();
  WebSocketClient socket(port_);
  socket.SendBytes("what is this\r\n\r\n");
  EXPECT_THAT(socket.ReadToEnd(),
              AllOf(HasSubstr("HTTP/1.1 400 "), HasSubstr("this is no request of HTTP/1.1")));
}

TEST_F(ServeProcessTest, AHeadOf16KiBIsReadAndALargerOneIsRefused) {
  Serve();
  const auto ask = [this](size_t bytes) {
    WebSocketClient socket(port_);
    socket.SendBytes("GET /nothing HTTP/1.1\r\nX: " + std::string(bytes, 'x') + "\r\n\r\n");
    return socket.ReadToEnd();
  };
  EXPECT_THAT(ask(16'000), HasSubstr("404 Not Found"));
  for (const size_t bytes : {17'000, 500'000}) {
    EXPECT_THAT(ask(bytes),
                AllOf(HasSubstr("HTTP/1.1 431 "), HasSubstr("at most 16384 bytes before")));
  }
}

TEST_F(ServeProcessTest, WhoDoesNotFinishARequestOrAnswerACloseIsDropped) {
  Serve({"--idle=10m"});
  WebSocketClient slow(port_);
  slow.SendBytes("GET / HTTP/1.1\r\nHost: local");
  auto deaf = Connect("deaf");
  deaf->SendText(R"({"action":7})");
  EXPECT_TRUE(deaf->Await(R"({"action":8)").has_value());
  EXPECT_TRUE(slow.IsClosedUnanswered());
  EXPECT_TRUE(deaf->IsClosedUnanswered());
}

// As the kernel counts it, in KiB.
long PeakMemory(pid_t pid) {
  const std::string status = ReadFile("/proc/" + std::to_string(pid) + "/status");
  const size_t at = status.find("VmHWM:");
  return at == status.npos ? -1 : std::atol(status.c_str() + at + 6);
}

TEST_F(ServeProcessTest, AHugeFrameIsRefusedAndNotKept) {
  Serve();
  auto mallory = Connect("mallory");
  const long before = PeakMemory(server_->pid());
  constexpr size_t kHuge = size_t{64} << 20;
  ASSERT_TRUE(mallory->SendBytes(WebSocketClient::FrameHead(WebSocketClient::kText, kHuge)));
  const std::string piece(size_t{1} << 20, 'x');
  // It may be closed before all of it is sent.
  for (size_t sent = 0; sent < kHuge && mallory->SendBytes(piece); sent += piece.size()) {
  }
  EXPECT_THAT(mallory->Await(R"("action":9)").value_or(""), HasSubstr(R"("code":40009)"));
  // With room for what a sanitizer holds back.
  EXPECT_LT(PeakMemory(server_->pid()) - before, 32 * 1024);
  EXPECT_TRUE(StillServes());
}

TEST_F(ServeProcessTest, WhoDoesNotReadIsDroppedAndTheOthersAreToldAll) {
  Serve();
  auto slow = Attached("slow", "", 4096);
  auto reader = Attached("reader");
  auto writer = Attached("writer");
  const std::string data(50'000, 'x');
  constexpr int kUpdates = 500;
  std::thread writing([&] {
    for (int i = 0; i < kUpdates; ++i) {
      writer->SendText(R"({"action":14,"channel":"room","msgSerial":)" + std::to_string(i) +
                       R"(,"presence":[{"action":4,"data":")" + std::to_string(i) + data +
                       R"("}]})");
      EXPECT_TRUE(writer->Await(R"("action":1,)").has_value());
    }
  });
  for (int i = 0; i < kUpdates; ++i) {
    EXPECT_TRUE(reader->Await(R"("data":")" + std::to_string(i) + "xx").has_value()) << i;
  }
  writing.join();
  EXPECT_TRUE(slow->IsClosedUnanswered());
}

// Heads of all three lengths, many at once, and pongs that come between them.
TEST_F(ServeProcessTest, WhatHasWaitedForASlowReaderComesWholeAndInItsOrder) {
  Serve();
  auto slow = Connect("slow", "&heartbeats=true", 4096);
  const auto id_of = [](int i) {
    const size_t length = i % 100 == 7 ? 70'000 : i % 3 == 0 ? 1'000 : 20;
    return std::to_string(i) + ":" + std::string(length, static_cast<char>('a' + i % 26));
  };
  std::atomic<bool> many_wait = false;
  std::thread saying([&] {
    constexpr int kPings = 500;
    for (int i = 0, pings = 0; pings < kPings; ++i) {
      if (!slow->SendText(R"({"action":0,"id":")" + id_of(i) + "\"}")) return;
      if (!many_wait) continue;
      // Not before, as a server that cannot write its pong need not read on.
      slow->SendFrame(WebSocketClient::kPing, "ping");
      ++pings;
    }
    slow->SendText(R"({"action":0,"id":"last"})");
  });
  // The sockets' buffers are full, and as much waits as takes several writes.
  while (UnsentBytes() < 500'000) std::this_thread::yield();
  many_wait = true;
  bool is_whole = true;
  int got = 0;
  while (is_whole) {
    const std::string id = FieldOf(slow->Await(R"("id")").value_or(""), "id");
    if (id == "last") break;
    is_whole = id == id_of(got);
    ++got;
  }
  EXPECT_TRUE(is_whole) << "of " << got;
  if (!is_whole) slow->Vanish();
  saying.join();
  ASSERT_TRUE(is_whole);
  slow->SendFrame(WebSocketClient::kPing, "the last");
  EXPECT_TRUE(slow->Await("the last", WebSocketClient::kPong).has_value());
  // A client is dropped for what it does not take, so what it has taken must not count.
  EXPECT_EQ(UnsentBytes(), 0);
}

// Who reads, if slowly, must not look as if he took nothing until all that was gathered has gone.
TEST_F(ServeProcessTest, LargeMessagesAreToldBackOneByOne) {
  Serve();
  auto slow = Connect("slow", "&heartbeats=true", 4096);
  const std::string message =
      R"({"action":0,"id":")" + std::string(150'000, 'a') + R"("})";  // 32 would be 4.8 MB
  int64_t waiting = 0;
  while (UnsentBytes() < 6'000'000) {
    ASSERT_TRUE(slow->SendText(message));
    ++waiting;
    // One after the other, so that no more wait than are wanted.
    while (Metric("frames_received_total") < waiting) std::this_thread::yield();
  }
  slow->SendText(R"({"action":0,"id":"last"})");
  const auto is_taken_to = [&](int64_t most) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (UnsentBytes() > most) {
      if (std::chrono::steady_clock::now() > give_up) return false;
    }
    return true;
  };
  for (; waiting > 0; --waiting) {
    const std::string got = slow->Await(R"("id")").value_or("");
    ASSERT_GT(got.size(), 150'000u);
    const int64_t rest = waiting * static_cast<int64_t>(got.size());
    ASSERT_TRUE(is_taken_to(rest)) << waiting << " wait";
  }
  EXPECT_TRUE(slow->Await("last").has_value());
}

TEST_F(ServeProcessTest, WhoAnswersNoPingIsLost) {
  // Long, since who answers must come to it in time on a busy machine, too.
  Serve({"--idle=2s", "--grace=5m"});
  auto silent = Connect("silent");
  auto answers = Attached("answers");
  std::thread until_lost([&] {
    EXPECT_TRUE(silent->IsClosedUnanswered());
    Enter(*Attached("next"));
  });
  EXPECT_TRUE(answers->Await(R"("clientId":"next")").has_value()) << "who answers is not lost";
  until_lost.join();
  EXPECT_GT(answers->pings(), 0);
}

TEST_F(ServeProcessTest, WhoAskedForHeartbeatsGetsThemAndNoPings) {
  Serve({"--idle=50ms"});
  auto browser = Connect("browser", "&heartbeats=true");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(browser->Await(R"({"action":0)").has_value());
  EXPECT_EQ(browser->pings(), 0);
}

// The sockets of a process, as numbers of its own.
std::vector<int> SocketsOf(pid_t pid) {
  std::vector<int> sockets;
  const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone).string().starts_with("socket:")) {
      sockets.push_back(std::stoi(entry.path().filename().string()));
    }
  }
  return sockets;
}

TEST_F(ServeProcessTest, WhatIsNotAcknowledgedEndsASocketAfterTwoIdleIntervals) {
  Serve({"--idle=7s"});
  auto browser = Connect("browser", "&heartbeats=true");
  const int process = static_cast<int>(syscall(SYS_pidfd_open, server_->pid(), 0));
  if (process < 0) GTEST_SKIP() << "this system does not let one look into another process";
  int connections = 0;
  for (const int number : SocketsOf(server_->pid())) {
    const int copy = static_cast<int>(syscall(SYS_pidfd_getfd, process, number, 0));
    if (copy < 0 && errno == EPERM) {
      close(process);
      GTEST_SKIP() << "this system does not let one look into another process";
    }
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(copy, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        peer.sin_family == AF_INET) {
      unsigned ms = 0;
      size = sizeof ms;
      EXPECT_EQ(getsockopt(copy, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &size), 0);
      EXPECT_EQ(ms, 14'000u);
      ++connections;
    }
    close(copy);
  }
  close(process);
  EXPECT_EQ(connections, 1);
}

TEST_F(ServeProcessTest, WhoComesBackInTimeWasNeverGone) {
  Serve({"--grace=5m"});
  auto alice = Attached("alice");
  auto bob = Attached("bob");
  const std::string key = FieldOf(connected_, "connectionKey");
  const std::string id = FieldOf(connected_, "connectionId");
  Enter(*bob);
  ASSERT_TRUE(alice->Await(R"("clientId":"bob")").has_value());
  bob->Vanish();
  bob = Connect("bob", "&resume=" + key);
  EXPECT_EQ(FieldOf(connected_, "connectionId"), id);
  EXPECT_EQ(FieldOf(connected_, "connectionKey"), key);
  bob->SendText(R"({"action":10,"channel":"room"})");
  ASSERT_TRUE(bob->Await(R"("action":11)").has_value());
  bob->SendText(
      R"({"action":14,"channel":"room","msgSerial":1,"presence":[{"action":4,"data":"back"}]})");
  const std::string next = alice->Await(R"("action":14)").value_or("");
  EXPECT_THAT(next, HasSubstr(R"("data":"back")"));
}

TEST_F(ServeProcessTest, WhoDoesNotComeBackHasLeft) {
  Serve({"--grace=100ms"});
  auto alice = Attached("alice");
  auto bob = Attached("bob");
  Enter(*bob);
  ASSERT_TRUE(alice->Await(R"("clientId":"bob")").has_value());
  bob->Vanish();
  const std::string left = alice->Await(R"("action":14)").value_or("");
  EXPECT_THAT(left, HasSubstr(R"("action":3)"));
  EXPECT_THAT(left, HasSubstr(R"("clientId":"bob")"));
}

TEST_F(ServeProcessTest, ACloseHandshakeIsAnsweredAndIsALossNotALeave) {
  Serve({"--grace=5m"});
  auto bob = Attached("bob");
  const std::string key = FieldOf(connected_, "connectionKey");
  // 1000 done, 1001 going away, 1011 an error, 4000 a program's own, none.
  for (const std::string_view code :
       {"\x03\xe8"sv, "\x03\xe9"sv, "\x03\xf3"sv, "\x0f\xa0"sv, ""sv}) {
    bob->SendFrame(WebSocketClient::kClose, code);
    EXPECT_FALSE(bob->Await("").has_value());
    EXPECT_TRUE(bob->closed());
    bob = Connect("bob", "&resume=" + key);
    EXPECT_EQ(FieldOf(connected_, "connectionKey"), key);
  }
}

// A close that is answered is followed by the end of the socket; here it is not.
TEST_F(ServeProcessTest, WhoClosesButNotItsSocketIsDroppedAndHarmsNobody) {
  Serve();
  auto half = Connect("half");
  half->SendText(R"({"action":7})");
  EXPECT_TRUE(half->Await(R"({"action":8)").has_value());
  half->SendFrame(WebSocketClient::kClose, "\x03\xe8");
  while (Get("/metrics").find("\npresence_transports 0\n") == std::string::npos) {
    ASSERT_FALSE(server_->EndsWithin(0));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(StillServes());
}

TEST_F(ServeProcessTest, AtTheEndEverybodyIsToldAndItEndsWell) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Serve();
    auto alice = Connect("alice");
    server_->Signal(signal);
    EXPECT_THAT(alice->Await(R"("action":6)").value_or(""),
                HasSubstr(R"("code":80003,"statusCode":503)"));
    EXPECT_FALSE(alice->Await("").has_value());
    EXPECT_TRUE(alice->closed());
    alice->Vanish();
    EXPECT_EQ(server_->Wait().status, 0) << signal;
  }
}

TEST_F(ServeProcessTest, ItMayHaveAsManySocketsAsTheSystemAllows) {
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  rlimit few = usual;
  few.rlim_cur = 200;
  ASSERT_LT(few.rlim_cur, few.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  Serve();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
  rlimit of_server{};
  ASSERT_EQ(prlimit(server_->pid(), RLIMIT_NOFILE, nullptr, &of_server), 0);
  EXPECT_EQ(of_server.rlim_cur, usual.rlim_max);
}

TEST_F(ServeProcessTest, AnswersOverHttp) {
  Serve();
  EXPECT_THAT(Get("/health"), HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(Get("/"), HasSubstr("A presence server."));
  EXPECT_THAT(Get("/nothing"), HasSubstr("HTTP/1.1 404 Not Found"));
  EXPECT_THAT(Get("/time"), HasSubstr("\r\nConnection: close\r\n")) << "it answers one request";
}

TEST_F(ServeProcessTest, TellsWhatHappensIfAsked) {
  Serve({"--verbose"});
  auto alice = Attached("alice");
  Enter(*alice);
  const std::string id = FieldOf(connected_, "connectionId");
  server_->Signal(SIGTERM);
  EXPECT_THAT(server_->Wait().err, HasSubstr("room: alice (" + id + ") entered"));
}

TEST(ServeProgram, TheKeyThatEverybodyKnowsIsForThisMachineOnly) {
  const Finished finished = Command({"--listen=0.0.0.0:0"}).Program(kProgram).Run();
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("give a --key"));
}

TEST_F(ServeProcessTest, WhoseAddressIsTakenIsToldWhatToDo) {
  Serve();
  const Finished finished =
      Command({"--listen=127.0.0.1:" + std::to_string(port_)}).Program(kProgram).Run();
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("choose another port"));
}

TEST(ServeProgram, IsStartedByTheCommandThatItLiesBeside) {
  const Finished finished = Command({"serve", "--listen=0.0.0.0:0"}).Run();
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("presence: serve: --listen=0.0.0.0:0"));
}

TEST(ServeProgram, ExplainsItselfAndWhatIsWrong) {
  EXPECT_THAT(Command({"--help"}).Program(kProgram).Run().out, HasSubstr("--listen"));
  const Finished finished = Command({"--lisen=1"}).Program(kProgram).Run();
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("did you mean --listen?"));
}

}  // namespace
}  // namespace presence::testing
