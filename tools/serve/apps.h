#ifndef TOOLS_SERVE_APPS_H_
#define TOOLS_SERVE_APPS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/base/attributes.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "tools/serve/service.h"
#include "tools/serve/session_recorder.h"

namespace presence::serve {

// The services behind one address, each with keys of its own: the one that is always there, and
// those that test suites make for themselves, as "apps". One thread at a time.
class Apps {
 public:
  // As many apps, and keys of one; beyond: 42910.
  static constexpr size_t kMost = 100;
  static constexpr size_t kMostKeys = 100;

  struct Parts {
    Server::Options server;  // of each app, but for its name and what it asks for itself
    std::function<Timestamp()> now;
    std::function<std::string(size_t characters)> make_id;
    // After each step: when to call Wake, perhaps in the past; nullopt: no need.
    std::function<void(std::optional<Timestamp>)> wake_at;
    std::function<void(const std::string&)> log;
    // Writes the sessions of their clients down, and lives as long; null: nobody does.
    SessionRecorder* recorder = nullptr;
  };
  // `first` must live as long as this, and whatever Of gave.
  Apps(Service& first, Parts parts);
  ~Apps();
  Apps(const Apps&) = delete;
  Apps& operator=(const Apps&) = delete;

  // The service that has a key of this name, or else the first one. It stays good while it is held,
  // its app being gone or not.
  std::shared_ptr<Service> Of(std::string_view key_name) const;

  // Makes an app as the body asks for it, which is what test suites of published clients send:
  // {"keys": [{"capability"?}], "namespaces": [...], "limits"?: {"presence": {"maxMembers"}},
  // "channels"?: [{"name", "presence": [{"clientId", "data"?, "encoding"?}]}]}. The members of
  // channels belong to a connection of the service's own. What it is: {"appId", "accountId",
  // "keys": [{"id", "value", "keyName", "keySecret", "keyStr", "capability"}], "namespaces"}.
  std::variant<JsonObject, ErrorInfo> Make(const JsonValue& body);
  // Ends an app: its clients are told, its keys are good no longer. False: there is none.
  bool Remove(std::string_view id);
  // Whether a key of this name is of this app.
  bool IsKeyOf(std::string_view id, std::string_view key_name) const;
  size_t size() const { return apps_.size(); }

  // The time has come that wake_at named; early, late and twice are harmless.
  void Wake();
  // Says so to everybody in all apps.
  void ShutDown();
  // Sockets of clients of all apps, once they are shut down.
  size_t socket_count() const;

 private:
  struct App;

  App* Find(std::string_view id) const;
  std::optional<ErrorInfo> Fill(App& app, const JsonValue& channels);
  void Rearm() const;

  Service& first_;
  const Parts parts_;
  std::map<std::string, std::shared_ptr<App>, std::less<>> apps_;  // by id
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_APPS_H_
