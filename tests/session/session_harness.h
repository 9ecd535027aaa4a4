#ifndef TESTS_SESSION_SESSION_HARNESS_H_
#define TESTS_SESSION_SESSION_HARNESS_H_

// What the tests of the client session share: a session that checks itself after each input and
// tells its effects as lines of text.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"

namespace presence {

using Lines = std::vector<std::string>;

ErrorInfo ErrorOf(int64_t code, int64_t status_code = 400);

// A session under test. Each input is applied at `now` and gives its effects as lines (LineOf).
// After each input it is checked that the invariants hold and that no call is answered twice; after
// AdvanceTo, that no deadline is due.
class SessionHarness {
 public:
  explicit SessionHarness(const ClientSession::Options& options = {});

  Lines Apply(const SessionInput& input);
  // Applies an input that must be refused with `code`.
  void ApplyRefused(const SessionInput& input, absl::StatusCode code);
  // Time passes, and what is due then is done, step by step.
  Lines Advance(int64_t ms);
  // The next deadline, in ms from now; -1: none.
  int64_t NextMs() const;

  Lines Connect() { return Apply(ConnectCall{}); }
  Lines Close() { return Apply(CloseCall{}); }
  Lines Opened(TransportId transport) { return Apply(TransportOpened{transport}); }
  Lines Lost(TransportId transport, const ErrorInfo* error = nullptr) {
    return Apply(TransportClosed{transport, error});
  }
  Lines Failed(TransportId transport) { return Apply(TransportFailed{transport, nullptr}); }
  Lines Receive(TransportId transport, std::string_view json) {
    return Apply(TransportReceived{transport, json});
  }
  Lines Attach(std::string_view channel, RequestId request) {
    return Apply(AttachCall{channel, request});
  }
  Lines Detach(std::string_view channel, RequestId request) {
    return Apply(DetachCall{channel, request});
  }
  Lines Enter(std::string_view channel, RequestId request, std::string_view data = "");
  Lines Get(std::string_view channel, RequestId request);

  // CONNECTED, with `details` after the client id: R"(,"connectionKey":"k")".
  Lines Connected(TransportId transport, std::string_view id, std::string_view details = "");

  // connect, and CONNECTED with the id "c1" and the key "k1" on transport 1. Lines are dropped.
  void GetConnected(std::string_view details = "");
  // The same, and a channel that is attached and empty.
  void GetAttached(std::string_view channel = "room");

  int64_t now_ms = 1'000'000;
  ClientSession session;

 private:
  Lines Take();
  void Check();

  SessionEffects effects_;
  std::map<RequestId, int> answered_;
};

// The lines that begin so.
Lines Only(std::string_view prefix, const Lines& lines);

// The last line begins so, and tells of a next try after a wait of 80% to 100% of `ms`.
void ExpectRetry(const Lines& lines, const std::string& begin, int64_t ms);

}  // namespace presence

#endif  // TESTS_SESSION_SESSION_HARNESS_H_
