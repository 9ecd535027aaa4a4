#ifndef TOOLS_SERVE_BOOST_ASIO_H_
#define TOOLS_SERVE_BOOST_ASIO_H_

// Asio, of which Boost 1.74 wants this header first with C++20.
#include <utility>
// And now Asio.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace presence::serve {

// A client's socket, and who accepts it. They name their executor's type, as one that holds any
// kind is copied several times for each message that is sent.
using LoopExecutor = boost::asio::io_context::executor_type;
using LoopSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, LoopExecutor>;
using LoopAcceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, LoopExecutor>;

}  // namespace presence::serve

#endif  // TOOLS_SERVE_BOOST_ASIO_H_
