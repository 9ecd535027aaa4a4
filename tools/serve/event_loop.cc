#include "tools/serve/event_loop.h"

#include <sys/resource.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "tools/serve/boost_asio.h"
// After it, as it is Asio, too.
#include <boost/asio/signal_set.hpp>

#include "tools/serve/client_connection.h"
#include "tools/serve/http_router.h"
#include "tools/serve/http_routes.h"
#include "tools/serve/random_id.h"
#include "tools/serve/server_clock.h"
#include "tools/serve/service.h"

namespace presence::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Sockets beyond those of connections: of who has not said yet what he wants.
constexpr size_t kMoreSockets = 1'000;
// After the system had no socket to give, it is asked again so much later.
constexpr std::chrono::milliseconds kAcceptAgain{100};
constexpr std::chrono::seconds kLongestGoodbye{5};

// A socket is a file, and the usual limit is low.
void AllowManySockets() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

class Loop {
 public:
  explicit Loop(LoopOptions options)
      : options_(std::move(options)),
        acceptor_(context_),
        deadline_(context_),
        pause_(context_),
        goodbye_(context_),
        signals_(context_, SIGTERM, SIGINT),
        service_({.server = options_.server,
                  .keys = options_.keys,
                  .now = [this] { return clock_.Now(); },
                  .make_id = RandomId,
                  .wake_at = [this](std::optional<Timestamp> at) { WakeAt(at); },
                  .log = options_.log}) {
    AddHttpRoutes(service_, router_);
  }

  std::string Run() {
    const tcp::endpoint wanted(asio::ip::make_address(options_.listen.address),
                               options_.listen.port);
    error_code error;
    acceptor_.open(wanted.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(wanted, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return "cannot listen on " + options_.listen.text() + ": " + error.message();
    options_.listen.port = acceptor_.local_endpoint().port();
    AllowManySockets();
    WaitForSignal();
    Accept();
    options_.on_listening(options_.listen);
    context_.run();
    return "";
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return AcceptLater();
      // Beyond the bound nobody is heard; the socket closes here.
      if (open_.use_count() <= static_cast<long>(options_.server.max_connections + kMoreSockets)) {
        ServeConnection(std::move(socket), service_, router_, limits_, open_);
      }
      Accept();
    });
  }

  void AcceptLater() {
    pause_.expires_after(kAcceptAgain);
    pause_.async_wait([this](error_code error) {
      if (!error && acceptor_.is_open()) Accept();
    });
  }

  void WakeAt(std::optional<Timestamp> at) {
    if (shutting_down_ && service_.socket_count() == 0) context_.stop();
    if (at == armed_) return;
    armed_ = at;
    if (!at.has_value()) {
      deadline_.cancel();
      return;
    }
    deadline_.expires_after(*at - clock_.Now());
    deadline_.async_wait([this](error_code error) {
      if (error) return;
      armed_.reset();
      service_.Wake();
    });
  }

  void WaitForSignal() {
    signals_.async_wait([this](error_code error, int) {
      if (error) return;
      if (shutting_down_) return context_.stop();
      shutting_down_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      goodbye_.expires_after(kLongestGoodbye);
      goodbye_.async_wait([this](error_code cut) {
        if (!cut) context_.stop();
      });
      service_.ShutDown();
      WaitForSignal();
    });
  }

  LoopOptions options_;
  const ServerClock clock_;
  const ConnectionLimits limits_;
  const std::shared_ptr<void> open_ = std::make_shared<int>(0);  // one more user for each socket
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer deadline_;
  asio::steady_timer pause_;
  asio::steady_timer goodbye_;
  asio::signal_set signals_;
  std::optional<Timestamp> armed_;  // what deadline_ waits for
  bool shutting_down_ = false;
  Service service_;
  HttpRouter router_;
};

}  // namespace

std::string ServeUntilSignal(LoopOptions options) { return Loop(std::move(options)).Run(); }

}  // namespace presence::serve
