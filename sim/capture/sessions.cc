#include "sim/capture/sessions.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/json/piece_reader.h"
#include "engine/json/raw_text.h"
#include "presence/wire/frame.h"
#include "sim/capture/socket_kind.h"

namespace presence::sim {
namespace {

// The key by which a connection is resumed, as CONNECTED says it; empty: it says none.
std::string KeyOf(const wire::Frame& frame, std::string_view json) {
  if (!frame.details_connection_key.empty()) return std::string(frame.details_connection_key);
  const std::optional<std::string_view> piece = json::RawField(json, "connectionKey");
  return piece.has_value() ? json::StringOf(*piece).value_or("") : "";
}

// Whose connection a socket goes on with; empty: nobody's.
std::string ClaimOf(const CapturedSocket& socket) {
  std::optional<std::string> key = QueryParameter(socket.url, "resume");
  if (!key.has_value()) key = QueryParameter(socket.url, "recover");
  return key.value_or("");
}

std::optional<int64_t> StartOf(const CapturedSocket& socket) {
  if (socket.opened.has_value()) return socket.opened;
  for (const CapturedFrame& frame : socket.frames) {
    if (frame.t.has_value()) return frame.t;
  }
  return std::nullopt;
}

void AddOnce(std::string_view name, std::vector<std::string>& names) {
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
  names.emplace_back(name);
}

}  // namespace

void LinkByKeys(Capture& capture) {
  std::vector<CapturedSocket>& sockets = capture.sockets;
  if (std::all_of(sockets.begin(), sockets.end(),
                  [](const CapturedSocket& socket) { return StartOf(socket).has_value(); })) {
    std::stable_sort(
        sockets.begin(), sockets.end(),
        [](const CapturedSocket& a, const CapturedSocket& b) { return *StartOf(a) < *StartOf(b); });
  }
  // For each session so far, its last socket and the key of its connection.
  std::vector<std::pair<size_t, std::string>> ends;
  FrameTexts texts;
  for (size_t i = 0; i < sockets.size(); ++i) {
    const std::string claim = ClaimOf(sockets[i]);
    const auto end = std::find_if(ends.rbegin(), ends.rend(), [&](const auto& candidate) {
      return !claim.empty() && candidate.second == claim;
    });
    std::string key = claim;
    for (const CapturedFrame& captured : sockets[i].frames) {
      wire::Frame frame;
      std::string_view json;
      if (captured.sent || !texts.Read(captured, json, &frame).ok()) continue;
      if (frame.action != wire::kConnected) continue;
      if (std::string said = KeyOf(frame, json); !said.empty()) key = std::move(said);
    }
    if (end == ends.rend()) {
      ends.emplace_back(i, std::move(key));
    } else {
      sockets[i].follows = end->first;
      *end = {i, std::move(key)};
    }
  }
}

std::vector<CapturedClient> ClientsOf(const Capture& capture) {
  std::vector<CapturedClient> clients;
  std::vector<size_t> client_of(capture.sockets.size());
  FrameTexts texts;
  for (size_t i = 0; i < capture.sockets.size(); ++i) {
    const CapturedSocket& socket = capture.sockets[i];
    if (socket.follows.has_value()) {
      client_of[i] = client_of[*socket.follows];
    } else {
      client_of[i] = clients.size();
      clients.emplace_back();
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
      if (!texts.Read(captured, json, &frame).ok()) continue;
      AddOnce(frame.channel, client.channels);
      if (captured.sent || frame.action != wire::kConnected) continue;
      AddOnce(frame.connection_id, client.connection_ids);
      if (!frame.details_client_id.empty()) client.client_id = frame.details_client_id;
    }
    if (client.client_id.empty()) {
      client.client_id = QueryParameter(socket.url, "clientId").value_or("");
    }
  }
  return clients;
}

}  // namespace presence::sim
