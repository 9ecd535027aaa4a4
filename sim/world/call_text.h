#ifndef SIM_WORLD_CALL_TEXT_H_
#define SIM_WORLD_CALL_TEXT_H_

#include <string>
#include <string_view>

#include "presence/client/channel_input.h"
#include "presence/session/session_input.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// Rooms make calls that nobody waits for, with the request 0, and number subscriptions each for
// itself. In a trace that is a text, as JSON has it.
std::string SubscriptionName(std::string_view channel, SubscriptionId id);

// A call of a session as a line of a trace has it; its texts hold as long as it and the call do.
class CallText {
 public:
  explicit CallText(const ChannelCall& call);
  CallText(const CallText&) = delete;
  CallText& operator=(const CallText&) = delete;

  const CallLine& line() const { return line_; }
  const std::string& id() const { return id_; }

 private:
  void Take(const GetCall& call);
  void Take(const IsUserPresentCall& call);
  void Take(const SubscribeCall& call);
  void Take(const UnsubscribeCall& call);
  void Take(const OperationCall& call);
  void Name(CallLine::Name name, RequestId request);

  CallLine line_;
  std::string id_;
  std::string of_;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_CALL_TEXT_H_
