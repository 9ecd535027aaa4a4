#include "tools/serve/fault_line.h"

#include <utility>
#include <variant>

#include "tools/serve/faults.h"

namespace presence::serve {
namespace {

using std::chrono::milliseconds;

// The last page of a sync has no cursor.
bool IsLastPage(std::string_view serial) {
  const size_t colon = serial.find(':');
  return colon == serial.npos || colon + 1 == serial.size();
}

}  // namespace

void FaultLine::Connect(const RequestTarget& target) {
  client_id_ = target.Parameter("clientId");
  format_ = Service::FormatOf(target);
  transport_ = service_->Connect(*this, target);
}

void FaultLine::Gone() {
  socket_ = nullptr;
  incoming_.clear();
  outgoing_.clear();
  service_->Gone(transport_);
}

// In their order, whatever the delay is meanwhile.
void FaultLine::Delayed(Queue& queue, std::function<void()> what) {
  if (delay_.count() == 0 && queue.empty()) return what();
  queue.push_back(std::move(what));
  faults_.parts_.later(delay_, [line = weak_from_this(), &queue] {
    const std::shared_ptr<FaultLine> kept = line.lock();
    if (kept == nullptr || queue.empty()) return;
    const std::function<void()> next = std::move(queue.front());
    queue.pop_front();
    next();
  });
}

void FaultLine::Receive(std::string_view message) {
  if (silent_ || cut_) return;
  Delayed(incoming_, [this, kept = std::string(message)] { ReceiveNow(kept); });
}

void FaultLine::ReceiveNow(const std::string& message) {
  if (!faults_.pending_.empty()) {
    const ServerInput input = faults_.reader_.Read(transport_, message, format_);
    const auto* const received = std::get_if<FrameReceived>(&input);
    if (received != nullptr && received->frame->action == wire::kPresence) {
      const auto refused =
          faults_.Take(Faults::Pending::Kind::kRefuse, *this, received->frame->channel);
      if (refused.has_value()) {
        return service_->ReceiveRefused(transport_, message, refused->error);
      }
    }
  }
  service_->Receive(transport_, message);
}

void FaultLine::Taken(size_t bytes) {
  const bool is_extra = !extra_.empty() && extra_.front();
  if (!extra_.empty()) extra_.pop_front();
  if (!is_extra) service_->Taken(transport_, bytes);
}

void FaultLine::Send(std::shared_ptr<const std::string> message) {
  if (socket_ == nullptr || silent_ || cut_) return;  // never taken
  const ServerInput input = faults_.reader_.Read(transport_, *message, format_);
  const auto* const sent = std::get_if<FrameReceived>(&input);
  if (sent == nullptr) return PassOn(std::move(message));
  const wire::Frame& frame = *sent->frame;
  if (frame.action == wire::kConnected) {
    connection_id_ = frame.connection_id;
    if (!frame.details_client_id.empty()) client_id_ = frame.details_client_id;
  }
  if (frame.action == wire::kPresence && !faults_.forgotten_.empty() &&
      frame.channel == faults_.forgotten_) {
    return Swallow(message->size());
  }
  if (frame.action == wire::kSync) {
    const std::string channel(frame.channel);
    return SendSync(message, channel, IsLastPage(frame.channel_serial));
  }
  PassOn(std::move(message));
}

void FaultLine::SendSync(const std::shared_ptr<const std::string>& message,
                         std::string_view channel, bool is_last) {
  if (!pages_left_.has_value()) {
    if (const auto cut = faults_.Take(Faults::Pending::Kind::kCutSync, *this, channel)) {
      pages_left_ = cut->pages;
    }
  }
  if (pages_left_ == 0) {
    pages_left_.reset();
    Close();
    cut_ = true;
    return;
  }
  if (pages_left_.has_value()) --*pages_left_;
  if (stale_page_ == nullptr && faults_.Take(Faults::Pending::Kind::kStalePage, *this, channel)) {
    stale_page_ = message;
  }
  PassOn(message);
  if (is_last && stale_page_ != nullptr) PassOn(std::exchange(stale_page_, nullptr), true);
}

void FaultLine::PassOn(std::shared_ptr<const std::string> message, bool is_extra) {
  Delayed(outgoing_, [this, is_extra, kept = std::move(message)] {
    if (socket_ == nullptr) return;
    extra_.push_back(is_extra);
    socket_->Send(kept);
  });
}

// The service must not hear of it from inside its own step.
void FaultLine::Swallow(size_t bytes) {
  faults_.parts_.later(milliseconds(0), [line = weak_from_this(), bytes] {
    const std::shared_ptr<FaultLine> kept = line.lock();
    if (kept != nullptr && kept->socket_ != nullptr) {
      kept->service_->Taken(kept->transport_, bytes);
    }
  });
}

void FaultLine::Close() {
  if (silent_) return Drop();
  Delayed(outgoing_, [this] {
    if (socket_ != nullptr) socket_->Close();
  });
}

void FaultLine::Drop() {
  if (socket_ != nullptr) socket_->Drop();
}

void FaultLine::Cut(bool resumable) {
  cut_ = true;
  Drop();
  if (!resumable && !connection_id_.empty()) service_->CloseConnection(connection_id_);
}

}  // namespace presence::serve
