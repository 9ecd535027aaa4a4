#ifndef TOOLS_EXAMPLES_BEAST_CLIENT_H_
#define TOOLS_EXAMPLES_BEAST_CLIENT_H_

// A chat client over WebSockets of Boost.Beast, for programs of one thread: yours to copy.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
// Before Asio, as that of Boost 1.74 wants it.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "presence/message.h"
#include "presence/room/chat_client.h"
#include "presence/room/result.h"
#include "presence/session/client_session.h"

namespace presence::examples {

// Whom to connect to, and as whom.
struct Endpoint {
  std::string host;
  std::string port;
  std::string key;        // NAME:SECRET
  std::string client_id;  // who the user is
};

// The client with its sockets and its clock. Everything happens, callbacks included, inside Step,
// Await and Close. Not copyable or movable.
class BeastClient final : public ClientEnvironment {
 public:
  explicit BeastClient(Endpoint endpoint,
                       const ClientSession::Options& options = OptionsWithSeed());
  ~BeastClient() override;

  ChatClient& client() { return client_; }

  // The usual options, with a seed of its own, so that not all clients of a server that restarts
  // come back at the same moment.
  static ClientSession::Options OptionsWithSeed();

  // Waits for the next thing that happens, of sockets or by the clock, and does what is due.
  void Step();

  // Makes a call and waits until it has completed, as `await` does.
  template <typename T>
  Result<T> Await(absl::FunctionRef<void(absl::AnyInvocable<void(Result<T>)>)> call) {
    std::optional<Result<T>> result;
    call([&](Result<T> given) { result = std::move(given); });
    while (!result.has_value()) Step();
    return *std::move(result);
  }

  // Parts in good order: the user leaves all rooms, and the sockets are closed.
  void Close();

  // What the client wants of the program it lives in.
  Timestamp Now() override;
  void Open(TransportId transport, std::string_view resume_key) override;
  void Send(TransportId transport, std::string_view message) override;
  void Close(TransportId transport) override;
  void OnDiagnostic(std::string_view room, std::string_view text) override;

 private:
  class Socket;

  void Happened(const ClientInput& input);

  const Endpoint endpoint_;
  // A clock that nobody sets, but for its start: time must not jump.
  const Timestamp start_;
  const std::chrono::steady_clock::time_point steady_start_ = std::chrono::steady_clock::now();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  // Those that the client has not closed; an operation under way keeps its socket as well.
  std::map<TransportId, std::shared_ptr<Socket>> sockets_;
  ChatClient client_;
};

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_BEAST_CLIENT_H_
