#ifndef TESTS_HOST_HOST_HARNESS_H_
#define TESTS_HOST_HOST_HARNESS_H_

// What the tests of the host share: short ways to write inputs, and a host that checks itself after
// each of them and tells its effects as lines of text.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/room_host.h"
#include "presence/message.h"

namespace presence {

using Lines = std::vector<std::string>;
using Items = std::vector<IncomingItem>;

// An item of an operation; without a client it is for the connection's own.
IncomingItem Op(PresenceAction action, std::string_view client_id = "", std::string_view data = "");
inline IncomingItem EnterOp(std::string_view client_id = "", std::string_view data = "") {
  return Op(PresenceAction::kEnter, client_id, data);
}
inline IncomingItem UpdateOp(std::string_view client_id = "", std::string_view data = "") {
  return Op(PresenceAction::kUpdate, client_id, data);
}
inline IncomingItem LeaveOp(std::string_view client_id = "", std::string_view data = "") {
  return Op(PresenceAction::kLeave, client_id, data);
}
// The same item with an id, as a re-entry has.
IncomingItem WithId(IncomingItem item, std::string_view id);

// A host under test. Each input is applied at `now` and gives its effects as lines:
//
//   to c1: ATTACHED 0|FLAGS [modes=N]   to c1: DETACHED       to c1: ERROR CODE
//   to c1: ACK 3                        to c1: NACK 3 CODE
//   to c1: SYNC host-1:2 [present alice@c1 c1:0:0 t=1000 "data"; ...]
//   to c1 c2: PRESENCE [enter ...; leave ...]
//   event enter alice@c1 n=1            event leave alice@c1 n=0 left|lost
//
// Connections are named by their ids, in inputs by HandleOf; modes are shown if they are not
// kFlagDefaultModes. After each input it is checked that the invariants hold; that the events fold
// to the members, in joining order, and count the connections right; that pages and broadcasts go
// to the attached only, and as far as their modes allow; that a frame is broadcast whole; that no
// member's timestamp decreases for whom it is broadcast to; that an operation is answered exactly
// once; and that the effects come in the documented order.
class HostHarness {
 public:
  explicit HostHarness(const RoomHost::Options& options = {}) : host(options) {}

  // The handle of the connection with this id; one that is not in use if there is none.
  ConnectionHandle HandleOf(std::string_view id);

  Lines Apply(const HostInput& input);
  // Applies an input that must be refused with `code` and change nothing.
  void ApplyRefused(const HostInput& input, absl::StatusCode code);
  Lines Advance();
  // Advances to each deadline in turn, up to `until`, and there.
  Lines AdvanceTo(int64_t until);

  Lines Open(std::string_view id, std::optional<std::string_view> client_id = std::nullopt);
  Lines Lose(std::string_view id,
             std::optional<std::chrono::milliseconds> grace_period = std::nullopt);
  Lines Resume(std::string_view id);
  Lines Close(std::string_view id);
  Lines Attach(std::string_view id, uint64_t flags = 0, const ErrorInfo* refusal = nullptr);
  Lines AttachPermitted(std::string_view id, uint64_t flags, uint64_t permitted);
  Lines Pause(std::string_view id, bool paused = true);
  Lines AskForSync(std::string_view id);
  Lines Detach(std::string_view id);
  Lines Send(std::string_view id, int64_t msg_serial, const Items& items,
             const ErrorInfo* refusal = nullptr);
  // The same, and only what is broadcast of it last; empty: nothing.
  std::string Broadcasts(std::string_view id, int64_t msg_serial, const Items& items);
  // Opens and attaches; the connections' clients are as named.
  void Join(std::string_view id, std::string_view client_id);

  // client@connection id, in joining order.
  Lines Members() const;

  RoomHost host;
  HostEffects effects;  // of the last input
  int64_t now = 1000;

 private:
  Lines Told() const;
  void Check(const HostInput* input);

  // In the order in which they were first spoken of. Later ones have lower handles, so that an
  // order by handle would be seen.
  std::vector<std::string> ids_;
  std::map<ConnectionHandle, uint64_t> modes_;               // as granted last
  std::vector<std::pair<std::string, std::string>> folded_;  // connection and client, as joined
  // Of each member ever, by who was told.
  std::map<std::pair<ConnectionHandle, std::pair<std::string, std::string>>, Timestamp> latest_;
};

// One item as a line, as above; and the code of an error.
std::string LineOf(const OutItem& item);

ErrorInfo HostErrorOf(int64_t code);

}  // namespace presence

#endif  // TESTS_HOST_HOST_HARNESS_H_
