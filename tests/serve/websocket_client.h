#ifndef TESTS_SERVE_WEBSOCKET_CLIENT_H_
#define TESTS_SERVE_WEBSOCKET_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace presence::testing {

// A client's end of a socket, byte by byte, so that it can do what no good client does. Reading
// gives up after a while, so that a test that fails ends.
class WebSocketClient {
 public:
  // Connects to 127.0.0.1. `receive_buffer` is how much the system keeps that was not read; 0: as
  // it likes.
  explicit WebSocketClient(uint16_t port, int receive_buffer = 0);
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;
  ~WebSocketClient() { Vanish(); }

  // Closes the socket without a word.
  void Vanish();
  // False: the other end has closed it.
  bool SendBytes(std::string_view bytes);
  // What came until the other end closed it, or to the end of this text, or of an HTTP head.
  std::string ReadToEnd();
  std::string ReadUntil(std::string_view text);
  std::string ReadHead() { return ReadUntil("\r\n\r\n"); }

  static std::string UpgradeRequest(std::string_view query);
  // Asks for a WebSocket; true if it is one.
  bool Upgrade(std::string_view query);

  // The head of a client's frame, masked with zeros.
  static std::string FrameHead(int opcode, size_t length, bool is_last = true);
  bool SendFrame(int opcode, std::string_view payload, bool is_last = true);
  bool SendText(std::string_view text) { return SendFrame(kText, text); }

  // The next message with this in it, those before it and of another kind being passed over; pings
  // are answered meanwhile. nullopt: the other end has closed the socket, or its WebSocket.
  std::optional<std::string> Await(std::string_view text, int opcode = kText);
  // Reads until the socket is closed, without answering anything. False: it is still open.
  bool IsClosedUnanswered();
  // Whether a close frame has come, and how many pings.
  bool closed() const { return closed_; }
  int pings() const { return pings_; }

  static constexpr int kContinuation = 0;
  static constexpr int kText = 1;
  static constexpr int kBinary = 2;
  static constexpr int kClose = 8;
  static constexpr int kPing = 9;
  static constexpr int kPong = 10;

 private:
  bool Fill(size_t bytes);

  int socket_ = -1;
  bool closed_ = false;
  int pings_ = 0;
  std::string unread_;
};

// The value of a string field of a JSON text, without a look at its structure; empty: there is
// none.
std::string FieldOf(std::string_view json, std::string_view field);

}  // namespace presence::testing

#endif  // TESTS_SERVE_WEBSOCKET_CLIENT_H_
