// What must be so in a world with a server: after each input, and once everything has arrived.

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "presence/client/channel.h"
#include "presence/host/room_host.h"
#include "presence/message.h"
#include "presence/wire/snapshot.h"
#include "tests/session/server_world.h"
#include "tests/session/server_world_client.h"

namespace presence {

void ServerWorld::Hear(const RoomEvent& event) {
  Members& members = folded_[std::string(event.room)];
  const Message& message = event.event.message;
  const WatchedSession::Key key(message.connection_id, message.client_id);
  if (event.event.type != EventType::kLeave) {
    members[key] = message.payload.data;
  } else if (members.erase(key) == 0) {
    Wrong("the server: somebody left who was not there");
  }
}

void ServerWorld::CheckServer() {
  if (const std::string broken = server_->CheckInvariants(); !broken.empty()) Wrong(broken);
  for (const std::string_view name : kChannels) {
    Members members;
    if (const RoomHost* const room = server_->FindRoom(name)) {
      room->members().ForEach([&](const Message& member) {
        members[{std::string(member.connection_id), std::string(member.client_id)}] =
            member.payload.data;
      });
    }
    if (members != folded_[std::string(name)]) Wrong("the server's events do not fold to a room");
  }
  // Both are costly, and what goes wrong stays so.
  ++inputs_;
  if (inputs_ % 64 == 0) CheckReplica();
  if (inputs_ % 97 == 0) Replicate();
}

// Another replica takes over, by way of text. It knows of a refusal only by inputs since.
void ServerWorld::Replicate() {
  if (refuses_ || server_->shutting_down()) return;
  std::string text;
  wire::AppendSnapshot(server_->ExportWithTransports(), text);
  const absl::StatusOr<ServerSnapshot> snapshot = wire::ParseServerSnapshot(text);
  if (!snapshot.ok()) return Wrong("not read again: " + snapshot.status().ToString());
  auto replica = Server::Replicate(options_, *snapshot);
  if (!replica.ok()) return Wrong("not replicated: " + replica.status().ToString());
  if ((*replica)->ExportWithTransports() != *snapshot) Wrong("a replica is in another state");
  replica_ = *std::move(replica);
  ++seen_.replicated;
}

void ServerWorld::CheckReplica() {
  if (const std::string broken = replica_->CheckInvariants(); !broken.empty()) {
    Wrong("the replica: " + broken);
  }
  const auto without_transports = [&](const Server& server) {
    const auto restored = Server::Restore(TimestampFromMs(now_ms_), options_, server.Export());
    if (!restored.ok()) return ServerSnapshot();
    ServerSnapshot snapshot = (*restored)->Export();
    // What waited for BytesTaken there went out earlier here.
    for (ServerSnapshot::Room& room : snapshot.rooms) {
      for (RoomSnapshot::Connection& connection : room.room.connections) {
        connection.next_page = Timestamp::min();
      }
    }
    return snapshot;
  };
  const ServerSnapshot here = without_transports(*server_);
  const ServerSnapshot there = without_transports(*replica_);
  if (here == there) return;
  std::string text = "the replica has come to another state:\n";
  wire::AppendSnapshot(here, text);
  wire::AppendSnapshot(there, text += "\n");
  Wrong(std::move(text));
}

// Whoever is attached, in sync and reachable has the members of the room.
void ServerWorld::Compare(bool at_rest) {
  for (const auto& client : clients_) {
    if (!client->IsUp()) continue;
    for (const std::string_view name : kChannels) {
      const Channel* const channel = client->watched.session().FindChannel(name);
      if (channel == nullptr || channel->state() != ChannelState::kAttached) continue;
      const RoomHost* const room = server_->FindRoom(name);
      const std::string where = std::to_string(client->index) + " in " + std::string(name);
      if (room == nullptr) {
        Wrong("attached where there is no room: " + where);
        continue;
      }
      if (!channel->sync_complete() || room->pending_items() > 0) {
        if (at_rest) Wrong("not in sync: " + where);
        continue;
      }
      if (client->watched.members(name) != folded_[std::string(name)]) {
        Wrong("other members than the room has: " + where);
      }
      ++seen_.rooms_compared;
      seen_.members_compared += room->size();
    }
  }
}

void ServerWorld::CompareIntents() {
  for (const auto& client : clients_) {
    const std::string id(client->watched.session().connection().id());
    for (const auto& [key, intent] : client->intents) {
      const auto& [name, member] = key;
      const Channel* const channel = client->watched.session().FindChannel(name);
      if (!client->IsUp() || channel->state() != ChannelState::kAttached || !intent.worked) {
        continue;
      }
      ++seen_.intents_compared;
      const Members& room = folded_[name];
      const auto found = room.find({id, member});
      if (intent.action == PresenceAction::kLeave) {
        if (found != room.end()) Wrong(member + " has left and is there in " + name);
      } else if (found == room.end()) {
        Wrong(member + " was entered and is not there in " + name);
      } else if (found->second != intent.data) {
        Wrong(member + " is there with other data in " + name);
      }
    }
  }
}

}  // namespace presence
