#ifndef TOOLS_SERVE_LIVE_VIEW_H_
#define TOOLS_SERVE_LIVE_VIEW_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "presence/session/server.h"
#include "tools/serve/http_message.h"
#include "tools/serve/http_router.h"
#include "tools/serve/service.h"

namespace presence::serve {

// Rooms and members as they are, for those who watch: as a JSON text, told when it has changed and
// the one before has been taken, so that no more than one waits for anybody. One thread at a time.
class LiveView {
 public:
  static constexpr size_t kMostWatchers = 20;  // beyond: 503
  // What is shown: rooms and members of each in the order in which they came; the beginning of
  // names; and of all together, as text, about so much.
  static constexpr size_t kMostRooms = 200;
  static constexpr size_t kMostMembers = 100;
  static constexpr size_t kMostNameBytes = 100;
  static constexpr size_t kMostBytes = size_t{256} << 10;
  static constexpr std::chrono::milliseconds kInterval{500};
  // Who has not taken what he was sent for so many intervals is dropped.
  static constexpr int kPatience = 60;

  // Who was sent nothing for so many intervals is sent this, which says nothing: proxies give up
  // what is silent for long, and who is gone is found out.
  static constexpr int kLongestSilence = 30;
  static constexpr char kNothing[] = ":\n\n";

  // Calls back after this time, on the same thread.
  using Later = std::function<void(std::chrono::milliseconds, std::function<void()>)>;

  // `service` must outlive it. `is_open`: who comes from this machine needs no credentials.
  LiveView(const Service& service, bool is_open, Later later)
      : service_(service), is_open_(is_open), later_(std::move(later)) {}
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;

  // Adds the page (`/`), what it is made of and what it listens to. This must live as long as the
  // router.
  void AddRoutes(HttpRouter& router);

  // What is shown of a server.
  static std::string Text(const Server& server);

  size_t watcher_count() const { return watchers_.size(); }

 private:
  struct Watcher {
    std::shared_ptr<HttpStream> stream;
    bool is_behind = true;
    int waits = 0;
    int silence = 0;
  };

  HttpResponse IfPermitted(const HttpRequest& request, std::function<HttpResponse()> answer);
  HttpResponse Watch();
  void Tick();

  const Service& service_;
  const bool is_open_;
  const Later later_;
  std::list<Watcher> watchers_;
  std::string shown_;  // last
  bool is_ticking_ = false;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_LIVE_VIEW_H_
