#include "tests/session/server_harness.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "gtest/gtest.h"
#include "presence/wire/frame.h"
#include "presence/wire/packed_frame.h"

namespace presence {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

struct Line {
  std::string operator()(const SendFrame& send) const {
    const bool packed = send.format == wire::Format::kMessagePack;
    std::string line = packed ? "packed " : "send ";
    for (const TransportHandle to : send.to) line += std::to_string(to) + ",";
    line.back() = ' ';
    if (!packed) return line + Text(send.bytes);
    EXPECT_TRUE(wire::AppendUnpacked(send.bytes, line).ok());
    return line;
  }
  std::string operator()(const EndTransport& end) const {
    return "end " + std::to_string(end.transport);
  }
  std::string operator()(const DropTransport& drop) const {
    return "drop " + std::to_string(drop.transport);
  }
  std::string operator()(const CredentialsOffered& offered) const {
    return "credentials " + std::to_string(offered.transport) + " " + Text(offered.token);
  }
  std::string operator()(const RoomEvent& event) const {
    return Text(event.room) + ": " + Text(EventTypeName(event.event.type)) + " " +
           Text(event.event.message.client_id) + " of " + Text(event.event.message.connection_id);
  }
  std::string operator()(const ConnectionEvent& event) const {
    return Text(event.connection_id) + " " + Text(ConnectionEventName(event.kind));
  }
};

}  // namespace

std::string ServerLineOf(const ServerEffect& effect) { return std::visit(Line(), effect); }

Lines LinesWith(std::string_view prefix, const Lines& lines) {
  Lines only;
  for (const std::string& line : lines) {
    if (line.starts_with(prefix)) only.push_back(line);
  }
  return only;
}

Lines SentTo(TransportHandle transport, const Lines& lines) {
  Lines sent;
  for (const std::string& line : LinesWith("send ", lines)) {
    const size_t space = line.find(' ', 5);
    const std::string to = "," + line.substr(5, space - 5) + ",";
    if (to.find("," + std::to_string(transport) + ",") != to.npos) {
      sent.push_back(line.substr(space + 1));
    }
  }
  return sent;
}

ServerHarness::ServerHarness(const Server::Options& options)
    : ServerHarness(options, std::make_unique<Server>(options)) {}

ServerHarness::ServerHarness(const Server::Options& options, std::unique_ptr<Server> restored)
    : server_(std::move(restored)), server(*server_), reader_(options.max_frame_size) {}

Lines ServerHarness::Apply(const ServerInput& input) {
  const absl::Status status = server.Apply(TimestampFromMs(now_ms), input, effects_);
  EXPECT_TRUE(status.ok()) << status;
  if (const auto* gone = std::get_if<TransportGone>(&input)) std::erase(ended_, gone->transport);
  return Take();
}

void ServerHarness::ApplyRefused(const ServerInput& input, absl::StatusCode code) {
  const absl::Status status = server.Apply(TimestampFromMs(now_ms), input, effects_);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_FALSE(status.message().empty());
  EXPECT_EQ(Take(), Lines{});
}

Lines ServerHarness::Advance(int64_t ms) {
  const int64_t end = now_ms + ms;
  Lines lines;
  for (int64_t next = NextMs(); next >= 0 && now_ms + next <= end; next = NextMs()) {
    now_ms += next;
    server.AdvanceTo(TimestampFromMs(now_ms), effects_);
    const Lines more = Take();
    lines.insert(lines.end(), more.begin(), more.end());
  }
  now_ms = end;
  server.AdvanceTo(TimestampFromMs(now_ms), effects_);
  EXPECT_EQ(Take(), Lines{}) << "nothing is due";
  return lines;
}

int64_t ServerHarness::NextMs() const {
  const std::optional<Timestamp> deadline = server.NextDeadline();
  if (!deadline.has_value()) return -1;
  return std::max<int64_t>(0, ToMs(*deadline) - now_ms);
}

TransportAccepted ServerHarness::Client(TransportHandle transport, std::string_view client) {
  TransportAccepted accepted;
  accepted.transport = transport;
  names_.reserve(1000);  // views of them must stay good
  accepted.connection_id = names_.emplace_back("c" + std::to_string(transport));
  accepted.connection_key = names_.emplace_back("k" + std::to_string(transport));
  accepted.client_id = client;
  accepted.permissions = {&all_, 1};
  return accepted;
}

Lines ServerHarness::Resume(TransportHandle transport, std::string_view key,
                            std::string_view client) {
  TransportAccepted accepted = Client(transport, client);
  accepted.resume_key = key;
  return Apply(accepted);
}

Lines ServerHarness::Attach(TransportHandle transport, std::string_view room,
                            std::string_view more) {
  return Say(transport, R"({"action":10,"channel":")" + Text(room) + "\"" + Text(more) + "}");
}

Lines ServerHarness::Enter(TransportHandle transport, std::string_view room, int64_t serial,
                           std::string_view client, std::string_view data) {
  return Operate(transport, room, serial, 2, client, data);
}

Lines ServerHarness::Operate(TransportHandle transport, std::string_view room, int64_t serial,
                             int action, std::string_view client, std::string_view data) {
  std::string item = R"({"action":)" + std::to_string(action);
  if (!client.empty()) item += R"(,"clientId":")" + Text(client) + "\"";
  if (!data.empty()) item += R"(,"data":")" + Text(data) + "\"";
  return Say(transport, R"({"action":14,"channel":")" + Text(room) + R"(","msgSerial":)" +
                            std::to_string(serial) + R"(,"presence":[)" + item + "}]}");
}

Lines ServerHarness::Take() {
  EXPECT_EQ(server.CheckInvariants(), "");
  Lines lines;
  for (const ServerEffect& effect : effects_) {
    lines.push_back(ServerLineOf(effect));
    if (const auto* send = std::get_if<SendFrame>(&effect)) {
      EXPECT_FALSE(send->to.empty());
      for (const TransportHandle to : send->to) {
        EXPECT_EQ(std::count(ended_.begin(), ended_.end(), to), 0) << lines.back();
      }
    } else if (const auto* end = std::get_if<EndTransport>(&effect)) {
      ended_.push_back(end->transport);
    } else if (const auto* drop = std::get_if<DropTransport>(&effect)) {
      ended_.push_back(drop->transport);
    }
  }
  return lines;
}

}  // namespace presence
