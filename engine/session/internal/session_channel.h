#ifndef PRESENCE_SESSION_INTERNAL_SESSION_CHANNEL_H_
#define PRESENCE_SESSION_INTERNAL_SESSION_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/connection.h"
#include "presence/error.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"

namespace presence {

// Who waits for a channel to attach or to detach.
//
// Invariants:
//  1. An attach waits only while attaching or detaching, a wish and a detach only while detaching.
//  2. Each request is answered once.
class AttachmentWaiters {
 public:
  using Kind = AttachmentResult::Kind;

  size_t size() const { return attaches_.size() + wishes_.size() + detaches_.size(); }
  // Asked for while attaching: fails if the channel becomes detached.
  void AddAttach(RequestId request) { attaches_.push_back(request); }
  // Asked for while detaching, and so after that: goes on waiting through detached (RTL4h).
  void AddWish(RequestId request) { wishes_.push_back(request); }
  void AddDetach(RequestId request) { detaches_.push_back(request); }
  // A detach that was asked for later than the wishes: they share what becomes of the attaches.
  void DropWishes();
  bool has_wishes() const { return !wishes_.empty(); }

  // The channel came into a state, for `reason` or null: answers those who need not wait any
  // longer. `detach_failure` is what a detach fails with where the channel is not detached.
  // All must live as long as the effects do.
  void OnState(ChannelState state, const ErrorInfo* reason, const ErrorInfo* detach_failure,
               std::string_view channel, SessionEffects& effects);
  // The wishes fail: nobody will attach the channel.
  void FailWishes(const ErrorInfo* error, std::string_view channel, SessionEffects& effects);

  // The first invariant that does not hold in this state; empty if all hold.
  std::string CheckInvariants(ChannelState state) const;

 private:
  // In the order asked.
  std::vector<RequestId> attaches_;
  std::vector<RequestId> wishes_;
  std::vector<RequestId> detaches_;
};

// How far a channel is: the channelSerial that came last (RTL15b).
class ChannelSerial {
 public:
  std::string_view get() const { return serial_; }
  // Gives back what a much longer one needed: channels are many.
  void Set(std::string_view serial);

 private:
  std::string serial_;
};

// A channel of a session, and what the session knows of it that the channel does not.
struct SessionChannel {
  SessionChannel(size_t the_index, std::string_view the_name, const ChannelOptions& options,
                 const Connection& connection)
      : index(the_index),
        name(the_name),
        modes(options.modes),
        channel(options.channel, connection) {}

  const size_t index;      // among the session's channels
  const std::string name;  // not empty
  const uint64_t modes;    // to ask for; 0: any
  Channel channel;
  AttachmentWaiters waiters;
  // Which ATTACH carries, so that the server knows what was missed (RTL4c1). Empty while detached,
  // suspended or failed (RTL15b1), and if none came.
  ChannelSerial serial;
  // Waits for another attach, since attached last (RTB1).
  uint64_t retries = 0;
  // The state that was told last.
  ChannelState told = ChannelState::kInitialized;
  // Where a detach began: the state to go back to if nobody answers it (RTL5f).
  ChannelState before_detach = ChannelState::kAttached;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_SESSION_CHANNEL_H_
