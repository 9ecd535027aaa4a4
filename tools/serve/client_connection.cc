#include "tools/serve/client_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "presence/error.h"
#include "tools/serve/credentials.h"
#include "tools/serve/fault_line.h"
#include "tools/serve/faults.h"
#include "tools/serve/gathering_socket.h"
#include "tools/serve/http_message.h"
#include "tools/serve/http_router.h"
#include "tools/serve/request_target.h"
#include "tools/serve/service.h"

namespace presence::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using RequestStream = beast::basic_stream<tcp, LoopExecutor>;
// Reads messages, and sees to handshakes, pings and closes; messages are written beside it.
using WebSocketStream = websocket::stream<GatheringSocket>;

// Of a message that is coming in: so much is read at once at least, and at most.
constexpr size_t kLeastRead = 1024;
constexpr size_t kMostRead = size_t{64} << 10;
// An idle connection keeps at most so much room for messages.
constexpr size_t kKeptRoom = size_t{4} << 10;
// Of messages that wait, so many are written at once, and so many bytes, but one in any case.
constexpr size_t kMostGathered = 32;
constexpr size_t kMostGatheredBytes = size_t{64} << 10;

// Of a request that has been refused, so much more is taken, so that its sender reads why.
constexpr size_t kMostDrained = size_t{1} << 20;

constexpr size_t kLongestHead = 10;
// The head of a whole message, as a server writes it (RFC 6455, 5.2).
void AppendHead(bool is_binary, size_t length, std::string& out) {
  out += static_cast<char>(is_binary ? 0x82 : 0x81);
  const size_t bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  out += static_cast<char>(bytes == 0 ? length : bytes == 2 ? 126 : 127);
  for (size_t i = bytes; i-- > 0;) out += static_cast<char>(length >> (8 * i) & 0xff);
}

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

// One WebSocket. It lives as long as an operation of its is under way.
class WebSocketConnection final : public ClientSocket,
                                  public std::enable_shared_from_this<WebSocketConnection> {
 public:
  // `faults` may be null: nothing goes wrong on request.
  WebSocketConnection(LoopSocket socket, std::shared_ptr<Service> service, Faults* faults,
                      const ConnectionLimits& limits, std::shared_ptr<void> open)
      : stream_(std::move(socket)),
        closing_timer_(stream_.get_executor()),
        service_(std::move(service)),
        faults_(faults),
        limits_(limits),
        open_(std::move(open)) {}

  void Accept(const http::request<http::string_body>& request, RequestTarget target) {
    target_ = std::move(target);
    // Pings find out who is gone without a word. Who asked for heartbeats is not pinged, and may be
    // silent for ever; what he is sent and does not acknowledge tells.
    websocket::stream_base::timeout timeouts{};
    timeouts.handshake_timeout = limits_.handshake;
    const std::chrono::milliseconds idle = service_->server().options().max_idle_interval;
    const bool pings = !Service::WantsHeartbeats(target_) && idle.count() > 0;
    timeouts.idle_timeout = pings ? 2 * idle : websocket::stream_base::none();
    timeouts.keep_alive_pings = pings;
    stream_.set_option(timeouts);
    stream_.set_option(websocket::stream_base::decorator(
        [](websocket::response_type& response) { response.set(http::field::server, "presence"); }));
    stream_.read_message_max(0);  // counted here, so that a message too large can be answered
    is_binary_ = Service::FormatOf(target_) == wire::Format::kMessagePack;
    stream_.async_accept(request, [self = shared_from_this()](error_code error) {
      if (!error) self->OnAccepted();
    });
  }

  void Send(std::shared_ptr<const std::string> message) override {
    unsent_.push_back(std::move(message));
    if (unsent_.size() == 1) SendNext();
  }
  void Close() override {
    if (closing_) return;
    closing_ = true;
    // Who takes nothing any more is not waited for.
    closing_timer_.expires_after(limits_.handshake);
    closing_timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Drop();
    });
    if (unsent_.empty()) SendClose();
  }
  void Drop() override {
    error_code ignored;
    stream_.next_layer().next_layer().close(ignored);
  }

 private:
  void OnAccepted() {
    if (faults_ != nullptr) {
      line_ = faults_->NewLine(*this, service_, [this] { StopPings(); });
      line_->Connect(target_);
    } else {
      transport_ = service_->Connect(*this, target_);
    }
    target_ = {};
    Read();
  }

  void Read() {
    const size_t had = message_.size();
    const size_t room = std::clamp(had, kLeastRead, kMostRead);
    message_.resize(had + room);
    stream_.async_read_some(asio::buffer(message_.data() + had, room),
                            [self = shared_from_this(), had](error_code error, size_t bytes) {
                              self->OnRead(error, had + bytes);
                            });
  }

  void OnRead(error_code error, size_t bytes) {
    if (error) return OnGone();
    message_.resize(bytes);
    const bool done = stream_.is_message_done();
    if (too_large_ || message_.size() > service_->server().options().max_frame_size) {
      if (!too_large_) ReceiveTooLarge();
      too_large_ = !done;
      message_.clear();
    } else if (done) {
      line_ != nullptr ? line_->Receive(message_) : service_->Receive(transport_, message_);
      message_.clear();
    }
    if (message_.empty() && message_.capacity() > kKeptRoom) message_.shrink_to_fit();
    if (service_->HasRoom()) return Read();
    service_->CallWhenThereIsRoom([self = shared_from_this()] { self->Read(); });
  }

  void ReceiveTooLarge() {
    const size_t bytes = message_.size();
    line_ != nullptr ? line_->ReceiveTooLarge(bytes) : service_->ReceiveTooLarge(transport_, bytes);
  }

  // Nothing more comes, for whatever reason.
  void OnGone() {
    message_ = {};
    if (!close_sent_) {
      closing_timer_.cancel();
      Drop();
    }
    line_ != nullptr ? line_->Gone() : service_->Gone(transport_);
  }

  // Writes the first of what waits, and as much of the rest as goes with it.
  void SendNext() {
    // A client that has closed it reads no more.
    if (!stream_.is_open()) return Drop();
    size_t bytes = 0;
    sending_ = 0;
    while (sending_ < std::min(unsent_.size(), kMostGathered)) {
      bytes += unsent_[sending_]->size();
      if (sending_ > 0 && bytes > kMostGatheredBytes) break;
      ++sending_;
    }
    heads_.clear();
    heads_.reserve(sending_ * kLongestHead);  // views of it stay good
    std::vector<asio::const_buffer> buffers;
    buffers.reserve(2 * sending_);
    for (size_t i = 0; i < sending_; ++i) {
      const std::string& message = *unsent_[i];
      const size_t at = heads_.size();
      AppendHead(is_binary_, message.size(), heads_);
      buffers.emplace_back(heads_.data() + at, heads_.size() - at);
      buffers.push_back(asio::buffer(message));
    }
    stream_.next_layer().async_write_some(buffers,
                                          [self = shared_from_this()](error_code error, size_t) {
                                            error ? self->Drop() : self->OnSent();
                                          });
  }

  void OnSent() {
    std::array<size_t, kMostGathered> sizes{};
    const size_t sent = std::exchange(sending_, 0);
    for (size_t i = 0; i < sent; ++i) {
      sizes[i] = unsent_.front()->size();
      unsent_.pop_front();
    }
    if (!unsent_.empty()) {
      SendNext();
    } else {
      heads_.clear();
      heads_.shrink_to_fit();
      if (closing_) SendClose();
    }
    for (size_t i = 0; i < sent; ++i) {
      line_ != nullptr ? line_->Taken(sizes[i]) : service_->Taken(transport_, sizes[i]);
    }
  }

  void StopPings() {
    stream_.set_option({websocket::stream_base::none(), websocket::stream_base::none(), false});
  }

  void SendClose() {
    if (close_sent_) return;
    close_sent_ = true;
    // closing_timer_ sees to the end. Beast 1.74 breaks a promise of its own if its timer comes
    // first.
    StopPings();
    stream_.async_close(websocket::close_code::normal, [self = shared_from_this()](error_code) {
      self->closing_timer_.cancel();
      self->Drop();
    });
  }

  WebSocketStream stream_;
  asio::steady_timer closing_timer_;
  const std::shared_ptr<Service> service_;
  Faults* const faults_;
  const ConnectionLimits& limits_;
  const std::shared_ptr<void> open_;
  RequestTarget target_;             // until it is accepted
  std::shared_ptr<FaultLine> line_;  // to the service, if there are faults
  TransportHandle transport_ = 0;
  std::string message_;     // what of the message under way has come
  bool too_large_ = false;  // the rest of the message under way is of no interest
  bool is_binary_ = false;
  std::deque<std::shared_ptr<const std::string>> unsent_;
  size_t sending_ = 0;  // of these, the first are being written
  std::string heads_;   // of these
  bool closing_ = false;
  bool close_sent_ = false;
};

// One socket until it is known what is asked of it.
class HttpConnection final : public HttpStream,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(LoopSocket socket, const Apps& apps, const HttpRouter& router, Faults* faults,
                 const ConnectionLimits& limits, std::shared_ptr<void> open)
      : stream_(std::move(socket)),
        apps_(apps),
        faults_(faults),
        router_(router),
        limits_(limits),
        open_(std::move(open)),
        buffer_(limits.header_bytes + limits.body_bytes) {}

  void Start() {
    parser_.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser_.body_limit(limits_.body_bytes);
    stream_.expires_after(limits_.handshake);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       error ? self->OnUnread(error) : self->OnRequest();
                     });
  }

 private:
  // What has come of the request. It views parser_.
  HttpRequest Asked() const {
    const http::request<http::string_body>& request = parser_.get();
    HttpRequest asked;
    asked.method = View(request.method_string());
    for (const auto& header : request) {
      asked.headers.emplace_back(View(header.name_string()), View(header.value()));
    }
    return asked;
  }

  // Who is too slow, or has gone, is not answered.
  void OnUnread(error_code error) {
    ErrorInfo told =
        MakeError(kMalformedRequest, "this is no request of HTTP/1.1: " + error.message());
    if (error == http::error::header_limit) {
      told.status_code = 431;
      told.message = "a request has at most " + std::to_string(limits_.header_bytes) +
                     " bytes before its body";
    } else if (error == http::error::body_limit) {
      told.status_code = 413;
      told.message =
          "a request has at most " + std::to_string(limits_.body_bytes) + " bytes of body";
    } else if (error.category() != make_error_code(http::error::bad_method).category() ||
               error == http::error::end_of_stream || error == http::error::partial_message) {
      return;
    }
    Respond(HttpRouter::Refuse(Asked(), told));
  }

  void OnRequest() {
    const http::request<http::string_body>& request = parser_.get();
    RequestTarget target = ParseTarget(View(request.target()));
    if (websocket::is_upgrade(request) && target.path == "/") {
      std::make_shared<WebSocketConnection>(stream_.release_socket(),
                                            apps_.Of(Presented::By(target).KeyName()), faults_,
                                            limits_, open_)
          ->Accept(request, std::move(target));
      return;
    }
    HttpRequest asked = Asked();
    asked.target = std::move(target);
    asked.body = request.body();
    error_code unknown;
    const tcp::endpoint peer = stream_.socket().remote_endpoint(unknown);
    asked.from_loopback = !unknown && peer.address().is_loopback();
    HttpResponse answer = router_.Answer(asked);
    if (answer.wait == nullptr) return Respond(std::move(answer));
    const auto wait = std::exchange(answer.wait, nullptr);
    wait([self = shared_from_this(), answer = std::move(answer)] { self->Respond(answer); });
  }

  void Respond(HttpResponse answer) {
    const http::verb method = parser_.get().method();
    response_.result(answer.status);
    response_.set(http::field::server, "presence");
    if (!answer.content_type.empty()) {
      response_.set(http::field::content_type, answer.content_type);
    }
    for (const auto& [name, value] : answer.headers) response_.set(name, value);
    response_.keep_alive(false);
    if (answer.follow != nullptr && method != http::verb::head) {
      return Follow(std::move(answer.follow));
    }
    if (method == http::verb::head) {
      response_.content_length(answer.body.size());
    } else {
      response_.body() = std::move(answer.body);
      response_.prepare_payload();
    }
    http::async_write(stream_, response_, [self = shared_from_this()](error_code, size_t) {
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      // A socket that is closed with something unread takes the answer back.
      if (!self->parser_.is_done()) self->Drain();
    });
  }

  // Reads what else comes of a request, some of it, in the time that is left for that.
  void Drain() {
    if (drained_ >= kMostDrained) return;
    rest_.resize(kMostRead);
    stream_.async_read_some(asio::buffer(rest_),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              self->drained_ += bytes;
                              if (!error) self->Drain();
                            });
  }

  // The head, and then what is written; the end of it is that of the socket.
  void Follow(std::function<void(std::shared_ptr<HttpStream>)> follow) {
    std::ostringstream head;
    head << response_.base();
    stream_.expires_never();
    Write(std::make_shared<const std::string>(head.str()));
    follow(shared_from_this());
    WaitForEnd();
  }

  // Who was answered has nothing more to say.
  void WaitForEnd() {
    stream_.async_read_some(asio::buffer(&nothing_, 1),
                            [self = shared_from_this()](error_code, size_t) { self->Close(); });
  }

  bool Write(std::shared_ptr<const std::string> bytes) override {
    if (!is_open() || writing_ != nullptr) return false;
    writing_ = std::move(bytes);
    asio::async_write(stream_, asio::buffer(*writing_),
                      [self = shared_from_this()](error_code error, size_t) {
                        self->writing_ = nullptr;
                        if (error) self->Close();
                      });
    return true;
  }
  bool is_open() const override { return is_open_; }
  void Close() override {
    is_open_ = false;
    stream_.close();
  }

  RequestStream stream_;
  const Apps& apps_;
  Faults* const faults_;
  const HttpRouter& router_;
  const ConnectionLimits& limits_;
  const std::shared_ptr<void> open_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
  std::string rest_;  // of a request that is not wanted
  size_t drained_ = 0;
  std::shared_ptr<const std::string> writing_;  // of a response that goes on
  bool is_open_ = true;
  char nothing_ = 0;
};

}  // namespace

void ServeConnection(LoopSocket socket, const Apps& apps, const HttpRouter& router, Faults* faults,
                     const ConnectionLimits& limits, std::shared_ptr<void> open) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  // Of who has gone without a word the system would keep what he was sent for a quarter of an hour.
  const std::chrono::milliseconds idle = apps.Of("")->server().options().max_idle_interval;
  const unsigned unanswered_ms =
      static_cast<unsigned>(std::min<int64_t>(2 * idle.count(), 600'000));
  if (unanswered_ms > 0) {
    setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms,
               sizeof unanswered_ms);
  }
  std::make_shared<HttpConnection>(std::move(socket), apps, router, faults, limits, std::move(open))
      ->Start();
}

}  // namespace presence::serve
