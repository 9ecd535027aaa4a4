#include "tests/session/session_harness.h"

#include <variant>

#include "gtest/gtest.h"
#include "tests/session/effect_text.h"

namespace presence {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

ErrorInfo ErrorOf(int64_t code, int64_t status_code) {
  ErrorInfo error;
  error.code = code;
  error.status_code = status_code;
  error.message = "a test's";
  return error;
}

Lines Only(std::string_view prefix, const Lines& lines) {
  Lines only;
  for (const std::string& line : lines) {
    if (line.starts_with(prefix)) only.push_back(line);
  }
  return only;
}

SessionHarness::SessionHarness(const ClientSession::Options& options) : session(options) {}

Lines SessionHarness::Apply(const SessionInput& input) {
  const absl::Status status = session.Apply(TimestampFromMs(now_ms), input, effects_);
  EXPECT_TRUE(status.ok()) << status;
  return Take();
}

void SessionHarness::ApplyRefused(const SessionInput& input, absl::StatusCode code) {
  const absl::Status status = session.Apply(TimestampFromMs(now_ms), input, effects_);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_FALSE(status.message().empty());
  EXPECT_EQ(Take(), Lines{});
}

Lines SessionHarness::Advance(int64_t ms) {
  const int64_t end = now_ms + ms;
  Lines lines;
  for (int64_t next = NextMs(); next >= 0 && now_ms + next <= end; next = NextMs()) {
    now_ms += next;
    session.AdvanceTo(TimestampFromMs(now_ms), effects_);
    const Lines more = Take();
    lines.insert(lines.end(), more.begin(), more.end());
    if (NextMs() == 0) {
      ADD_FAILURE() << "a deadline is due after AdvanceTo";
      break;
    }
  }
  now_ms = end;
  session.AdvanceTo(TimestampFromMs(now_ms), effects_);
  EXPECT_EQ(Take(), Lines{}) << "nothing is due";
  return lines;
}

int64_t SessionHarness::NextMs() const {
  const std::optional<Timestamp> deadline = session.NextDeadline();
  if (!deadline.has_value()) return -1;
  EXPECT_GE(ToMs(*deadline), now_ms) << "a deadline in the past";
  return ToMs(*deadline) - now_ms;
}

Lines SessionHarness::Enter(std::string_view channel, RequestId request, std::string_view data) {
  OperationCall enter;
  enter.request = request;
  if (!data.empty()) {
    enter.payload.data_kind = DataKind::kString;
    enter.payload.data = data;
  }
  return Apply(ChannelCall{channel, enter});
}

Lines SessionHarness::Get(std::string_view channel, RequestId request) {
  GetCall get;
  get.request = request;
  return Apply(ChannelCall{channel, get});
}

Lines SessionHarness::Connected(TransportId transport, std::string_view id,
                                std::string_view details) {
  return Receive(transport, R"({"action":4,"connectionId":")" + Text(id) +
                                R"(","connectionDetails":{"clientId":"me")" + Text(details) + "}}");
}

void SessionHarness::GetConnected(std::string_view details) {
  EXPECT_EQ(Connect(), (Lines{"initialized>connecting", "open 1"}));
  Opened(1);
  Connected(1, "c1", R"(,"connectionKey":"k1")" + Text(details));
  EXPECT_EQ(session.state(), SessionState::kConnected);
}

void SessionHarness::GetAttached(std::string_view channel) {
  GetConnected();
  Attach(channel, 1);
  Receive(1, R"({"action":11,"channel":")" + Text(channel) + R"("})");
  EXPECT_EQ(session.FindChannel(channel)->state(), ChannelState::kAttached);
}

Lines SessionHarness::Take() {
  Lines lines;
  for (const SessionEffect& effect : effects_) lines.push_back(LineOf(effect, now_ms));
  Check();
  return lines;
}

void SessionHarness::Check() {
  EXPECT_EQ(session.CheckInvariants(), "");
  for (const SessionEffect& effect : effects_) {
    std::optional<RequestId> request;
    if (const auto* attachment = std::get_if<AttachmentResult>(&effect)) {
      request = attachment->request;
    } else if (const auto* of_channel = std::get_if<ChannelEffect>(&effect)) {
      if (const auto* result = std::get_if<CallResult>(of_channel->effect)) {
        request = result->request;
      }
    }
    if (request.has_value()) {
      EXPECT_EQ(++answered_[*request], 1) << "call " << *request << " was answered before";
    }
  }
}

void ExpectRetry(const Lines& lines, const std::string& begin, int64_t ms) {
  ASSERT_FALSE(lines.empty());
  const std::string& line = lines.back();
  ASSERT_TRUE(line.starts_with(begin + " next=")) << line;
  const int64_t wait = std::stoll(line.substr(begin.size() + 6));
  EXPECT_LE(wait, ms) << line;
  EXPECT_GE(wait, ms * 8 / 10) << line;
}

}  // namespace presence
