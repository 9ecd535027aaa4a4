#ifndef TESTS_CLIENT_CHANNEL_HARNESS_H_
#define TESTS_CLIENT_CHANNEL_HARNESS_H_

// What the tests of the channel share: short ways to write inputs, and a channel that checks itself
// after each of them and tells its effects as lines of text.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"

namespace presence {

using Lines = std::vector<std::string>;
using Items = std::vector<IncomingItem>;

// An item of a frame. `who` is client@connection, split at the last '@'; without one it names the
// client only.
struct Item : IncomingItem {
  Item(PresenceAction item_action, std::string_view who, std::string_view item_id);
  Item At(int64_t ms) const;
  Item Data(std::string_view data) const;
};
inline Item Enter(std::string_view who, std::string_view id = "") {
  return {PresenceAction::kEnter, who, id};
}
inline Item Present(std::string_view who, std::string_view id = "") {
  return {PresenceAction::kPresent, who, id};
}
inline Item Update(std::string_view who, std::string_view id = "") {
  return {PresenceAction::kUpdate, who, id};
}
inline Item Leave(std::string_view who, std::string_view id = "") {
  return {PresenceAction::kLeave, who, id};
}

// A payload that is a string.
Payload Text(std::string_view data);

// An error as a server sends it.
ErrorInfo ErrorOf(int64_t code);

inline constexpr ChannelState kAllStates[] = {
    ChannelState::kInitialized, ChannelState::kAttaching, ChannelState::kAttached,
    ChannelState::kDetaching,   ChannelState::kDetached,  ChannelState::kSuspended,
    ChannelState::kFailed,
};

// A channel under test. Each input is applied at `now` and gives its effects as lines:
//
//   state attached [CODE [< CAUSE]]         sync started|completed|discarded [ID]
//   cleared 3                               diagnostic TEXT
//   enter alice@c1 [ID] [t=MS] n=1 [PAYLOAD]   leave alice@c1 ... n=0 left|lost|swept|empty
//   [PAYLOAD] result 7 ok|yes|no|[alice@c1 bob@c2]|error CODE [< CAUSE] send ATTACH|DETACH send
//   #TOKEN enter [CLIENT] [id=ID] [PAYLOAD] update resumed=false [CODE [< CAUSE]]
//
// A timestamp is shown where it differs from `now`. After each input it is checked that the
// invariants hold; that the events fold to the visible members, in joining order, and count the
// connections right; that effects come in the documented order; that the statistics count what was
// told; that each call is answered once at most and in kind, and that a token always names the same
// frame.
class ChannelHarness {
 public:
  explicit ChannelHarness(const Channel::Options& options = {}) : channel(options) {}

  Lines Apply(const ChannelInput& input);
  // Applies an input that must be refused with `code` and change nothing.
  void ApplyRefused(const ChannelInput& input, absl::StatusCode code);

  Lines Attached(uint64_t flags = 0, const ErrorInfo* error = nullptr);
  Lines Detached(const ErrorInfo* error = nullptr);
  Lines Error(const ErrorInfo* error = nullptr);
  Lines Presence(const Items& items);
  Lines Sync(std::string_view channel_serial, const Items& items = {});
  Lines Move(ChannelState state, const ErrorInfo* reason = nullptr);
  // Connected, with all there is to know; `client_id` as in ConnectionUpdate.
  Lines Connected(std::string_view id, std::optional<std::string_view> client_id = std::nullopt);
  // Not connected any more. Id and identity stay known, as owners keep them.
  Lines Lost(ConnectionState state, const ErrorInfo* reason = nullptr);
  Lines Ack(OperationToken token, int64_t msg_serial);
  Lines Nack(OperationToken token, const ErrorInfo* error = nullptr);
  Lines Get(RequestId request, std::string_view client_id = "",
            std::string_view connection_id = "");
  Lines GetNow(RequestId request);  // without waiting for a sync
  Lines IsUserPresent(RequestId request, std::string_view client_id);
  Lines Subscribe(RequestId request);
  Lines Operate(RequestId request, PresenceAction action,
                std::optional<std::string_view> client_id = std::nullopt, Payload payload = {});

  // Brings a new channel into `state`; alice@c1 is present where somebody can be, her sync
  // complete.
  void BringTo(ChannelState state);

  // The visible members, and the own ones: client@connection id, in order.
  Lines Members() const;
  Lines OwnMembers() const;

  Channel channel;
  Effects effects;  // of the last input
  int64_t now = 1000;

 private:
  struct Member {
    std::string client_id;
    std::string connection_id;
    std::string shown;  // id, timestamp and payload
  };

  void Check(const ChannelInput& input);
  void CheckEffect(const Effect& effect);
  void Fold(const MemberEvent& event);
  std::string Render(const Effect& effect) const;

  std::vector<Member> folded_;
  std::map<RequestId, CallResult::Kind> unanswered_;
  std::map<OperationToken, std::string> tokens_;  // what was sent under each
  int last_rank_ = 0;
  Channel::Stats expected_;  // what the effects told
};

inline constexpr PresenceAction kOperations[] = {PresenceAction::kEnter, PresenceAction::kUpdate,
                                                 PresenceAction::kLeave};

// "result 7 error 90001", as a line of an input that fails the call 7.
std::string ErrorLine(RequestId request, std::string_view code);

// Attached on connection c1, which may act for anybody.
void AttachAnybody(ChannelHarness& harness);
// The same, `clients` entered and acknowledged: msgSerials and tokens from 0 and 1 on.
void AttachWithOwn(ChannelHarness& harness, const std::vector<std::string>& clients);

}  // namespace presence

#endif  // TESTS_CLIENT_CHANNEL_HARNESS_H_
