// Whatever arrives, whenever it does: a session refuses what is no frame, and keeps its invariants
// and promises. Each line of the input is what its transport receives; or, after a "+", something
// that its owner does:
//
//   +connect  +close  +opened  +lost  +active  +token [TOKEN]  +no-token [STATUS]
//   +attach ROOM  +detach ROOM  +enter ROOM  +leave ROOM  +get ROOM  +wait MS (with what falls due)

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/owner_lines.h"

namespace presence {
namespace {

class Owner {
 public:
  void Line(std::string_view line) {
    if (!line.starts_with('+')) return Apply(TransportReceived{transport_, line});
    std::string_view rest = line;
    const std::string_view what = NextWord(rest);
    if (what == "+connect") return Apply(ConnectCall{});
    if (what == "+close") return Apply(CloseCall{});
    if (what == "+opened") return Apply(TransportOpened{transport_});
    if (what == "+lost") return Lose();
    if (what == "+active") return Apply(TransportActive{transport_});
    if (what == "+token") return Apply(TokenRenewed{rest});
    if (what == "+no-token") {
      ErrorInfo error;
      error.status_code = NumberOf(rest, 1'000);
      return Apply(TokenFailed{&error});
    }
    if (what == "+wait") {
      return PassTime(session_, NumberOf(rest, kLongestWait), now_ms_, [this] { Wake(); });
    }
    if (rest.empty()) return;  // a channel has a name
    if (what == "+attach") return Apply(AttachCall{rest, Asked()});
    if (what == "+detach") return Apply(DetachCall{rest, Asked()});
    if (what == "+get") {
      GetCall get;
      get.request = Asked();
      return Apply(ChannelCall{rest, get});
    }
    if (what == "+enter" || what == "+leave") {
      OperationCall call;
      call.request = Asked();
      call.action = what == "+enter" ? PresenceAction::kEnter : PresenceAction::kLeave;
      return Apply(ChannelCall{rest, call});
    }
  }

 private:
  RequestId Asked() {
    waiting_.insert(++request_);
    return request_;
  }

  void Apply(const SessionInput& input) {
    const absl::Status status = session_.Apply(TimestampFromMs(now_ms_), input, effects_);
    if (!status.ok()) {
      FuzzCheck(status.code() == absl::StatusCode::kInvalidArgument && !status.message().empty(),
                "refused in the wrong way", status.ToString());
      FuzzCheck(effects_.empty(), "effects of what was refused");
    }
    CarryOut();
  }

  // A lost transport is gone without another word of the session's.
  void Lose() {
    const TransportId lost = transport_;
    transport_ = 0;
    Apply(TransportClosed{lost, nullptr});
  }

  void Wake() {
    session_.AdvanceTo(TimestampFromMs(now_ms_), effects_);
    CarryOut();
    const std::optional<Timestamp> next = session_.NextDeadline();
    FuzzCheck(!next.has_value() || ToMs(*next) > now_ms_, "a deadline is due after AdvanceTo");
  }

  void CarryOut() {
    for (const SessionEffect& effect : effects_) {
      if (const auto* open = std::get_if<OpenTransport>(&effect)) {
        FuzzCheck(open->transport > last_transport_, "a transport's number is used again");
        FuzzCheck(transport_ == 0, "two transports at once");
        transport_ = last_transport_ = open->transport;
      } else if (const auto* close = std::get_if<CloseTransport>(&effect)) {
        FuzzCheck(close->transport == transport_, "a transport is closed that is none");
        transport_ = 0;
      } else if (const auto* send = std::get_if<SendBytes>(&effect)) {
        FuzzCheck(send->transport == transport_, "bytes for a transport that is none");
      } else if (const auto* result = std::get_if<AttachmentResult>(&effect)) {
        FuzzCheck(waiting_.erase(result->request) == 1, "an answer that nobody waits for");
      } else if (const auto* of_channel = std::get_if<ChannelEffect>(&effect)) {
        if (const auto* answer = std::get_if<CallResult>(of_channel->effect)) {
          FuzzCheck(waiting_.erase(answer->request) == 1, "an answer that nobody waits for");
        }
      }
    }
    const std::string broken = session_.CheckInvariants();
    FuzzCheck(broken.empty(), "an invariant does not hold", broken);
  }

  int64_t now_ms_ = 1'000;
  ClientSession session_{ClientSession::Options()};
  SessionEffects effects_;
  TransportId transport_ = 0;  // 0: none
  TransportId last_transport_ = 0;
  RequestId request_ = 0;
  std::set<RequestId> waiting_;
};

}  // namespace
}  // namespace presence

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  presence::Owner owner;
  presence::GiveLines(data, size, owner);
  return 0;
}
