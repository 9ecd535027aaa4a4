#ifndef TOOLS_SERVE_FAULTS_H_
#define TOOLS_SERVE_FAULTS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/session/server_reader.h"
#include "tools/serve/service.h"

namespace presence::serve {

class FaultLine;

// What goes wrong on request, so that tests of chat programs see how these take it; docs/serve.md
// says what can be asked for. One thread at a time.
class Faults {
 public:
  // Faults that wait for their moment; beyond: 42910.
  static constexpr size_t kMostPending = 1'000;
  // The longest delay and the farthest jump.
  static constexpr std::chrono::hours kLongest{24};

  struct Parts {
    // Calls back after this time, on the same thread, never from inside. No longer called once the
    // loop has ended.
    std::function<void(std::chrono::milliseconds, std::function<void()>)> later;
    // Has the clock set ahead.
    std::function<void(std::chrono::milliseconds)> jump;
  };
  explicit Faults(Parts parts) : parts_(std::move(parts)), reader_(SIZE_MAX) {}
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // Does what is asked for, or keeps it for the moment that it names. What to answer, or what is
  // wrong with it.
  std::variant<JsonObject, ErrorInfo> Make(const JsonValue& asked);
  // Forgets what waits, and ends delays.
  void Clear();

  // `socket` must live until Line::Gone; `this` longer than the line.
  std::shared_ptr<FaultLine> NewLine(ClientSocket& socket, std::shared_ptr<Service> service,
                                     std::function<void()> stop_pings);

 private:
  friend class FaultLine;

  // For the next connection that it fits; empty fields fit all.
  struct Pending {
    enum class Kind { kRefuse, kCutSync, kStalePage };
    Kind kind = Kind::kRefuse;
    std::string client_id;
    std::string connection_id;
    std::string room;
    ErrorInfo error;
    int64_t pages = 0;
  };

  std::optional<Pending> Take(Pending::Kind kind, const FaultLine& line, std::string_view room);
  std::variant<JsonObject, ErrorInfo> MakeNow(std::string_view fault, const JsonValue& asked);
  std::variant<JsonObject, ErrorInfo> Keep(Pending::Kind kind, const JsonValue& asked);
  JsonObject ForgetRoom(const std::string& room);

  const Parts parts_;
  ServerReader reader_;  // of what is sent, too
  std::list<std::weak_ptr<FaultLine>> lines_;
  std::deque<Pending> pending_;
  std::string forgotten_;  // the room that is being forgotten: nobody is told who leaves it
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_FAULTS_H_
