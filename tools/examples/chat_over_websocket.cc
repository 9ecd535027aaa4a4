// A user enters a chat room of a running server, looks around, and leaves:
//
//   tools/bazel run //tools/serve      prints where it listens
//   tools/bazel run //tools/examples:chat_over_websocket -- HOST PORT KEY CLIENT_ID
//
// What it prints is what the same program in JavaScript prints; comments show its lines.

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/json/json_value.h"
#include "presence/room/chat_client.h"
#include "presence/room/room.h"
#include "presence/session/session_effects.h"
#include "tools/examples/beast_client.h"

using presence::JsonObject;
using presence::PresenceEvent;
using presence::PresenceMember;
using presence::Result;

namespace {

[[noreturn]] void Fail(const presence::ErrorInfo& error) {
  std::fprintf(stderr, "%s (%lld)\n", error.message.c_str(), static_cast<long long>(error.code));
  std::exit(1);
}

// Ends the program where JavaScript would throw.
void Must(const Result<void>& result) {
  if (!result.ok()) Fail(result.error());
}
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) Fail(result.error());
  return std::move(result.value());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: chat_over_websocket HOST PORT KEY CLIENT_ID\n");
    return 2;
  }
  presence::examples::BeastClient alice({argv[1], argv[2], argv[3], argv[4]});
  presence::ChatClient& client = alice.client();
  // It tries for ever, which whoever gave the wrong port would take for a program that hangs.
  auto trouble = client.OnStateChange([](const presence::ConnectionChanged& change) {
    if (change.reason == nullptr || !change.next_try.has_value()) return;
    const std::string_view state = presence::StateName(change.state);
    std::fprintf(stderr, "%.*s: %s; trying again\n", static_cast<int>(state.size()), state.data(),
                 change.reason->message.c_str());
  });
  client.Connect();

  // const room = await chatClient.rooms.get('my-room');
  // In JavaScript a room's name is not that of its channel, and here they are one.
  presence::Room& room = client.room("my-room::$chat");

  // await room.attach();
  Must(alice.Await<void>([&](auto done) { room.Attach(std::move(done)); }));

  // const { unsubscribe } = room.presence.subscribe((event) => { ... });
  auto subscription = Must(room.presence().Subscribe([](const PresenceEvent& event) {
    const PresenceMember& member = event.member;
    const std::string_view type = presence::EventTypeName(event.type);
    std::printf("%.*s: %s\n", static_cast<int>(type.size()), type.data(), member.client_id.c_str());
    if (member.data) {
      std::printf("Data: %s\n", presence::DebugJson(*member.data).c_str());
    }
  }));

  // await room.presence.enter({ status: 'online', nickname: 'Alice', avatar: '...' });
  Must(alice.Await<void>([&](auto done) {
    room.presence().Enter(JsonObject{{"status", "online"},
                                     {"nickname", "Alice"},
                                     {"avatar", "https://example.com/alice.png"}},
                          std::move(done));
  }));

  // const members = await room.presence.get();
  // console.log(`${members.length} users in room`);
  const auto members = Must(alice.Await<std::vector<PresenceMember>>(
      [&](auto done) { room.presence().Get(std::move(done)); }));
  std::printf("%zu users in room\n", members.size());

  // await room.presence.update({ status: 'away' });
  Must(alice.Await<void>([&](auto done) {
    room.presence().Update(JsonObject{{"status", "away"}}, std::move(done));
  }));

  // const isBobHere = await room.presence.isUserPresent('bob-456');
  const bool is_bob_here = Must(alice.Await<bool>(
      [&](auto done) { room.presence().IsUserPresent("bob-456", std::move(done)); }));
  std::printf("Bob is %s\n", is_bob_here ? "here" : "not here");

  // await room.presence.leave();
  Must(alice.Await<void>([&](auto done) { room.presence().Leave({}, std::move(done)); }));

  // unsubscribe();
  subscription.Unsubscribe();

  alice.Close();
}
