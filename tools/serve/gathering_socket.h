#ifndef TOOLS_SERVE_GATHERING_SOCKET_H_
#define TOOLS_SERVE_GATHERING_SOCKET_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "tools/serve/boost_asio.h"
// After it, as they are Asio, too.
#include <boost/asio/write.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include "absl/functional/any_invocable.h"

namespace presence::serve {

// A socket below a WebSocket of Beast's whose writes wait for each other, so that its owner can
// write messages of his own, many at once, between the pings, pongs and closes that Beast writes.
// Each is written whole before the next begins.
class GatheringSocket {
 public:
  using executor_type = LoopExecutor;
  using next_layer_type = LoopSocket;

  explicit GatheringSocket(LoopSocket socket)
      : state_(std::make_shared<State>(std::move(socket))) {}
  GatheringSocket(GatheringSocket&&) = default;
  GatheringSocket& operator=(GatheringSocket&&) = delete;
  ~GatheringSocket() {
    // What is under way ends, and what waits behind it.
    boost::system::error_code ignored;
    if (state_ != nullptr) state_->socket.close(ignored);
  }

  executor_type get_executor() { return state_->socket.get_executor(); }
  LoopSocket& next_layer() { return state_->socket; }
  const LoopSocket& next_layer() const { return state_->socket; }

  template <typename Buffers, typename Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    state_->socket.async_read_some(buffers, std::forward<Handler>(handler));
  }

  // Of `buffers` all is written, when it is their turn; they must stay good until then.
  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (!state_->is_writing) return Write(state_, buffers, std::forward<Handler>(handler));
    state_->waiting.push_back([buffers, handler = std::forward<Handler>(handler)](
                                  const std::shared_ptr<State>& state) mutable {
      Write(state, buffers, std::move(handler));
    });
  }

 private:
  struct State {
    explicit State(LoopSocket with) : socket(std::move(with)) {}

    LoopSocket socket;
    bool is_writing = false;
    // A few at most. Not a deque, of which an empty one takes half a KiB.
    std::vector<absl::AnyInvocable<void(const std::shared_ptr<State>&)>> waiting;
  };

  template <typename Buffers, typename Handler>
  static void Write(const std::shared_ptr<State>& state, const Buffers& buffers,
                    Handler&& handler) {
    state->is_writing = true;
    boost::asio::async_write(state->socket, buffers,
                             [state, handler = std::forward<Handler>(handler)](
                                 boost::system::error_code error, size_t bytes) mutable {
                               state->is_writing = false;
                               if (!state->waiting.empty()) {
                                 auto next = std::move(state->waiting.front());
                                 state->waiting.erase(state->waiting.begin());
                                 next(state);
                               }
                               handler(error, bytes);
                             });
  }

  std::shared_ptr<State> state_;  // what is under way needs it, too
};

// How Beast ends it, as any socket of TCP.
template <typename Handler>
void async_teardown(boost::beast::role_type role, GatheringSocket& socket, Handler&& handler) {
  boost::beast::websocket::async_teardown(role, socket.next_layer(),
                                          std::forward<Handler>(handler));
}

}  // namespace presence::serve

#endif  // TOOLS_SERVE_GATHERING_SOCKET_H_
