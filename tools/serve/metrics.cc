#include "tools/serve/metrics.h"

#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/host/room_host.h"
#include "presence/message.h"

namespace presence::serve {
namespace {

// Counters of the server: what each is called, what it counts.
struct Counter {
  std::string_view name;
  std::string_view help;
  uint64_t Server::Stats::*value;
};
constexpr Counter kCounters[] = {
    {"connections_opened", "connections that are new", &Server::Stats::connections_opened},
    {"connections_resumed", "times that one was resumed", &Server::Stats::connections_resumed},
    {"resumes_failed", "new ones that wanted to resume another", &Server::Stats::resumes_failed},
    {"connections_refused", "too many, or shutting down", &Server::Stats::connections_refused},
    {"connections_lost", "times that a transport was lost", &Server::Stats::connections_lost},
    {"connections_closed", "ended for good", &Server::Stats::connections_closed},
    {"connections_expired", "not resumed in time", &Server::Stats::connections_expired},
    {"frames_received", "messages of clients", &Server::Stats::frames_received},
    {"frames_unreadable", "of these, no frame", &Server::Stats::frames_unreadable},
    {"frames_too_large", "of these, too large", &Server::Stats::frames_too_large},
    {"frames_unused", "of no use, nor answered", &Server::Stats::frames_unused},
    {"operations_repeated", "sent again, answered again", &Server::Stats::operations_repeated},
    {"operations_refused", "NACKs, repeated ones aside", &Server::Stats::operations_refused},
    {"attaches_refused", "ERRORs to ATTACH", &Server::Stats::attaches_refused},
    {"credentials_offered", "AUTHs", &Server::Stats::credentials_offered},
    {"credentials_refused", "or ended", &Server::Stats::credentials_refused},
    {"inputs_ignored", "of transports that had ended", &Server::Stats::inputs_ignored},
    {"frames_sent", "one for each transport", &Server::Stats::frames_sent},
    {"bytes_sent", "of these frames", &Server::Stats::bytes_sent},
    {"frames_encoded", "one for each format", &Server::Stats::frames_encoded},
    {"heartbeats_sent", "to who had asked for them", &Server::Stats::heartbeats_sent},
    {"pages_paused", "transports too far behind for pages", &Server::Stats::pages_paused},
    {"transports_dropped", "for being too far behind", &Server::Stats::transports_dropped},
    {"rooms_made", "rooms that somebody came to", &Server::Stats::rooms_made},
    {"rooms_dropped", "rooms that all had left", &Server::Stats::rooms_dropped},
};
static_assert(sizeof(Server::Stats) == std::size(kCounters) * sizeof(uint64_t),
              "a counter is missing here");

// Counters of all rooms together.
struct RoomCounter {
  std::string_view name;
  std::string_view help;
  uint64_t RoomHost::Stats::*value;
};
constexpr RoomCounter kRoomCounters[] = {
    {"operations", "items that were taken", &RoomHost::Stats::operations},
    {"frames_acked", "of operations", &RoomHost::Stats::frames_acked},
    {"frames_refused", "of operations", &RoomHost::Stats::frames_refused},
    {"frames_repeated", "of operations, not applied", &RoomHost::Stats::frames_repeated},
    {"synthesized_leaves", "that nobody asked for", &RoomHost::Stats::synthesized_leaves},
    {"broadcasts", "frames to all of a room", &RoomHost::Stats::broadcasts},
    {"syncs_started", "syncs", &RoomHost::Stats::syncs_started},
    {"syncs_completed", "their last pages", &RoomHost::Stats::syncs_completed},
    {"pages", "pages of syncs", &RoomHost::Stats::pages},
    {"graces_ended", "grace periods that were over", &RoomHost::Stats::connections_expired},
};
static_assert(sizeof(RoomHost::Stats) ==
                  (std::size(kRoomCounters) + kEventTypeCount) * sizeof(uint64_t),
              "a counter is missing here");

class Text {
 public:
  void Add(std::string_view kind, std::string_view name, std::string_view help, uint64_t value) {
    Head(kind, name, help);
    absl::StrAppend(&text_, "presence_", AbslView(name), " ", value, "\n");
  }
  void Head(std::string_view kind, std::string_view name, std::string_view help) {
    absl::StrAppend(&text_, "# HELP presence_", AbslView(name), " ", AbslView(help), "\n");
    absl::StrAppend(&text_, "# TYPE presence_", AbslView(name), " ", AbslView(kind), "\n");
  }
  std::string& text() { return text_; }

 private:
  std::string text_;
};

void AddKept(const KeptServer& kept, Text& out) {
  const KeptServer::Stats& stats = kept.stats();
  out.Add("gauge", "state_failing", "1: it cannot be written, and operations are refused",
          kept.is_failing() ? 1 : 0);
  out.Add("counter", "state_inputs_total", "that were written", stats.inputs_written);
  out.Add("counter", "state_writes_total", "transactions, tried ones included", stats.writes);
  out.Add("counter", "state_writes_failed_total", "of these", stats.writes_failed);
  out.Add("counter", "state_exports_total", "of all there was, in the place of inputs",
          stats.exports_written);
}

void AddRecorded(const SessionRecorder& recorder, Text& out) {
  const SessionRecorder::Stats& stats = recorder.stats();
  out.Add("gauge", "record_ended", "1: it cannot be written, and nothing more is recorded",
          recorder.has_ended() ? 1 : 0);
  out.Add("gauge", "record_files", "of sessions", recorder.files());
  out.Add("gauge", "record_bytes", "of these", recorder.bytes());
  out.Add("counter", "record_sessions_total", "that were recorded", stats.sessions);
  out.Add("counter", "record_skipped_total", "sessions that were not, for want of room",
          stats.skipped);
  out.Add("counter", "record_cut_total", "sessions that were not to their end", stats.cut);
  out.Add("counter", "record_removed_total", "files that made room for others", stats.removed);
}

}  // namespace

std::string MetricsText(const Server& server, const KeptServer* kept,
                        const SessionRecorder* recorder) {
  Text out;
  uint64_t members = 0;
  uint64_t member_bytes = 0;
  server.ForEachRoom([&](absl::string_view, const RoomHost& room) {
    members += room.size();
    member_bytes += room.member_bytes();
  });
  out.Add("gauge", "connections", "lost ones included", server.connection_count());
  out.Add("gauge", "connections_waiting", "lost, and not expired", server.lost_count());
  out.Add("gauge", "transports", "WebSockets", server.transport_count());
  out.Add("gauge", "rooms", "that somebody knows", server.room_count());
  out.Add("gauge", "members", "who are present", members);
  out.Add("gauge", "member_bytes", "of their ids and payloads", member_bytes);
  out.Add("gauge", "unsent_bytes", "that transports have not taken", server.unsent_bytes());
  const Server::Stats& stats = server.stats();
  for (const Counter& counter : kCounters) {
    out.Add("counter", absl::StrCat(AbslView(counter.name), "_total"), counter.help,
            stats.*counter.value);
  }
  const RoomHost::Stats rooms = server.room_stats();
  for (const RoomCounter& counter : kRoomCounters) {
    out.Add("counter", absl::StrCat("room_", AbslView(counter.name), "_total"), counter.help,
            rooms.*counter.value);
  }
  out.Head("counter", "room_events_total", "changes of who is present");
  for (int type = 0; type < kEventTypeCount; ++type) {
    absl::StrAppend(&out.text(), "presence_room_events_total{type=\"",
                    AbslView(EventTypeName(static_cast<EventType>(type))), "\"} ",
                    rooms.events[type], "\n");
  }
  if (kept != nullptr && kept->is_kept()) AddKept(*kept, out);
  if (recorder != nullptr) AddRecorded(*recorder, out);
  return std::move(out.text());
}

}  // namespace presence::serve
