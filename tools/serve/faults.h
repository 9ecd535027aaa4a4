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
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "presence/wire/frame.h"
#include "tools/serve/request_target.h"
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
    // Sets the clock ahead.
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

// Stands between a service and the socket of one of its clients.
class FaultLine final : public ClientSocket, public std::enable_shared_from_this<FaultLine> {
 public:
  FaultLine(Faults& faults, ClientSocket& socket, std::shared_ptr<Service> service,
            std::function<void()> stop_pings)
      : faults_(faults),
        socket_(&socket),
        service_(std::move(service)),
        stop_pings_(std::move(stop_pings)) {}

  // What the socket has to say, as to a Service.
  void Connect(const RequestTarget& target);
  void Receive(std::string_view message);
  void ReceiveTooLarge(size_t bytes) { service_->ReceiveTooLarge(transport_, bytes); }
  void Taken(size_t bytes);
  void Gone();

  // What the service has to say.
  void Send(std::shared_ptr<const std::string> message) override;
  void Close() override;
  void Drop() override;

 private:
  friend class Faults;
  using Queue = std::deque<std::function<void()>>;

  void Delayed(Queue& queue, std::function<void()> what);
  void PassOn(std::shared_ptr<const std::string> message, bool is_extra = false);
  void Swallow(size_t bytes);
  void ReceiveNow(const std::string& message);
  void SendSync(const std::shared_ptr<const std::string>& message, std::string_view channel,
                bool is_last);
  void Cut(bool resumable);

  Faults& faults_;
  ClientSocket* socket_;  // null once it is gone
  const std::shared_ptr<Service> service_;
  const std::function<void()> stop_pings_;
  TransportHandle transport_ = 0;
  wire::Format format_ = wire::Format::kJson;
  std::string client_id_;
  std::string connection_id_;
  std::chrono::milliseconds delay_{0};
  Queue incoming_;
  Queue outgoing_;
  std::deque<bool> extra_;  // of what the socket was given: whether the service knows nothing of it
  bool silent_ = false;
  bool cut_ = false;
  std::optional<int64_t> pages_left_;              // until it is cut
  std::shared_ptr<const std::string> stale_page_;  // to be sent when its sync is over
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_FAULTS_H_
