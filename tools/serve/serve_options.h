#ifndef TOOLS_SERVE_SERVE_OPTIONS_H_
#define TOOLS_SERVE_SERVE_OPTIONS_H_

#include <optional>
#include <string>
#include <variant>

#include "presence/session/server.h"
#include "tools/command_line.h"
#include "tools/serve/keys.h"
#include "tools/serve/listen_address.h"
#include "tools/serve/session_recorder.h"

namespace presence::serve {

// What the command line asks for.
struct ServeOptions {
  ListenAddress listen;
  Keys keys;
  bool development_key = false;  // whether the only key is the one that everybody knows
  Server::Options server;
  bool faults = false;
  bool sandbox = false;
  std::optional<SessionRecorder::Options> record;  // sessions, in a folder; nullopt: none are
  std::string state;                               // a file; empty: nothing is kept
  bool verbose = false;
};

// The options, or what is wrong with them, for people.
std::variant<ServeOptions, std::string> ReadServeOptions(const tools::CommandLine& line);

// What to print once it listens: the address, the key's kind, and a line for a client's options.
std::string WelcomeText(const ServeOptions& options, const ListenAddress& listening);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_SERVE_OPTIONS_H_
