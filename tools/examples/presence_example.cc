// A user enters a chat room, looks around, and leaves. Comments show the lines of JavaScript that a
// web client has in their place.

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/room/chat_client.h"
#include "presence/room/room.h"
#include "tools/examples/in_process.h"

using presence::JsonObject;
using presence::PresenceEvent;
using presence::PresenceMember;

int main() {
  presence::examples::InProcess server;
  presence::examples::User carol(server, "carol-789");
  carol.client().Connect();
  server.Await<void>([&](auto done) { carol.client().room("my-room").Attach(std::move(done)); });
  server.Await<void>(
      [&](auto done) { carol.client().room("my-room").presence().Enter({}, std::move(done)); });
  presence::examples::User alice(server, "alice-123");
  presence::ChatClient& client = alice.client();
  client.Connect();

  // shown in README.md
  // const room = await chatClient.rooms.get('my-room');
  presence::Room& room = client.room("my-room");

  // await room.attach();
  server.Await<void>([&](auto done) { room.Attach(std::move(done)); });

  // const { unsubscribe } = room.presence.subscribe((event) => { ... });
  auto subscription = room.presence().Subscribe([](const PresenceEvent& event) {
    const PresenceMember& member = event.member;
    const std::string_view type = presence::EventTypeName(event.type);
    std::printf("%.*s: %s\n", static_cast<int>(type.size()), type.data(), member.client_id.c_str());
    if (member.data) {
      std::printf("Data: %s\n", presence::DebugJson(*member.data).c_str());
    }
  });

  // await room.presence.enter({ status: 'online', nickname: 'Alice', avatar: '...' });
  server.Await<void>([&](auto done) {
    room.presence().Enter(JsonObject{{"status", "online"},
                                     {"nickname", "Alice"},
                                     {"avatar", "https://example.com/alice.png"}},
                          std::move(done));
  });

  // const members = await room.presence.get();
  // console.log(`${members.length} users in room`);
  const auto members = server.Await<std::vector<PresenceMember>>(
      [&](auto done) { room.presence().Get(std::move(done)); });
  std::printf("%zu users in room\n", members.size());

  // await room.presence.update({ status: 'away' });
  server.Await<void>([&](auto done) {
    room.presence().Update(JsonObject{{"status", "away"}}, std::move(done));
  });

  // const isBobHere = await room.presence.isUserPresent('bob-456');
  const bool is_bob_here = server.Await<bool>(
      [&](auto done) { room.presence().IsUserPresent("bob-456", std::move(done)); });
  std::printf("Bob is %s\n", is_bob_here ? "here" : "not here");

  // await room.presence.leave();
  server.Await<void>([&](auto done) { room.presence().Leave({}, std::move(done)); });

  // unsubscribe();
  subscription->Unsubscribe();
  // shown until here
}
