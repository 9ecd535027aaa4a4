#include "tests/serve/serve_process.h"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace presence::testing {

void ServeProcess::Serve(std::vector<std::string> flags) {
  server_ = std::make_unique<Command>(std::move(flags));
  server_->Program("tools/presence-serve");
  server_->Start();
  while (PortSaid() == 0 && !server_->EndsWithin(0)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  port_ = PortSaid();
  ASSERT_NE(port_, 0);
}

uint16_t ServeProcess::PortSaid() const {
  constexpr std::string_view kBefore = "port: ";
  const std::string out = server_->OutputSoFar();
  const size_t at = out.find(kBefore);
  return at == out.npos ? 0 : static_cast<uint16_t>(std::atoi(out.c_str() + at + kBefore.size()));
}

std::unique_ptr<WebSocketClient> ServeProcess::Connect(const std::string& client,
                                                       const std::string& more,
                                                       int receive_buffer) {
  auto socket = std::make_unique<WebSocketClient>(port_, receive_buffer);
  EXPECT_TRUE(socket->Upgrade(std::string(kDevelopmentKey) + "&clientId=" + client + more));
  const std::optional<std::string> connected = socket->Await(R"("action":4)");
  EXPECT_TRUE(connected.has_value());
  connected_ = connected.value_or("");
  return socket;
}

std::unique_ptr<WebSocketClient> ServeProcess::Attached(const std::string& client,
                                                        const std::string& more,
                                                        int receive_buffer) {
  auto socket = Connect(client, more, receive_buffer);
  socket->SendText(R"({"action":10,"channel":"room"})");
  EXPECT_TRUE(socket->Await(R"("action":11)").has_value());
  return socket;
}

void ServeProcess::Enter(WebSocketClient& socket) {
  socket.SendText(
      R"({"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2,"data":"hi"}]})");
  EXPECT_TRUE(socket.Await(R"("action":1,)").has_value());
}

std::string ServeProcess::Get(const std::string& path) {
  WebSocketClient socket(port_);
  socket.SendBytes("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return socket.ReadToEnd();
}

std::string ServeProcess::Post(const std::string& path, const std::string& body) {
  WebSocketClient socket(port_);
  socket.SendBytes("POST " + path +
                   " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json" +
                   "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return socket.ReadToEnd();
}

}  // namespace presence::testing
