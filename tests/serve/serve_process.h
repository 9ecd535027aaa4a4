#ifndef TESTS_SERVE_SERVE_PROCESS_H_
#define TESTS_SERVE_SERVE_PROCESS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/serve/websocket_client.h"
#include "tests/tools/run_command.h"

namespace presence::testing {

// The credentials of clients of a server without --key, as a parameter of the URL.
inline constexpr char kDevelopmentKey[] = "key=presence.development:not-a-secret";

// The program as a process of its own, and clients of it.
class ServeProcess : public ::testing::Test {
 protected:
  // Starts it, and waits until it says where it listens.
  void Serve(std::vector<std::string> flags = {});

  // A client that is connected; its CONNECTED is in connected_. `more` are further parameters.
  std::unique_ptr<WebSocketClient> Connect(const std::string& client, const std::string& more = "",
                                           int receive_buffer = 0);
  // The same, attached to the room called "room".
  std::unique_ptr<WebSocketClient> Attached(const std::string& client, const std::string& more = "",
                                            int receive_buffer = 0);
  // Has a client enter that room as its first operation, and waits for the answer.
  static void Enter(WebSocketClient& socket);
  // The whole answer over HTTP, head and body.
  std::string Get(const std::string& path);
  std::string Post(const std::string& path, const std::string& body);
  // Whether somebody new is served.
  bool StillServes() { return Connect("somebody") != nullptr && !connected_.empty(); }

  std::unique_ptr<Command> server_;
  uint16_t port_ = 0;
  std::string connected_;

 private:
  uint16_t PortSaid() const;
};

}  // namespace presence::testing

#endif  // TESTS_SERVE_SERVE_PROCESS_H_
