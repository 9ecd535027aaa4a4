#include "tools/examples/beast_client.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <cctype>
#include <cstdio>
#include <deque>
#include <random>

#include "absl/status/status.h"
#include "presence/error.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"

namespace presence::examples {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

// To find a host and connect to it, and to send the rest before a socket is closed.
constexpr std::chrono::seconds kPatience{10};

// As values of a URL are written.
std::string PercentEncoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~')) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace

// One WebSocket, of one number of the client's. It lives as long as an operation of its is under
// way; what comes of it after it was told to close is not told. For TLS, beast::ssl_stream stands
// around tcp_stream, and its handshake comes before that of the WebSocket.
class BeastClient::Socket : public std::enable_shared_from_this<Socket> {
 public:
  Socket(BeastClient& owner, TransportId transport)
      : owner_(owner),
        transport_(transport),
        resolver_(owner.context_),
        stream_(owner.context_),
        closing_timer_(owner.context_) {}

  void Open(std::string target) {
    target_ = std::move(target);
    resolver_.async_resolve(
        owner_.endpoint_.host, owner_.endpoint_.port,
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
          if (error) return self->Gone(error);
          if (self->closing_) return;  // given up meanwhile
          beast::get_lowest_layer(self->stream_).expires_after(kPatience);
          beast::get_lowest_layer(self->stream_)
              .async_connect(found, [self](error_code failed, const tcp::endpoint&) {
                failed ? self->Gone(failed) : self->OnConnected();
              });
        });
  }

  // One message; those of before it first. Beast wants one write at a time, and writes all of it.
  void Send(std::string_view message) {
    unsent_.emplace_back(message);
    if (unsent_.size() == 1) SendNext();
  }

  void Close() {
    closing_ = true;
    if (!is_open_) return Drop();
    closing_timer_.expires_after(kPatience);
    closing_timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Drop();
    });
    if (unsent_.empty()) SendClose();
  }

 private:
  void OnConnected() {
    beast::tcp_stream& socket = beast::get_lowest_layer(stream_);
    socket.expires_never();  // the WebSocket has timeouts of its own
    error_code ignored;
    socket.socket().set_option(tcp::no_delay(true), ignored);
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::client));
    // Beast answers pings by itself, while it reads. The client must hear of them as well: a server
    // that has nothing to say shows by pings that it lives.
    stream_.control_callback([this](websocket::frame_type kind, beast::string_view) {
      if (kind == websocket::frame_type::ping) Tell(TransportActive{transport_});
    });
    stream_.async_handshake(owner_.endpoint_.host + ":" + owner_.endpoint_.port, target_,
                            [self = shared_from_this()](error_code error) {
                              if (error) return self->Gone(error);
                              self->is_open_ = true;
                              self->Tell(TransportOpened{self->transport_});
                              self->Read();
                            });
  }

  void Read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Gone(error);
      const auto message = self->buffer_.cdata();
      self->Tell(TransportReceived{self->transport_,
                                   {static_cast<const char*>(message.data()), message.size()}});
      self->buffer_.clear();
      if (!self->closing_) self->Read();  // what closes reads for itself
    });
  }

  void SendNext() {
    stream_.async_write(asio::buffer(unsent_.front()),
                        [self = shared_from_this()](error_code error, size_t) {
                          if (error) return self->Drop();  // what reads will tell
                          self->unsent_.pop_front();
                          if (!self->unsent_.empty()) {
                            self->SendNext();
                          } else if (self->closing_) {
                            self->SendClose();
                          }
                        });
  }

  void SendClose() {
    // closing_timer_ sees to the end. Some versions of Beast take it ill if theirs comes first.
    stream_.set_option({websocket::stream_base::none(), websocket::stream_base::none(), false});
    stream_.async_close(websocket::close_code::normal,
                        [self = shared_from_this()](error_code) { self->Drop(); });
  }

  void Drop() {
    closing_timer_.cancel();
    resolver_.cancel();
    beast::get_lowest_layer(stream_).close();
  }

  void Gone(error_code error) {
    // The answer to our close ends reading; the close itself goes on until it has been sent.
    if (!closing_) Drop();
    const ErrorInfo reason{kConnectionDisconnected, 503, error.message(), nullptr};
    if (is_open_) {
      Tell(TransportClosed{transport_, &reason});
    } else {
      Tell(TransportFailed{transport_, &reason});
    }
  }

  void Tell(const ClientInput& input) {
    if (!closing_) owner_.Happened(input);
  }

  BeastClient& owner_;
  const TransportId transport_;
  tcp::resolver resolver_;
  websocket::stream<beast::tcp_stream> stream_;
  asio::steady_timer closing_timer_;
  std::string target_;
  beast::flat_buffer buffer_;
  std::deque<std::string> unsent_;  // the first is being written
  bool is_open_ = false;
  bool closing_ = false;
};

BeastClient::BeastClient(Endpoint endpoint, const ClientSession::Options& options)
    : endpoint_(std::move(endpoint)),
      start_(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())),
      client_(options, *this) {}

BeastClient::~BeastClient() = default;

ClientSession::Options BeastClient::OptionsWithSeed() {
  ClientSession::Options options;
  std::random_device random;
  options.seed = random();
  options.can_renew_token = false;  // it has a key
  // Members stay for 15 s after a loss, and would leave before the second try of the default.
  options.disconnected_retry_timeout = std::chrono::seconds(3);
  return options;
}

// The deadline is looked at each time, as calls change it.
void BeastClient::Step() {
  const std::optional<Timestamp> deadline = client_.NextDeadline();
  if (!deadline.has_value()) {
    context_.run_one();
  } else if (const Timestamp now = Now(); now < *deadline) {
    context_.run_one_for(*deadline - now);
  }
  client_.AdvanceTo(Now());
}

void BeastClient::Close() {
  client_.Close();
  while (client_.state() == SessionState::kClosing) Step();
  work_.reset();
  context_.run();  // until all sockets are closed
}

Timestamp BeastClient::Now() {
  return start_ + std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                steady_start_);
}

void BeastClient::Open(TransportId transport, std::string_view resume_key) {
  std::string target = "/?v=3&format=json&key=" + PercentEncoded(endpoint_.key) +
                       "&clientId=" + PercentEncoded(endpoint_.client_id);
  if (!resume_key.empty()) target += "&resume=" + PercentEncoded(resume_key);
  const auto socket = std::make_shared<Socket>(*this, transport);
  sockets_[transport] = socket;
  socket->Open(std::move(target));
}

void BeastClient::Send(TransportId transport, std::string_view message) {
  if (const auto socket = sockets_.find(transport); socket != sockets_.end()) {
    socket->second->Send(message);
  }
}

void BeastClient::Close(TransportId transport) {
  const auto socket = sockets_.find(transport);
  if (socket == sockets_.end()) return;
  socket->second->Close();
  sockets_.erase(socket);
}

void BeastClient::OnDiagnostic(std::string_view room, std::string_view text) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(room.size()), room.data(),
               static_cast<int>(text.size()), text.data());
}

void BeastClient::Happened(const ClientInput& input) {
  // The client speaks no more of a transport that is gone.
  if (const auto* closed = std::get_if<TransportClosed>(&input)) sockets_.erase(closed->transport);
  if (const auto* failed = std::get_if<TransportFailed>(&input)) sockets_.erase(failed->transport);
  // What is no frame is worth a word, and the next one may be.
  if (const absl::Status status = client_.Apply(input); !status.ok()) {
    const auto why = status.message();
    OnDiagnostic("", {why.data(), why.size()});
  }
}

}  // namespace presence::examples
