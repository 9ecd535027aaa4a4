#ifndef TESTS_SESSION_SERVER_WORLD_CLIENT_H_
#define TESTS_SESSION_SERVER_WORLD_CLIENT_H_

// For the sources of ServerWorld only.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/session/client_session.h"
#include "tests/session/server_world.h"
#include "tests/session/watched_session.h"

namespace presence {

inline constexpr std::string_view kChannels[] = {"room", "hall"};

// One session, with what it wishes its transports to be, and what it has asked for.
struct ServerWorld::Client : WatchedSession::Owner {
  Client(ServerWorld& the_world, size_t the_index, const ClientSession::Options& options)
      : world(the_world), index(the_index), watched(options, *this, the_world.log_) {}

  void Open(TransportId transport, std::string_view resume_key) override {
    latest = transport;
    links[transport].resume_key = resume_key;
  }
  void Send(TransportId transport, std::string_view bytes) override {
    Link& link = links[transport];
    if (!link.mute_up) link.up.emplace_back(bytes);
  }
  void Close(TransportId transport) override { links[transport].client_end = false; }
  void GetToken() override { token_wanted = true; }
  void OnResult(std::string_view channel, const CallResult& result) override {
    const auto asked = operations.find(result.request);
    if (asked == operations.end()) return;
    Intent& intent = intents[{std::string(channel), asked->second}];
    if (intent.request == result.request) {
      intent.answered = true;
      intent.worked = result.error == nullptr;
    }
    operations.erase(asked);
  }
  // Who is detached or failed, or begins anew, has no wishes any more; nor who was refused entry
  // again.
  void OnChannel(std::string_view channel, const Effect& effect) override {
    const auto* changed = std::get_if<StateChanged>(&effect);
    const auto* updated = std::get_if<ChannelUpdate>(&effect);
    const bool over = changed != nullptr ? changed->state == ChannelState::kInitialized ||
                                               changed->state == ChannelState::kDetached ||
                                               changed->state == ChannelState::kFailed
                                         : updated != nullptr && updated->reason != nullptr &&
                                               updated->reason->code == kReentryFailed;
    if (!over) return;
    for (auto& [key, intent] : intents) {
      if (key.first == channel) intent.worked = false;
    }
  }
  bool IsUp() const {
    const auto link = links.find(watched.transport());
    return watched.state() == SessionState::kConnected && link != links.end() &&
           link->second.handle != 0 && !link->second.ending && !link->second.mute_up &&
           !link->second.mute_down;
  }

  // The last thing that was asked for a member of this client.
  struct Intent {
    RequestId request = 0;
    PresenceAction action = PresenceAction::kEnter;
    std::string data;
    bool answered = false;
    bool worked = false;
  };

  ServerWorld& world;
  const size_t index;
  std::map<TransportId, Link> links;
  TransportId latest = 0;
  bool token_wanted = false;
  std::map<RequestId, std::string> operations;                    // the clients that they name
  std::map<std::pair<std::string, std::string>, Intent> intents;  // by channel and client
  WatchedSession watched;
};

}  // namespace presence

#endif  // TESTS_SESSION_SERVER_WORLD_CLIENT_H_
