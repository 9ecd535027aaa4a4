#include "tools/serve/event_loop.h"

#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "tools/serve/boost_asio.h"
// After it, as it is Asio, too.
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/serve/app_routes.h"
#include "tools/serve/apps.h"
#include "tools/serve/client_connection.h"
#include "tools/serve/fault_routes.h"
#include "tools/serve/faults.h"
#include "tools/serve/http_message.h"
#include "tools/serve/http_router.h"
#include "tools/serve/http_routes.h"
#include "tools/serve/kept_server.h"
#include "tools/serve/live_view.h"
#include "tools/serve/presence_routes.h"
#include "tools/serve/random_id.h"
#include "tools/serve/server_clock.h"
#include "tools/serve/service.h"
#include "tools/serve/state_file.h"
#include "tools/serve/state_thread.h"
#include "tools/serve/token_routes.h"

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

std::string TextOf(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

// About an address that cannot be listened on.
const char* WhatToDo(const error_code& error) {
  if (error == asio::error::address_in_use) {
    return ": another program listens there; choose another port, or 0 for any that is free";
  }
  if (error == asio::error::access_denied) return ": ports below 1024 are for root";
  if (error == boost::system::errc::address_not_available) {
    return ": this machine has no such address; 0.0.0.0 is all that it has";
  }
  return "";
}

// What is there only with a flag, for who asks without.
void AddMissing(std::string_view flag, std::string_view method, std::string_view path,
                HttpRouter& router) {
  router.Add(method, path,
             [why = "this server was started without " + std::string(flag)](const HttpRequest&) {
               return ErrorResponse({40400, 404, why, nullptr});
             });
}

// Wakes when it was told to last.
class WakeTimer {
 public:
  WakeTimer(asio::io_context& context, const ServerClock& clock, std::function<void()> wake)
      : timer_(context), clock_(clock), wake_(std::move(wake)) {}

  void SetAt(std::optional<Timestamp> at) {
    if (at == at_) return;
    at_ = at;
    Arm();
  }
  // The clock has jumped.
  void Rearm() {
    if (at_.has_value()) Arm();
  }

 private:
  void Arm() {
    const std::optional<Timestamp> at = at_;
    if (!at.has_value()) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(*at - clock_.Now());
    timer_.async_wait([this](error_code error) {
      if (error) return;
      at_.reset();
      wake_();
    });
  }

  asio::steady_timer timer_;
  const ServerClock& clock_;
  const std::function<void()> wake_;
  std::optional<Timestamp> at_;
};

class Loop {
 public:
  // Goes on from `state` and writes to `file`; null: nothing is kept. No recorder: nothing is
  // recorded.
  Loop(LoopOptions options, KeptState state, std::unique_ptr<StateFile> file,
       std::unique_ptr<SessionRecorder> recorder)
      : options_(std::move(options)),
        clock_(state.ahead,
               state.server != nullptr ? state.server->server_time() : Timestamp::min()),
        acceptor_(context_),
        deadline_(context_, clock_, [this] { service_.Wake(); }),
        app_deadline_(context_, clock_, [this] { apps_.Wake(); }),
        pause_(context_),
        goodbye_(context_),
        signals_(context_, SIGTERM, SIGINT),
        recorder_(std::move(recorder)),
        store_(file != nullptr
                   ? std::make_unique<StateThread>(std::move(file),
                                                   [this](std::function<void()> call) {
                                                     asio::post(context_, std::move(call));
                                                   })
                   : nullptr),
        service_({.server = options_.server,
                  .keys = options_.keys,
                  .now = [this] { return clock_.Now(); },
                  .jump = [this](std::chrono::milliseconds ahead) { Jump(ahead); },
                  .make_id = RandomId,
                  .wake_at =
                      [this](std::optional<Timestamp> at) {
                        deadline_.SetAt(at);
                        EndIfAllAreGone();
                      },
                  .log = options_.log,
                  .tell = options_.tell,
                  .recorder = recorder_.get()},
                 std::move(state), store_.get()),
        apps_(service_, {.server = options_.server,
                         .now = [this] { return clock_.Now(); },
                         .make_id = RandomId,
                         .wake_at =
                             [this](std::optional<Timestamp> at) {
                               app_deadline_.SetAt(at);
                               EndIfAllAreGone();
                             },
                         .log = options_.log,
                         .recorder = recorder_.get()}),
        faults_({.later = [this](std::chrono::milliseconds after,
                                 std::function<void()> what) { Later(after, std::move(what)); },
                 .jump = [this](std::chrono::milliseconds ahead) { service_.Jump(ahead); }}),
        live_view_(service_, options_.development_key,
                   [this](std::chrono::milliseconds after, std::function<void()> what) {
                     Later(after, std::move(what));
                   }) {}

  std::string Run() {
    const tcp::endpoint wanted(asio::ip::make_address(options_.listen.address),
                               options_.listen.port);
    error_code error;
    acceptor_.open(wanted.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(wanted, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return "cannot listen on " + options_.listen.text() + ": " + error.message() +
             WhatToDo(error);
    }
    options_.listen.port = acceptor_.local_endpoint().port();
    live_view_.AddRoutes(router_);
    AddHttpRoutes(service_, router_);
    AddTokenRoutes(apps_, router_);
    AddPresenceRoutes(apps_, router_);
    if (options_.faults) {
      AddFaultRoutes(faults_, service_, router_);
    } else {
      AddMissing("--faults", "POST", "/faults", router_);
    }
    if (options_.sandbox) {
      AddAppRoutes(apps_, options_.listen, router_);
    } else {
      AddMissing("--sandbox", "POST", "/apps", router_);
    }
    AllowManySockets();
    // A limit on the size of files is to be as a full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    WaitForSignal();
    Accept();
    service_.Start();
    options_.on_listening(options_.listen);
    context_.run();
    // What was acknowledged is kept in any case.
    if (const absl::Status status = service_.Finish(); !status.ok() && options_.tell != nullptr) {
      options_.tell(TextOf(status));
    }
    return "";
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, LoopSocket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return AcceptLater();
      // Beyond the bound nobody is heard; the socket closes here.
      if (open_.use_count() <= static_cast<long>(options_.server.max_connections + kMoreSockets)) {
        ServeConnection(std::move(socket), apps_, router_, options_.faults ? &faults_ : nullptr,
                        limits_, open_);
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

  void Later(std::chrono::milliseconds after, std::function<void()> what) {
    auto timer = std::make_shared<asio::steady_timer>(context_, after);
    timer->async_wait([timer, what = std::move(what)](error_code error) {
      if (!error) what();
    });
  }

  void Jump(std::chrono::milliseconds ahead) {
    clock_.Jump(ahead);
    deadline_.Rearm();
    app_deadline_.Rearm();
  }

  void EndIfAllAreGone() {
    if (shutting_down_ && service_.socket_count() + apps_.socket_count() == 0) context_.stop();
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
      apps_.ShutDown();
      service_.ShutDown();
      WaitForSignal();
    });
  }

  LoopOptions options_;
  ServerClock clock_;
  const ConnectionLimits limits_;
  const std::shared_ptr<void> open_ = std::make_shared<int>(0);  // one more user for each socket
  asio::io_context context_{1};
  LoopAcceptor acceptor_;
  WakeTimer deadline_;
  WakeTimer app_deadline_;
  asio::steady_timer pause_;
  asio::steady_timer goodbye_;
  asio::signal_set signals_;
  bool shutting_down_ = false;
  const std::unique_ptr<SessionRecorder> recorder_;  // null: nothing is recorded
  const std::unique_ptr<StateThread> store_;         // null: nothing is kept
  Service service_;
  Apps apps_;
  Faults faults_;
  LiveView live_view_;
  HttpRouter router_;
};

}  // namespace

std::string ServeUntilSignal(LoopOptions options) {
  std::unique_ptr<SessionRecorder> recorder;
  if (options.record.has_value()) {
    options.record->tell = options.tell;
    auto opened = SessionRecorder::Open(*options.record);
    if (!opened.ok()) return TextOf(opened.status());
    recorder = *std::move(opened);
  }
  if (options.state.empty()) {
    return Loop(std::move(options), {}, nullptr, std::move(recorder)).Run();
  }
  absl::StatusOr<std::unique_ptr<StateFile>> file = StateFile::Open(options.state);
  if (!file.ok()) return TextOf(file.status());
  auto state = RestoreFrom(**file, ServerClock().Now(), options.server);
  if (!state.ok()) return TextOf(state.status());
  return Loop(std::move(options), *std::move(state), *std::move(file), std::move(recorder)).Run();
}

}  // namespace presence::serve
