#include "tests/members/checked_set.h"

#include "gtest/gtest.h"

namespace presence {
namespace {

using Outcome = MemberSet::Outcome;

std::string Text(EventType type, LeaveReason reason) {
  constexpr std::string_view kTypes[] = {"enter", "leave", "update", "present"};
  constexpr std::string_view kReasons[] = {"", " left", " lost", " swept", " empty"};
  return std::string(kTypes[static_cast<size_t>(type)]) +
         std::string(kReasons[static_cast<size_t>(reason)]);
}

std::string Who(const Message& message) {
  return std::string(message.client_id) + "@" + std::string(message.connection_id);
}

// The function references below refer to temporaries that live as long as the calls they serve.
struct Sink {
  explicit Sink(std::string& to) : text(to) {}
  void operator()(const MemberEvent& event) const {
    text += (text.empty() ? "" : ", ") + Text(event.type, event.reason) + " " + Who(event.message) +
            " n=" + std::to_string(event.connections);
    EXPECT_EQ(event.message.id, "");
    EXPECT_EQ(event.message.timestamp, TimestampFromMs(500));
  }
  std::string& text;
};
struct Adder {
  explicit Adder(std::string& to) : text(to) {}
  void operator()(const Message& message) const {
    text += (text.empty() ? "" : " ") + Who(message);
  }
  std::string& text;
};

}  // namespace

Message MessageOf(std::string_view client_id, std::string_view connection_id, std::string_view id,
                  int64_t ms) {
  Message message;
  message.client_id = client_id;
  message.connection_id = connection_id;
  message.id = id;
  message.timestamp = TimestampFromMs(ms);
  return message;
}

MemberSet::Outcome CheckedSet::Apply(PresenceAction action, const Message& message) {
  const Outcome outcome = set.Apply(action, message);
  EXPECT_EQ(set.CheckInvariants(), "");
  return outcome;
}

std::string CheckedSet::Do(PresenceAction action, std::string_view client_id,
                           std::string_view connection_id, std::string_view id, int64_t ms) {
  const Outcome outcome = Apply(action, MessageOf(client_id, connection_id, id, ms));
  if (outcome.kind == Outcome::Kind::kStale) {
    EXPECT_FALSE(outcome.event.has_value());
    return outcome.stale_by_tombstone ? "stale by tombstone" : "stale";
  }
  if (outcome.kind == Outcome::Kind::kNobody) {
    EXPECT_FALSE(outcome.event.has_value());
    return "nobody";
  }
  if (!outcome.event.has_value()) return "accepted";
  return Text(*outcome.event, outcome.reason) + " n=" + std::to_string(outcome.connections);
}

std::string CheckedSet::EndSync(int64_t now) {
  std::string text;
  set.EndSync(TimestampFromMs(now), Sink(text));
  EXPECT_EQ(set.CheckInvariants(), "");
  return text;
}

std::string CheckedSet::Empty(int64_t now) {
  std::string text;
  set.Empty(TimestampFromMs(now), Sink(text));
  EXPECT_EQ(set.CheckInvariants(), "");
  return text;
}

std::string CheckedSet::Members() const {
  std::string text;
  set.ForEach(Adder(text));
  return text;
}

std::string CheckedSet::OfClient(std::string_view client_id) const {
  std::string text;
  set.ForEachOfClient(client_id, Adder(text));
  return text;
}

std::string CheckedSet::OfConnection(std::string_view connection_id) const {
  std::string text;
  set.ForEachOfConnection(connection_id, Adder(text));
  return text;
}

std::string CheckedSet::After(uint64_t after, size_t most) const {
  std::string text;
  set.ForEachAfter(after, [&](uint64_t joined, const Message& member) {
    text += (text.empty() ? "" : " ") + std::to_string(joined) + ":" + Who(member);
    return --most > 0;
  });
  return text;
}

}  // namespace presence
