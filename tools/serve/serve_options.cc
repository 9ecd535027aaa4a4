#include "tools/serve/serve_options.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/base/absl_view.h"
#include "tools/command_line.h"
#include "tools/duration.h"
#include "tools/serve/random_id.h"

namespace presence::serve {
namespace {

using tools::CommandLine;

constexpr std::string_view kDevelopmentKey = "presence.development:not-a-secret";

std::string Text(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

// Reads a flag that is a time. What is wrong with it, or empty.
std::string ReadTime(const CommandLine& line, std::string_view flag,
                     std::chrono::milliseconds& into) {
  if (!line.Has(flag)) return "";
  const std::string value = line.Value(flag);
  const std::optional<int64_t> ms = tools::ParseDuration(value);
  if (!ms.has_value()) {
    return absl::StrCat("--", AbslView(flag), "=", value,
                        ": not a time such as 500ms, 30s or 5m, and at most 24h");
  }
  into = std::chrono::milliseconds(*ms);
  return "";
}

// As JavaScript has it between single quotes.
std::string InQuotes(std::string_view text) {
  return absl::StrReplaceAll(AbslView(text), {{"\\", "\\\\"}, {"'", "\\'"}});
}

std::string ReadKeys(const CommandLine& line, ServeOptions& options) {
  std::vector<std::string> texts = line.Values("key");
  options.development_key = texts.empty();
  if (texts.empty()) texts.emplace_back(kDevelopmentKey);
  for (const std::string& text : texts) {
    absl::StatusOr<Key> key = ParseKey(text);
    if (!key.ok()) return "--key: " + Text(key.status());
    if (const absl::Status status = options.keys.Add(*std::move(key)); !status.ok()) {
      return "--key: " + Text(status);
    }
  }
  return "";
}

}  // namespace

std::variant<ServeOptions, std::string> ReadServeOptions(const CommandLine& line) {
  ServeOptions options;
  const std::string listen = line.Value("listen", "127.0.0.1:0");
  const std::optional<ListenAddress> address = ParseListenAddress(listen);
  if (!address.has_value()) {
    return "--listen=" + listen + ": not an address and a port, such as 127.0.0.1:8080 or [::1]:0";
  }
  options.listen = *address;
  if (std::string wrong = ReadKeys(line, options); !wrong.empty()) return wrong;
  if (options.development_key && !options.listen.is_loopback) {
    return "--listen=" + listen +
           ": others can come from there, and the key for development is no secret: give a --key";
  }
  Server::Options& server = options.server;
  const std::string batch = line.Value("batch");
  const bool at_once = batch == "0" || batch == "0ms" || batch == "0s";
  for (const auto& [flag, into] :
       {std::pair<std::string_view, std::chrono::milliseconds*>{"grace", &server.room.grace_period},
        {"batch", &server.room.batch_interval},
        {"resume", &server.connection_state_ttl},
        {"max-grace", &server.max_grace_period},
        {"idle", &server.max_idle_interval}}) {
    if (flag == "batch" && at_once) continue;  // as it is unless given
    if (std::string wrong = ReadTime(line, flag, *into); !wrong.empty()) return wrong;
  }
  server.max_grace_period = std::max(server.max_grace_period, server.room.grace_period);
  server.max_connections = line.Number("max-connections", server.max_connections);
  server.max_rooms = line.Number("max-rooms", server.max_rooms);
  server.room.max_members = line.Number("max-members", server.room.max_members);
  options.faults = line.Has("faults");
  server.room.max_member_bytes = line.Number("max-members-mib", server.room.max_member_bytes >> 20)
                                 << 20;
  server.max_frame_size = line.Number("max-frame-kib", server.max_frame_size >> 10) << 10;
  server.max_channels = line.Number("max-channels", server.max_channels);
  server.room.max_message_size = static_cast<int64_t>(
      line.Number("max-message", static_cast<uint64_t>(server.room.max_message_size)));
  server.room.sync_page_size = line.Number("page", server.room.sync_page_size);
  server.room.max_in_flight = line.Number("max-in-flight", server.room.max_in_flight);
  if (line.Has("max-client-unsent-kib")) {
    server.unsent_drop = line.Number("max-client-unsent-kib", 0) << 10;
    server.unsent_pause = server.unsent_drop / 8;
  }
  server.unsent_total = line.Number("max-unsent-mib", server.unsent_total >> 20) << 20;
  options.sandbox = line.Has("sandbox");
  options.state = line.Value("state");
  if (line.Has("record")) {
    SessionRecorder::Options& record = options.record.emplace();
    record.folder = line.Value("record");
    record.max_files = line.Number("record-files", record.max_files);
    record.max_bytes = line.Number("record-mib", record.max_bytes >> 20) << 20;
    record.max_file_bytes = line.Number("record-file-mib", record.max_file_bytes >> 20) << 20;
  } else {
    for (const std::string_view flag : {"record-files", "record-mib", "record-file-mib"}) {
      if (line.Has(flag))
        return absl::StrCat("--", AbslView(flag), " without --record means nothing");
    }
  }
  options.verbose = line.Has("verbose");
  server.room_events = options.verbose;
  server.server_id = RandomId(12);
  return options;
}

std::string WelcomeText(const ServeOptions& options, const ListenAddress& listening) {
  const Key& key = options.keys.all().front();
  std::string text = absl::StrCat("Presence is served at http://", listening.text(), "\n");
  if (options.development_key) {
    absl::StrAppend(&text, "The key is one for development, which everybody knows.\n");
  }
  absl::StrAppend(&text, "Options of a client:\n  { key: '", InQuotes(key.text()),
                  "', clientId: 'alice', endpoint: '", listening.local_host(),
                  "', port: ", listening.port, ", tls: false }\n");
  if (listening.is_any()) {
    text += "On other machines the endpoint is this machine's name or address.\n";
  }
  return text;
}

}  // namespace presence::serve
