#ifndef TOOLS_SERVE_FAULT_LINE_H_
#define TOOLS_SERVE_FAULT_LINE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "presence/session/server_input.h"
#include "presence/wire/frame.h"
#include "tools/serve/request_target.h"
#include "tools/serve/service.h"

namespace presence::serve {

class Faults;

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

#endif  // TOOLS_SERVE_FAULT_LINE_H_
