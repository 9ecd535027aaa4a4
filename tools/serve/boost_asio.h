#ifndef TOOLS_SERVE_BOOST_ASIO_H_
#define TOOLS_SERVE_BOOST_ASIO_H_

// Asio, of which Boost 1.74 wants this header first with C++20.
#include <utility>
// And now Asio.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#endif  // TOOLS_SERVE_BOOST_ASIO_H_
