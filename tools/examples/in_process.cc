#include "tools/examples/in_process.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace presence::examples {

// --- A user's sockets ---

void User::Open(TransportId transport, std::string_view resume_key) {
  server_.Later(
      [this, transport, key = std::string(resume_key)] { server_.Open(*this, transport, key); });
}

void User::Send(TransportId transport, std::string_view message) {
  server_.Later([this, transport, kept = std::string(message)] {
    const TransportHandle socket = server_.Find(*this, transport);
    if (socket != 0) server_.Apply(server_.reader_.Read(socket, kept));
  });
}

void User::Close(TransportId transport) {
  server_.Later([this, transport] { server_.Close(server_.Find(*this, transport)); });
}

// --- The server's ---

// Lets the oldest thing happen that is on its way; false if there is none.
bool InProcess::HandOn() {
  if (const auto due = server_.NextDeadline(); due.has_value() && *due <= kTime) {
    server_.AdvanceTo(kTime, effects_);
    CarryOut();
  }
  if (events_.empty()) return false;
  absl::AnyInvocable<void()> event = std::move(events_.front());
  events_.pop_front();
  event();
  return true;
}

// The server's end of a socket; 0: it is closed.
TransportHandle InProcess::Find(const User& user, TransportId transport) const {
  for (const auto& [handle, socket] : sockets_) {
    if (socket.user == &user && socket.transport == transport) return handle;
  }
  return 0;
}

void InProcess::Open(User& user, TransportId transport, std::string_view resume_key) {
  const TransportHandle handle = next_socket_++;
  sockets_[handle] = {&user, transport};
  Must(user.client_.Apply(TransportOpened{transport}));
  const std::string id = "connection-" + std::to_string(handle);
  const std::string key = "key-" + std::to_string(handle);  // others draw one at random
  constexpr Permission kEverywhere{.channel = "", .is_prefix = true};
  TransportAccepted accepted;
  accepted.transport = handle;
  accepted.connection_id = id;
  accepted.connection_key = key;
  accepted.client_id = user.client_id_;
  accepted.permissions = std::span(&kEverywhere, 1);
  accepted.resume_key = resume_key;
  Apply(accepted);
}

void InProcess::Apply(const ServerInput& input) {
  Must(server_.Apply(kTime, input, effects_));
  CarryOut();
}

// What the server sends in one step arrives at once.
void InProcess::CarryOut() {
  std::vector<std::pair<TransportHandle, std::string>> messages;
  for (const ServerEffect& effect : effects_) {
    if (const auto* send = std::get_if<SendFrame>(&effect)) {
      for (const TransportHandle socket : send->to) messages.emplace_back(socket, send->bytes);
    } else if (const auto* end = std::get_if<EndTransport>(&effect)) {
      Later([this, socket = end->transport] { Close(socket); });
    }
  }
  if (messages.empty()) return;
  Later([this, messages = std::move(messages)] {
    for (const auto& [handle, message] : messages) {
      const auto found = sockets_.find(handle);
      if (found == sockets_.end()) continue;
      const Socket socket = found->second;
      Apply(BytesTaken{handle, message.size()});
      Must(socket.user->client_.Apply(TransportReceived{socket.transport, message}));
    }
  });
}

void InProcess::Close(TransportHandle handle) {
  const auto found = sockets_.find(handle);
  if (found == sockets_.end()) return;
  const Socket socket = found->second;
  sockets_.erase(found);
  Apply(TransportGone{handle});
  Must(socket.user->client_.Apply(TransportClosed{socket.transport, nullptr}));
}

void InProcess::Must(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

void InProcess::Fail(std::string_view why) {
  std::fprintf(stderr, "presence_example: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

}  // namespace presence::examples
