#include "tests/host/host_harness.h"

#include <algorithm>
#include <set>
#include <span>
#include <variant>

#include "gtest/gtest.h"

namespace presence {
namespace {

std::string_view ActionName(PresenceAction action) {
  switch (action) {
    case PresenceAction::kEnter:
      return "enter";
    case PresenceAction::kLeave:
      return "leave";
    case PresenceAction::kUpdate:
      return "update";
    case PresenceAction::kPresent:
      return "present";
    default:
      return "?";
  }
}

std::string Text(std::string_view text) { return std::string(text); }

std::string ItemsLine(std::span<const OutItem> items) {
  std::string line = "[";
  for (const OutItem& item : items) {
    if (line.size() > 1) line += "; ";
    line += LineOf(item);
  }
  return line + "]";
}

// The frame that an item came in; of what the host made up itself, each is one.
std::string FrameOf(const Message& message) {
  if (!message.id.starts_with(message.connection_id)) return Text(message.id);
  return Text(message.id.substr(0, message.id.rfind(':')));
}

constexpr ConnectionHandle kFirstHandle = ~ConnectionHandle{0};

struct Renderer {
  const std::vector<std::string>& ids;

  std::string To(ConnectionHandle handle) const {
    const ConnectionHandle index = kFirstHandle - handle;
    return index < ids.size() ? ids[index] : "nobody";
  }
  std::string operator()(const AttachedReply& reply) const {
    const uint64_t modes = reply.flags & kFlagModes;
    return "to " + To(reply.to) + ": ATTACHED " + std::to_string(reply.flags - modes) +
           (modes == kFlagDefaultModes ? "" : " modes=" + std::to_string(modes));
  }
  std::string operator()(const DetachedReply& reply) const {
    return "to " + To(reply.to) + ": DETACHED";
  }
  std::string operator()(const ErrorReply& reply) const {
    return "to " + To(reply.to) + ": ERROR " + std::to_string(reply.error.code);
  }
  std::string operator()(const AckReply& reply) const {
    return "to " + To(reply.to) + ": ACK " + std::to_string(reply.msg_serial);
  }
  std::string operator()(const NackReply& reply) const {
    return "to " + To(reply.to) + ": NACK " + std::to_string(reply.msg_serial) + " " +
           std::to_string(reply.error.code);
  }
  std::string operator()(const SyncPage& page) const {
    return "to " + To(page.to) + ": SYNC " + Text(page.channel_serial) + " " +
           ItemsLine(page.items);
  }
  std::string operator()(const Broadcast& broadcast) const {
    std::string line = "to";
    for (const ConnectionHandle to : broadcast.to) line += " " + To(to);
    return line + ": PRESENCE " + ItemsLine(broadcast.items);
  }
  std::string operator()(const MemberEvent& event) const {
    constexpr std::string_view kTypes[] = {"enter", "leave", "update", "present"};
    constexpr std::string_view kReasons[] = {"", " left", " lost", " swept", " empty"};
    return "event " + Text(kTypes[static_cast<size_t>(event.type)]) + " " +
           Text(event.message.client_id) + "@" + Text(event.message.connection_id) +
           " n=" + std::to_string(event.connections) +
           Text(kReasons[static_cast<size_t>(event.reason)]);
  }
};

}  // namespace

IncomingItem Op(PresenceAction action, std::string_view client_id, std::string_view data) {
  IncomingItem item;
  item.action = static_cast<int64_t>(action);
  item.client_id = client_id;
  if (!data.empty()) {
    item.payload.data_kind = DataKind::kString;
    item.payload.data = data;
  }
  return item;
}

IncomingItem WithId(IncomingItem item, std::string_view id) {
  item.id = id;
  return item;
}

std::string LineOf(const OutItem& item) {
  const Message& message = item.message;
  std::string line = Text(ActionName(item.action)) + " " + Text(message.client_id) + "@" +
                     Text(message.connection_id) + " " + Text(message.id) +
                     " t=" + std::to_string(ToMs(message.timestamp));
  const Payload& payload = message.payload;
  if (payload.data_kind == DataKind::kString) line += " \"" + Text(payload.data) + "\"";
  if (payload.data_kind == DataKind::kJson) line += " " + Text(payload.data);
  if (payload.encoding) line += " encoding=" + Text(*payload.encoding);
  if (payload.extras) line += " extras=" + Text(*payload.extras);
  return line;
}

ErrorInfo HostErrorOf(int64_t code) {
  ErrorInfo error;
  error.code = code;
  error.status_code = 401;
  error.message = "no";
  return error;
}

ConnectionHandle HostHarness::HandleOf(std::string_view id) {
  size_t index = 0;
  while (index < ids_.size() && ids_[index] != id) ++index;
  if (index == ids_.size()) ids_.emplace_back(id);
  return kFirstHandle - index;
}

Lines HostHarness::Apply(const HostInput& input) {
  const absl::Status status = host.Apply(TimestampFromMs(now), input, effects);
  EXPECT_TRUE(status.ok()) << status;
  Check(&input);
  return Told();
}

void HostHarness::ApplyRefused(const HostInput& input, absl::StatusCode code) {
  const RoomSnapshot before = host.Export();
  const absl::Status status = host.Apply(TimestampFromMs(now), input, effects);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_FALSE(status.message().empty());
  EXPECT_TRUE(effects.empty());
  EXPECT_TRUE(host.Export() == before);
}

Lines HostHarness::Advance() {
  host.AdvanceTo(TimestampFromMs(now), effects);
  Check(nullptr);
  return Told();
}

Lines HostHarness::AdvanceTo(int64_t until) {
  Lines lines;
  while (host.NextDeadline() && ToMs(*host.NextDeadline()) <= until) {
    now = std::max(now, ToMs(*host.NextDeadline()));
    for (std::string& line : Advance()) lines.push_back(std::move(line));
  }
  now = until;
  for (std::string& line : Advance()) lines.push_back(std::move(line));
  return lines;
}

Lines HostHarness::Open(std::string_view id, std::optional<std::string_view> client_id) {
  return Apply(ConnectionOpened{HandleOf(id), id, client_id});
}
Lines HostHarness::Lose(std::string_view id,
                        std::optional<std::chrono::milliseconds> grace_period) {
  return Apply(ConnectionLost{HandleOf(id), grace_period});
}
Lines HostHarness::Resume(std::string_view id) { return Apply(ConnectionResumed{HandleOf(id)}); }
Lines HostHarness::Close(std::string_view id) { return Apply(ConnectionClosed{HandleOf(id)}); }
Lines HostHarness::Attach(std::string_view id, uint64_t flags, const ErrorInfo* refusal) {
  return Apply(AttachRequest{HandleOf(id), flags, kFlagModes, refusal});
}
Lines HostHarness::AttachPermitted(std::string_view id, uint64_t flags, uint64_t permitted) {
  return Apply(AttachRequest{HandleOf(id), flags, permitted});
}
Lines HostHarness::Pause(std::string_view id, bool paused) {
  return Apply(PagesPaused{HandleOf(id), paused});
}
Lines HostHarness::AskForSync(std::string_view id) { return Apply(SyncRequest{HandleOf(id)}); }
Lines HostHarness::Detach(std::string_view id) { return Apply(DetachRequest{HandleOf(id)}); }
Lines HostHarness::Send(std::string_view id, int64_t msg_serial, const Items& items,
                        const ErrorInfo* refusal) {
  return Apply(PresenceRequest{HandleOf(id), msg_serial, items, refusal});
}

std::string HostHarness::Broadcasts(std::string_view id, int64_t msg_serial, const Items& items) {
  std::string last;
  for (const std::string& line : Send(id, msg_serial, items)) {
    if (line.find(": PRESENCE ") != line.npos) last = line;
  }
  return last;
}

void HostHarness::Join(std::string_view id, std::string_view client_id) {
  Open(id, client_id);
  Attach(id);
}

Lines HostHarness::Members() const {
  Lines lines;
  host.members().ForEach([&](const Message& member) {
    lines.push_back(Text(member.client_id) + "@" + Text(member.connection_id) + " " +
                    Text(member.id));
  });
  return lines;
}

Lines HostHarness::Told() const {
  Lines lines;
  for (const HostEffect& effect : effects) lines.push_back(std::visit(Renderer{ids_}, effect));
  return lines;
}

void HostHarness::Check(const HostInput* input) {
  EXPECT_EQ(host.CheckInvariants(), "");
  std::set<std::pair<ConnectionHandle, std::string>> sent;  // frames, to whom
  int last_rank = 0;
  size_t answers = 0;
  const bool operation = input != nullptr && std::holds_alternative<PresenceRequest>(*input);
  for (const HostEffect& effect : effects) {
    int rank = operation ? 3 : 1;  // answers
    if (const auto* event = std::get_if<MemberEvent>(&effect)) {
      rank = 0;
      const std::pair<std::string, std::string> key{Text(event->message.connection_id),
                                                    Text(event->message.client_id)};
      const auto at = std::find(folded_.begin(), folded_.end(), key);
      if (event->type == EventType::kLeave) {
        EXPECT_NE(at, folded_.end()) << "somebody left who was not there";
        if (at != folded_.end()) folded_.erase(at);
      } else {
        EXPECT_EQ(event->type == EventType::kEnter, at == folded_.end());
        if (at == folded_.end()) folded_.push_back(key);
      }
      EXPECT_EQ(event->connections,
                std::count_if(folded_.begin(), folded_.end(),
                              [&](const auto& one) { return one.second == key.second; }));
    } else if (const auto* broadcast = std::get_if<Broadcast>(&effect)) {
      rank = 2;
      EXPECT_FALSE(broadcast->to.empty());
      EXPECT_FALSE(broadcast->items.empty());
      std::set<std::string> frames;
      for (const OutItem& item : broadcast->items) frames.insert(FrameOf(item.message));
      EXPECT_TRUE(frames.size() == 1 || broadcast->items.size() <= host.options().max_batch);
      for (const ConnectionHandle to : broadcast->to) {
        EXPECT_TRUE(host.IsAttached(to)) << to;
        for (const std::string& frame : frames) {
          EXPECT_TRUE(sent.emplace(to, frame).second) << "a frame in two parts";
        }
        if ((modes_[to] & kFlagPresenceSubscribe) != 0) continue;
        for (const OutItem& item : broadcast->items) {
          EXPECT_EQ(HandleOf(item.message.connection_id), to) << "not its own";
        }
      }
      for (const ConnectionHandle to : broadcast->to) {
        for (const OutItem& item : broadcast->items) {
          Timestamp& latest =
              latest_[{to, {Text(item.message.connection_id), Text(item.message.client_id)}}];
          EXPECT_GE(item.message.timestamp, latest);
          latest = item.message.timestamp;
        }
      }
    } else if (const auto* page = std::get_if<SyncPage>(&effect)) {
      rank = 4;
      EXPECT_TRUE(host.IsAttached(page->to)) << page->to;
      EXPECT_NE(modes_[page->to] & kFlagPresenceSubscribe, 0u);
      EXPECT_LE(std::count_if(
                    page->items.begin(), page->items.end(),
                    [](const OutItem& item) { return item.action == PresenceAction::kPresent; }),
                static_cast<ptrdiff_t>(host.options().sync_page_size));
    } else if (const auto* attached = std::get_if<AttachedReply>(&effect)) {
      modes_[attached->to] = attached->flags & kFlagModes;
      EXPECT_NE(modes_[attached->to], 0u);
      EXPECT_FALSE(attached->channel_serial.empty());
    } else {
      answers +=
          std::holds_alternative<AckReply>(effect) || std::holds_alternative<NackReply>(effect);
    }
    EXPECT_GE(rank, last_rank) << "effects out of order";
    last_rank = rank;
  }
  EXPECT_EQ(answers, operation ? 1u : 0u);

  std::vector<std::pair<std::string, std::string>> members;
  host.members().ForEach([&](const Message& member) {
    members.emplace_back(Text(member.connection_id), Text(member.client_id));
  });
  EXPECT_EQ(members, folded_);
}

}  // namespace presence
