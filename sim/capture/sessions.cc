#include "sim/capture/sessions.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "presence/wire/frame.h"
#include "sim/capture/socket_kind.h"

namespace presence::sim {
namespace {

// Whose connection a socket goes on with; empty: nobody's.
std::string ClaimOf(const CapturedSocket& socket) {
  // One that recovers by a key is another client: of a page that was loaded anew, for one.
  return QueryParameter(socket.url, "resume").value_or("");
}

std::optional<int64_t> StartOf(const CapturedSocket& socket) {
  if (socket.opened.has_value()) return socket.opened;
  for (const CapturedFrame& frame : socket.frames) {
    if (frame.t.has_value()) return frame.t;
  }
  return std::nullopt;
}

// Names in the order in which they first came up.
class Names {
 public:
  void Add(std::string_view name) {
    if (!name.empty() && known_.emplace(name).second) names_.emplace_back(name);
  }
  std::vector<std::string> Take() { return std::move(names_); }

 private:
  std::set<std::string, std::less<>> known_;
  std::vector<std::string> names_;
};

}  // namespace

void LinkByKeys(Capture& capture) {
  std::vector<CapturedSocket>& sockets = capture.sockets;
  if (std::all_of(sockets.begin(), sockets.end(),
                  [](const CapturedSocket& socket) { return StartOf(socket).has_value(); })) {
    std::stable_sort(
        sockets.begin(), sockets.end(),
        [](const CapturedSocket& a, const CapturedSocket& b) { return *StartOf(a) < *StartOf(b); });
  }
  // For each session so far, its last socket and the key of its connection; and by that key the
  // session that got it last.
  struct End {
    size_t socket = 0;
    std::string key;
  };
  std::vector<End> ends;
  std::map<std::string, size_t> by_key;
  FrameTexts texts;
  for (size_t i = 0; i < sockets.size(); ++i) {
    const std::string claim = ClaimOf(sockets[i]);
    std::string key = claim;
    for (const CapturedFrame& captured : sockets[i].frames) {
      wire::Frame frame;
      std::string_view json;
      if (captured.sent || texts.Read(captured, json, &frame).has_value()) continue;
      if (frame.action != wire::kConnected) continue;
      if (std::string said = ConnectionKeyOf(frame, json); !said.empty()) key = std::move(said);
    }
    const auto claimed = claim.empty() ? by_key.end() : by_key.find(claim);
    size_t session = ends.size();
    if (claimed == by_key.end()) {
      ends.push_back({i, key});
    } else {
      session = claimed->second;
      by_key.erase(claimed);
      sockets[i].follows = ends[session].socket;
      ends[session] = {i, key};
    }
    if (!key.empty()) by_key[key] = session;
  }
}

std::vector<CapturedClient> ClientsOf(const Capture& capture) {
  std::vector<CapturedClient> clients;
  std::vector<std::pair<Names, Names>> names;  // of connections and channels
  std::vector<size_t> client_of(capture.sockets.size());
  FrameTexts texts;
  for (size_t i = 0; i < capture.sockets.size(); ++i) {
    const CapturedSocket& socket = capture.sockets[i];
    if (socket.follows.has_value()) {
      client_of[i] = client_of[*socket.follows];
    } else {
      client_of[i] = clients.size();
      clients.emplace_back();
      names.emplace_back();
    }
    CapturedClient& client = clients[client_of[i]];
    client.sockets.push_back(i);
    client.frames += socket.frames.size();
    for (const CapturedFrame& captured : socket.frames) {
      if (captured.t.has_value()) {
        client.from = std::min(client.from.value_or(*captured.t), *captured.t);
        client.to = std::max(client.to.value_or(*captured.t), *captured.t);
      }
      wire::Frame frame;
      std::string_view json;
      if (texts.Read(captured, json, &frame).has_value()) continue;
      names[client_of[i]].second.Add(frame.channel);
      if (captured.sent || frame.action != wire::kConnected) continue;
      names[client_of[i]].first.Add(frame.connection_id);
      if (!frame.details_client_id.empty()) client.client_id = frame.details_client_id;
    }
    if (client.client_id.empty()) {
      client.client_id = QueryParameter(socket.url, "clientId").value_or("");
    }
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    clients[i].connection_ids = names[i].first.Take();
    clients[i].channels = names[i].second.Take();
  }
  return clients;
}

}  // namespace presence::sim
