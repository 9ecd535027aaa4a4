#ifndef TESTS_README_ANSWERING_SOCKETS_H_
#define TESTS_README_ANSWERING_SOCKETS_H_

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/session/session_input.h"
#include "tools/examples/session_loop.h"

namespace presence::examples {

// Sockets that answer what they are sent at once. Inputs, of a session or of a client, wait here
// until the test hands them out; what the loop does with the sockets is logged.
template <typename Input>
class AnsweringSockets : public WebSockets {
 public:
  std::vector<std::string> log;

  void Open(TransportId socket, std::string_view resume_key) override {
    log.push_back("open " + std::string(resume_key));
    Then(TransportOpened{socket});
    Say(socket, R"({"action":4,"connectionId":"c1","connectionDetails":)"
                R"({"clientId":"me","connectionKey":"k1"}})");
  }
  void Send(TransportId socket, std::string_view message) override {
    log.push_back("send " + std::string(message));
    if (message.starts_with(R"({"action":10,)")) Say(socket, R"({"action":11,"channel":"room"})");
    if (message.starts_with(R"({"action":14,)")) Say(socket, R"({"action":1,"msgSerial":0})");
    if (message.starts_with(R"({"action":7)")) Say(socket, R"({"action":8})");
  }
  void Close(TransportId) override { log.push_back("close"); }

  void Then(const Input& input) { inputs_.push_back(input); }
  void Say(TransportId socket, std::string bytes) {
    bytes_.push_back(std::move(bytes));
    Then(TransportReceived{socket, bytes_.back()});
  }

 protected:
  bool has_input() const { return next_ < inputs_.size(); }
  // REQUIRES: has_input(). It stays where it is.
  const Input* TakeInput() { return &inputs_[next_++]; }

 private:
  std::deque<std::string> bytes_;
  std::deque<Input> inputs_;  // a deque, so that what is handed out stays where it is
  size_t next_ = 0;
};

}  // namespace presence::examples

#endif  // TESTS_README_ANSWERING_SOCKETS_H_
