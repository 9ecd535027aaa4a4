#ifndef TESTS_SESSION_SERVER_HARNESS_H_
#define TESTS_SESSION_SERVER_HARNESS_H_

// What the tests of the server share: a server that checks itself after each input and tells its
// effects as lines of text.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"

namespace presence {

using Lines = std::vector<std::string>;

// An effect as a line:
//   send 1,2 {"action":4,...}   packed 1,2 {the JSON form of what is packed}   end 1   drop 1
//   credentials 1 TOKEN room: enter alice of c1     c1 resumed
std::string ServerLineOf(const ServerEffect& effect);

// The lines that begin so.
Lines LinesWith(std::string_view prefix, const Lines& lines);
// Only what each says: `send 1 {...}` to 1.
Lines SentTo(TransportHandle transport, const Lines& lines);

// A server under test, whose connections are called c1, c2 and so on, with the keys k1, k2. Each
// input is applied at now_ms and gives its effects as lines; after each it is checked that the
// invariants hold and that nothing is sent on a transport that was ended or dropped.
class ServerHarness {
 public:
  explicit ServerHarness(const Server::Options& options = {});
  // The same with a server that was restored.
  ServerHarness(const Server::Options& options, std::unique_ptr<Server> restored);

  Lines Apply(const ServerInput& input);
  // Applies an input that must be refused with `code`.
  void ApplyRefused(const ServerInput& input, absl::StatusCode code);
  // Time passes, and what is due then is done, step by step.
  Lines Advance(int64_t ms);
  // The next deadline, in ms from now; -1: none.
  int64_t NextMs() const;

  // What an owner makes of a new client: transport N gets the connection cN, of `client`, that may
  // do everything.
  TransportAccepted Client(TransportHandle transport, std::string_view client = "me");
  Lines Accept(TransportHandle transport, std::string_view client = "me") {
    return Apply(Client(transport, client));
  }
  // The same, resuming the connection of this key.
  Lines Resume(TransportHandle transport, std::string_view key, std::string_view client = "me");
  Lines Say(TransportHandle transport, std::string_view message) {
    return Apply(reader_.Read(transport, message));
  }
  Lines Gone(TransportHandle transport) { return Apply(TransportGone{transport}); }
  Lines Attach(TransportHandle transport, std::string_view room, std::string_view more = "");
  Lines Enter(TransportHandle transport, std::string_view room, int64_t serial,
              std::string_view client = "", std::string_view data = "");
  Lines Operate(TransportHandle transport, std::string_view room, int64_t serial, int action,
                std::string_view client = "", std::string_view data = "");

  int64_t now_ms = 1'000'000;

 private:
  const std::unique_ptr<Server> server_;

 public:
  Server& server;

 private:
  Lines Take();

  ServerReader reader_;
  ServerEffects effects_;
  std::vector<std::string> names_;
  std::vector<TransportHandle> ended_;
  Permission all_{"", true};
};

}  // namespace presence

#endif  // TESTS_SESSION_SERVER_HARNESS_H_
