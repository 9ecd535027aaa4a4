#ifndef TESTS_CLIENT_CHANNEL_TEST_PEER_H_
#define TESTS_CLIENT_CHANNEL_TEST_PEER_H_

#include <vector>

#include "presence/client/channel.h"
#include "presence/client/internal/waiters.h"

namespace presence {

// Reaches into a channel to break what it promises of itself, as no input can.
struct ChannelTestPeer {
  static ChannelState& state(Channel& channel) { return channel.state_; }
  static bool& wishes_attach(Channel& channel) { return channel.wishes_attach_; }
  static Connection& connection(Channel& channel) { return channel.connection_; }
  static SyncTracker& sync(Channel& channel) { return channel.sync_; }
  static MemberSet& members(Channel& channel) { return channel.members_; }
  static OwnMembers& own_members(Channel& channel) { return channel.own_members_; }
  static Waiters& waiters(Channel& channel) { return channel.waiters_; }
  static Operations& operations(Channel& channel) { return channel.operations_; }
  static std::vector<Channel::Subscription>& subscriptions(Channel& channel) {
    return channel.subscriptions_;
  }
};

}  // namespace presence

#endif  // TESTS_CLIENT_CHANNEL_TEST_PEER_H_
