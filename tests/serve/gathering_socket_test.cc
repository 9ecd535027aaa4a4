#include "tools/serve/gathering_socket.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// After it, as it is Asio, too.
#include <boost/asio/read.hpp>

#include "gtest/gtest.h"

namespace presence::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Two ends of a connection whose buffers are small beside what is written.
class GatheringSocketTest : public ::testing::Test {
 protected:
  static constexpr int kBuffer = 4096;

  GatheringSocketTest() {
    LoopAcceptor acceptor(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    reader_.open(tcp::v4());
    reader_.set_option(asio::socket_base::receive_buffer_size(kBuffer));
    reader_.connect(acceptor.local_endpoint());
    LoopSocket accepted = acceptor.accept();
    accepted.set_option(asio::socket_base::send_buffer_size(kBuffer));
    socket_.emplace(std::move(accepted));
  }

  // `text` must stay. What comes of it stands in done_, by the text's first character.
  void Write(const std::string& text) {
    socket_->async_write_some(asio::buffer(text), [this, &text](error_code error, size_t bytes) {
      done_ += text.front();
      if (error) ++failed_;
      EXPECT_TRUE(error || bytes == text.size()) << bytes;
    });
  }

  asio::io_context context_;
  LoopSocket reader_{context_};
  std::optional<GatheringSocket> socket_;
  std::string done_;
  int failed_ = 0;
};

TEST_F(GatheringSocketTest, WhatIsWrittenMeanwhileComesAfterTheWholeOfIt) {
  const std::string messages(1'000'000, 'm');
  const std::string pong = "pong";
  const std::string close(10 * kBuffer, 'c');
  Write(messages);
  // All that goes has gone, and most has not.
  while (context_.poll_one() > 0) {
  }
  ASSERT_EQ(done_, "");
  Write(pong);
  Write(close);
  std::string got(messages.size() + pong.size() + close.size(), '\0');
  asio::async_read(reader_, asio::buffer(got),
                   [](error_code error, size_t) { EXPECT_FALSE(error) << error.message(); });
  context_.run();
  // Not compared as texts, as a difference would be printed.
  EXPECT_TRUE(got == messages + pong + close);
  EXPECT_EQ(done_, "mpc");
}

TEST_F(GatheringSocketTest, OneBufferAfterTheOtherIsOneWrite) {
  const std::string head = "head";
  const std::string body(5 * kBuffer, 'b');
  const std::vector<asio::const_buffer> both = {asio::buffer(head), asio::buffer(body)};
  size_t written = 0;
  socket_->async_write_some(both, [&](error_code error, size_t bytes) {
    EXPECT_FALSE(error) << error.message();
    written = bytes;
  });
  std::string got(head.size() + body.size(), '\0');
  asio::async_read(reader_, asio::buffer(got),
                   [](error_code error, size_t) { EXPECT_FALSE(error) << error.message(); });
  context_.run();
  EXPECT_TRUE(got == head + body);
  EXPECT_EQ(written, got.size());
}

TEST_F(GatheringSocketTest, AllThatWaitAreToldThatItIsClosed) {
  const std::string messages(1'000'000, 'm');
  const std::string pong = "pong";
  const std::string close = "close";
  Write(messages);
  Write(pong);
  Write(close);
  while (context_.poll_one() > 0) {
  }
  socket_->next_layer().close();
  context_.run();
  EXPECT_EQ(done_.size(), 3u);
  EXPECT_EQ(failed_, 3);
}

TEST_F(GatheringSocketTest, WhoeverDestroysItEndsWhatIsUnderWay) {
  const std::string messages(1'000'000, 'm');
  const std::string pong = "pong";
  Write(messages);
  Write(pong);
  socket_.reset();
  context_.run();
  EXPECT_EQ(done_.size(), 2u);
  EXPECT_EQ(failed_, 2);
}

}  // namespace
}  // namespace presence::serve
