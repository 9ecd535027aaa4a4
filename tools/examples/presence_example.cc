// A user enters a chat room, looks around, and leaves. Comments show the lines of JavaScript that a
// web client has in their place.

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/room/room.h"
#include "tools/examples/loopback.h"

using presence::JsonObject;
using presence::PresenceEvent;
using presence::PresenceMember;

int main() {
  // const room = await chatClient.rooms.get('my-room');
  presence::examples::Loopback client("my-room", "alice-123");
  presence::Room& room = client.room();

  // await room.attach();
  client.Await<void>([&](auto done) { room.Attach(std::move(done)); });

  // const { unsubscribe } = room.presence.subscribe((event) => {
  //   const member = event.member;
  //   console.log(`${event.type}: ${member.clientId}`);
  //   if (member.data) {
  //     console.log('Data:', member.data);
  //   }
  // });
  auto subscription = room.presence().Subscribe([](const PresenceEvent& event) {
    const PresenceMember& member = event.member;
    const std::string_view type = presence::EventTypeName(event.type);
    std::printf("%.*s: %s\n", static_cast<int>(type.size()), type.data(), member.client_id.c_str());
    if (member.data) {
      std::printf("Data: %s\n", presence::DebugJson(*member.data).c_str());
    }
  });

  // await room.presence.enter({ status: 'online', nickname: 'Alice', avatar: '...' });
  client.Await<void>([&](auto done) {
    room.presence().Enter(JsonObject{{"status", "online"},
                                     {"nickname", "Alice"},
                                     {"avatar", "https://example.com/alice.png"}},
                          std::move(done));
  });

  // const members = await room.presence.get();
  // console.log(`${members.length} users in room`);
  const auto members = client.Await<std::vector<PresenceMember>>(
      [&](auto done) { room.presence().Get(std::move(done)); });
  std::printf("%zu users in room\n", members.size());

  // await room.presence.update({ status: 'away' });
  client.Await<void>([&](auto done) {
    room.presence().Update(JsonObject{{"status", "away"}}, std::move(done));
  });

  // const isBobHere = await room.presence.isUserPresent('bob-456');
  const bool is_bob_here = client.Await<bool>(
      [&](auto done) { room.presence().IsUserPresent("bob-456", std::move(done)); });
  std::printf("Bob is %s\n", is_bob_here ? "here" : "not here");

  // await room.presence.leave();
  client.Await<void>([&](auto done) { room.presence().Leave({}, std::move(done)); });

  // unsubscribe();
  subscription->Unsubscribe();
}
