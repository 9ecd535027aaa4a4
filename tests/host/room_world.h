#ifndef TESTS_HOST_ROOM_WORLD_H_
#define TESTS_HOST_ROOM_WORLD_H_

// A room host and clients, each with its connection: frames go as JSON over ordered links that can
// be lost. What is due happens when the test says so. Checks the host after every step.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/connection.h"
#include "presence/client/effects.h"
#include "presence/client/outbox.h"
#include "presence/host/host_effects.h"
#include "presence/host/room_host.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence {

class RoomWorld {
 public:
  // A client with its channel, on one connection after the other.
  struct Client {
    std::string identity;  // its clientId; "*": any
    uint64_t modes = 0;    // that it asks for; 0: all
    Channel channel{Channel::Options()};
    Connection connection;
    Outbox outbox;
    ConnectionHandle handle = 0;  // of its connection; others come after others
    std::string connection_id;    // empty: none that can be resumed
    bool online = false;
    std::deque<std::string> to_host;  // on their way
    std::deque<std::string> to_client;
    RequestId next_request = 1;
    uint64_t refused = 0;  // operations and re-entries that failed
  };

  explicit RoomWorld(const RoomHost::Options& options);
  // Another host in the place of this one, as after a restart; all connections are lost with it.
  void ReplaceHost(std::unique_ptr<RoomHost> host);

  // Makes a client, online.
  Client& Add(std::string_view identity, uint64_t modes = 0);
  size_t size() const { return clients_.size(); }
  Client& client(size_t i) { return *clients_[i]; }

  // --- What may happen; each does nothing where it cannot ---

  // A new connection, or the old one if the host still has it.
  void GoOnline(Client& client);
  // The transport is lost, and what was on its way with it.
  void GoOffline(Client& client);
  // The connection is closed for good; online again it is another one.
  void Close(Client& client);
  void Attach(Client& client);
  void Detach(Client& client);
  // It sends ATTACH though it is attached, and SYNC, as some clients do.
  void AttachAgain(Client& client);
  void AskForSync(Client& client);
  // Its transport takes no more pages, until the next Drain.
  void Pause(Client& client);
  // An operation; nullopt: for the connection's own client.
  void Operate(Client& client, PresenceAction action, std::optional<std::string_view> client_id,
               std::string_view data);
  // The next frame on its way arrives. False: there was none.
  bool DeliverToHost(Client& client);
  bool DeliverToClient(Client& client);
  void Advance();
  // Everything arrives, and what is due for it is done: syncs, batches.
  void Drain();

  // --- What must hold ---

  // The first thing that is wrong, in words. After Drain, for each client that is attached: its
  // sync is complete, its set is the host's, nothing is unanswered. Who may not see presence has
  // nobody but members of its own.
  std::string Problem();
  // The members, sorted by key: everything there is to know of each, as a line.
  static std::vector<std::string> LinesOf(const MemberSet& members);

  RoomHost& host() { return *host_; }
  int64_t now = 1'000'000;
  // Cases that came up.
  uint64_t pages_with_changes_between = 0;

 private:
  // A sync as seen from outside: who was there at its first page, and how often each was on one.
  struct SyncWatch {
    std::string id;
    std::map<uint64_t, int> pages_of;  // by joining number
    uint64_t changes = 0;              // of the set since the last page
  };

  void ApplyToHost(const HostInput& input);
  void Carry();
  void Watch(const HostEffect& effect);
  void Apply(Client& client, const ChannelInput& input);
  void Connect(Client& client, const ConnectionUpdate& update);
  void Receive(Client& client, std::string_view json);
  static void AppendAttachOf(const Client& client, std::string& json);
  void Fail(std::string problem);

  std::unique_ptr<RoomHost> host_;
  HostEffects host_effects_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<ConnectionHandle, SyncWatch> syncs_;
  std::set<ConnectionHandle> announced_;  // by ATTACHED, and no page has come yet
  std::set<ConnectionHandle> paused_;
  wire::FrameReader reader_;
  int64_t next_connection_ = 1;
  std::string problem_;
};

}  // namespace presence

#endif  // TESTS_HOST_ROOM_WORLD_H_
