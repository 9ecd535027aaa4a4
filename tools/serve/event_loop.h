#ifndef TOOLS_SERVE_EVENT_LOOP_H_
#define TOOLS_SERVE_EVENT_LOOP_H_

#include <functional>
#include <optional>
#include <string>

#include "presence/session/server.h"
#include "tools/serve/keys.h"
#include "tools/serve/listen_address.h"
#include "tools/serve/session_recorder.h"

namespace presence::serve {

struct LoopOptions {
  ListenAddress listen;
  Keys keys;
  Server::Options server;
  std::string state;  // the file in which what is acknowledged is kept; empty: nothing is
  std::optional<SessionRecorder::Options> record;  // sessions; nullopt: none are
  bool development_key = false;  // whether the only key is the one that everybody knows
  bool faults = false;           // whether they can be asked for (fault_routes.h)
  bool sandbox = false;          // whether anybody may make apps (app_routes.h)
  // What is told when it listens: where, with the port that it got.
  std::function<void(const ListenAddress&)> on_listening;
  // A line on what happens; null: nobody wants to know.
  std::function<void(const std::string&)> log;
  // A line on what the owner should know in any case, such as a disk that is full.
  std::function<void(const std::string&)> tell;
};

// Serves clients until SIGTERM or SIGINT, on this one thread: the server, its clock and all
// sockets. Then everybody is told, and it ends when all sockets are closed, after five seconds at
// most; at a second signal at once. What is kept is on the disk then. Empty: all is well; else why
// nothing could be served, for people.
std::string ServeUntilSignal(LoopOptions options);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_EVENT_LOOP_H_
