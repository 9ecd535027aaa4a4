// How many operations a second a server on this machine acknowledges, asked over WebSockets: one at
// a time, and 1,000 at once.
//
//   serve_operations PORT [SECONDS]

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/serve/websocket_client.h"

namespace {

using presence::testing::WebSocketClient;
using Clock = std::chrono::steady_clock;

constexpr int kClients = 50;
constexpr int kEach = 20;  // at once

struct Client {
  std::unique_ptr<WebSocketClient> socket;
  std::string room;
  int64_t serial = 0;
};

void Send(Client& client) {
  client.socket->SendText(
      R"({"action":14,"channel":")" + client.room + R"(","msgSerial":)" +
      std::to_string(client.serial++) +
      R"(,"presence":[{"action":4,"data":"a status, as chat clients have it"}]})");
}

// Answers may come together: until this many are answered.
bool AwaitAnswers(Client& client, int count) {
  while (count > 0) {
    const std::optional<std::string> ack = client.socket->Await(R"({"action":1,)");
    if (!ack.has_value()) return false;
    const size_t at = ack->find(R"("count":)");
    count -= at == ack->npos ? 1 : std::atoi(ack->c_str() + at + 8);
  }
  return true;
}

// Asks of each of these so many at once, again and again.
double Measure(std::vector<Client>& clients, size_t of, int each, double seconds) {
  const Clock::time_point start = Clock::now();
  int64_t done = 0;
  double elapsed = 0;
  while (elapsed < seconds) {
    for (size_t i = 0; i < of; ++i) {
      for (int k = 0; k < each; ++k) Send(clients[i]);
    }
    for (size_t i = 0; i < of; ++i) {
      if (!AwaitAnswers(clients[i], each)) return -1;
    }
    done += static_cast<int64_t>(of) * each;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return static_cast<double>(done) / elapsed;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: serve_operations PORT [SECONDS]\n");
    return 2;
  }
  const auto port = static_cast<uint16_t>(std::atoi(argv[1]));
  const double seconds = argc > 2 ? std::atof(argv[2]) : 5;
  std::vector<Client> clients(kClients);
  for (int i = 0; i < kClients; ++i) {
    Client& client = clients[static_cast<size_t>(i)];
    client.room = "room" + std::to_string(i);
    client.socket = std::make_unique<WebSocketClient>(port);
    if (!client.socket->Upgrade("key=presence.development:not-a-secret&heartbeats=true&clientId=m" +
                                std::to_string(i)) ||
        !client.socket->SendText(R"({"action":10,"channel":")" + client.room +
                                 R"(","flags":65536})") ||
        !client.socket->Await(R"("action":11)").has_value()) {
      std::fprintf(stderr, "cannot connect to port %d\n", port);
      return 1;
    }
  }
  std::printf("one at a time: %8.0f operations/s\n", Measure(clients, 1, 1, seconds));
  std::printf("1,000 at once: %8.0f operations/s\n", Measure(clients, kClients, kEach, seconds));
  return 0;
}
