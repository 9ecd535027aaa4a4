// Whatever arrives, whenever it does: a session refuses what is no frame, and keeps its invariants
// and promises. Each line of the input is what its transport receives; or, after a "+", something
// that its owner does:
//
//   +connect  +close  +opened  +lost  +active  +token [TOKEN]  +no-token [STATUS]
//   +attach ROOM  +detach ROOM  +enter ROOM  +leave ROOM  +get ROOM  +wait MS (with what falls due)

#include <algorithm>
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

namespace presence {
namespace {

constexpr size_t kLines = 1'000;
constexpr int64_t kLongestWait = 1'000'000;
constexpr int kWakings = 100;  // in one wait

// A number from 0 to `limit`; 0 if there is none.
int64_t NumberOf(std::string_view text, int64_t limit) {
  int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    number = std::min(limit, number * 10 + (c - '0'));
  }
  return number;
}

class Owner {
 public:
  void Line(std::string_view line) {
    if (!line.starts_with('+')) return Apply(TransportReceived{transport_, line});
    const size_t space = std::min(line.find(' '), line.size());
    const std::string_view what = line.substr(0, space);
    const std::string_view rest = space < line.size() ? line.substr(space + 1) : "";
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
    if (what == "+wait") return Wait(NumberOf(rest, kLongestWait));
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

  void Wait(int64_t ms) {
    const int64_t end = now_ms_ + ms;
    for (int i = 0; i < kWakings; ++i) {
      const std::optional<Timestamp> next = session_.NextDeadline();
      if (!next.has_value() || ToMs(*next) > end) break;
      now_ms_ = std::max(now_ms_, ToMs(*next));
      Wake();
    }
    now_ms_ = end;
    Wake();
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
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  presence::Owner owner;
  for (size_t i = 0; i < presence::kLines && !rest.empty(); ++i) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    owner.Line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
