#include "tests/serve/websocket_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "gtest/gtest.h"

namespace presence::testing {

WebSocketClient::WebSocketClient(uint16_t port, int receive_buffer) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const timeval patience{100, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
}

void WebSocketClient::Vanish() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

bool WebSocketClient::SendBytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool WebSocketClient::Fill(size_t bytes) {
  char buffer[16384];
  while (unread_.size() < bytes) {
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      EXPECT_FALSE(got < 0 && errno == EAGAIN) << "nothing came for a long time";
      return false;
    }
    unread_.append(buffer, static_cast<size_t>(got));
  }
  return true;
}

std::string WebSocketClient::ReadToEnd() {
  while (Fill(unread_.size() + 1)) {
  }
  return std::move(unread_);
}

std::string WebSocketClient::ReadUntil(std::string_view text) {
  size_t at;
  while ((at = unread_.find(text)) == unread_.npos) {
    if (!Fill(unread_.size() + 1)) return std::move(unread_);
  }
  std::string read = unread_.substr(0, at + text.size());
  unread_.erase(0, at + text.size());
  return read;
}

std::string WebSocketClient::UpgradeRequest(std::string_view query) {
  return "GET /?" + std::string(query) +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

bool WebSocketClient::Upgrade(std::string_view query) {
  return SendBytes(UpgradeRequest(query)) && ReadHead().starts_with("HTTP/1.1 101 ");
}

std::string WebSocketClient::FrameHead(int opcode, size_t length, bool is_last) {
  std::string head;
  head += static_cast<char>(opcode | (is_last ? 0x80 : 0));
  const size_t bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  head += static_cast<char>(0x80 | (bytes == 0 ? length : bytes == 2 ? 126 : 127));
  for (size_t i = bytes; i-- > 0;) head += static_cast<char>(length >> 8 * i & 0xff);
  return head + std::string(4, '\0');
}

bool WebSocketClient::SendFrame(int opcode, std::string_view payload, bool is_last) {
  return SendBytes(FrameHead(opcode, payload.size(), is_last) + std::string(payload));
}

std::optional<std::string> WebSocketClient::Await(std::string_view text, int wanted) {
  while (!closed_ && Fill(2)) {
    const int opcode = unread_[0] & 0x0f;
    size_t length = static_cast<unsigned char>(unread_[1]);
    const size_t bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (!Fill(2 + bytes)) break;
    if (bytes > 0) length = 0;
    for (size_t i = 0; i < bytes; ++i) {
      length = length << 8 | static_cast<unsigned char>(unread_[2 + i]);
    }
    if (!Fill(2 + bytes + length)) break;
    std::string payload = unread_.substr(2 + bytes, length);
    unread_.erase(0, 2 + bytes + length);
    if (opcode == kPing) {
      ++pings_;
      SendFrame(kPong, payload);
    }
    if (opcode == kClose) closed_ = true;
    if (opcode == wanted && payload.find(text) != payload.npos) return payload;
  }
  return std::nullopt;
}

bool WebSocketClient::IsClosedUnanswered() {
  errno = 0;
  ReadToEnd();
  return errno != EAGAIN;
}

std::string FieldOf(std::string_view json, std::string_view field) {
  const std::string begin = "\"" + std::string(field) + "\":\"";
  const size_t at = json.find(begin);
  if (at == json.npos) return "";
  const size_t from = at + begin.size();
  return std::string(json.substr(from, json.find('"', from) - from));
}

}  // namespace presence::testing
