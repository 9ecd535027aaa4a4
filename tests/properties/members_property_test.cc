// What holds of the members of a channel whatever happens, one sentence to a test.

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/model/channel_model.h"
#include "tests/model/lines.h"
#include "tests/model/newness.h"
#include "tests/properties/driver.h"
#include "tests/properties/history.h"
#include "tests/properties/plan.h"
#include "tests/properties/worlds.h"

namespace presence {
namespace {

// The first invariant: folding all events from the empty set gives exactly the visible members.
RC_GTEST_PROP(Presence, EventsFoldToTheVisibleSet, ()) {
  const Plan plan = *GenAnyPlan();
  Listener listener;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command&, const Effects& effects) {
                    listener.Hear(effects);
                    Lines heard = LinesOf(listener.members());
                    Lines visible = LinesOf(MembersOf(d.channel()));
                    std::sort(heard.begin(), heard.end());
                    std::sort(visible.begin(), visible.end());
                    RC_ASSERT(heard == visible);
                  }});
  });
}

RC_GTEST_PROP(Presence, NobodyLeavesWhoIsNotPresent, ()) {
  const Plan plan = *GenAnyPlan();
  Listener listener;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver&, const Command&, const Effects& effects) {
                    for (const Effect& effect : effects) {
                      const auto* event = std::get_if<MemberEvent>(&effect);
                      if (event != nullptr && event->type == EventType::kLeave) {
                        RC_ASSERT(listener.Knows(event->message));
                      }
                      if (event != nullptr) listener.Hear(*event);
                    }
                    if (Count<SetCleared>(effects) > 0) listener = Listener();
                  }});
  });
}

// RTP19, RTP19a, RTP2h: who says so, and whether the message is the server's or made here.
RC_GTEST_PROP(Presence, EveryLeaveSaysWhy, ()) {
  const Plan plan = *GenAnyPlan();
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command& command, const Effects& effects) {
                    ForEach<MemberEvent>(effects, [&](const MemberEvent& event) {
                      const Message& message = event.message;
                      switch (event.reason) {
                        case LeaveReason::kNone:
                          RC_ASSERT(event.type != EventType::kLeave);
                          return;
                        case LeaveReason::kLeft:
                          RC_ASSERT(!IsSynthesized(message));
                          break;
                        case LeaveReason::kLost:
                          RC_ASSERT(IsSynthesized(message));
                          break;
                        case LeaveReason::kSwept:
                          RC_ASSERT(command.kind == Command::Kind::kSync);
                          RC_ASSERT(message.id.empty());
                          RC_ASSERT(ToMs(message.timestamp) == d.now());
                          break;
                        case LeaveReason::kEmpty:
                          RC_ASSERT(command.kind == Command::Kind::kAttached);
                          RC_ASSERT(message.id.empty());
                          RC_ASSERT(ToMs(message.timestamp) == d.now());
                          break;
                      }
                      RC_ASSERT(event.type == EventType::kLeave);
                    });
                  }});
  });
}

// RTP5a, RTN11d: the one silent change.
RC_GTEST_PROP(Presence, TheSetIsClearedSilentlyOnlyWhenDetachedFailedOrBegunAnew, ()) {
  const Plan plan = *GenAnyPlan();
  size_t before = 0;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({[&](const Driver& d, const Command&) { before = d.channel().members().size(); },
                  [&](const Driver& d, const Command&, const Effects& effects) {
                    bool ended = false;
                    ForEach<StateChanged>(effects, [&](const StateChanged& change) {
                      ended |= change.state == ChannelState::kDetached ||
                               change.state == ChannelState::kFailed ||
                               change.state == ChannelState::kInitialized;
                    });
                    ForEach<SetCleared>(effects, [&](const SetCleared& cleared) {
                      RC_ASSERT(ended);
                      RC_ASSERT(cleared.members == before);
                    });
                    if (ended) RC_ASSERT(d.channel().members().size() == 0u);
                  }});
  });
}

RC_GTEST_PROP(Presence, IterationFollowsTheOrderOfJoining, ()) {
  const Plan plan = *GenAnyPlan();
  Listener listener;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command&, const Effects& effects) {
                    listener.Hear(effects);
                    RC_ASSERT(LinesOf(MembersOf(d.channel())) == LinesOf(listener.members()));
                  }});
  });
}

RC_GTEST_PROP(Presence, CountsEqualARecount, ()) {
  const Plan plan = *GenAnyPlan();
  Listener listener;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command&, const Effects& effects) {
                    const auto connections_of = [&](std::string_view client_id) {
                      return std::count_if(
                          listener.members().begin(), listener.members().end(),
                          [&](const OwnedMessage& one) { return one.client_id == client_id; });
                    };
                    if (Count<SetCleared>(effects) > 0) listener = Listener();
                    ForEach<MemberEvent>(effects, [&](const MemberEvent& event) {
                      listener.Hear(event);
                      RC_ASSERT(int64_t{event.connections} ==
                                connections_of(event.message.client_id));
                    });
                    const MemberSet& set = d.channel().members();
                    std::set<std::string> clients;
                    for (const OwnedMessage& member : listener.members()) {
                      clients.insert(member.client_id);
                      RC_ASSERT(int64_t{set.connections_of(member.client_id)} ==
                                connections_of(member.client_id));
                    }
                    RC_ASSERT(set.size() == listener.members().size());
                    RC_ASSERT(set.client_count() == clients.size());
                    RC_ASSERT(set.connections_of("nobody") == 0u);
                  }});
  });
}

RC_GTEST_PROP(Presence, AMembersVersionNeverGoesBack, ()) {
  const Plan plan = *GenAnyPlan();
  Listener listener;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver&, const Command&, const Effects& effects) {
                    if (Count<SetCleared>(effects) > 0) listener = Listener();
                    ForEach<MemberEvent>(effects, [&](const MemberEvent& event) {
                      const bool made_here = event.reason == LeaveReason::kSwept ||
                                             event.reason == LeaveReason::kEmpty;
                      if (!made_here && listener.Knows(event.message)) {
                        RC_ASSERT(IsNewer(event.message, listener.Find(event.message)->view()));
                      }
                      listener.Hear(event);
                    });
                  }});
  });
}

// Ties of synthesized timestamps apart: there the rule is that the one who comes later wins
// (RTP2b1a), so that the same message is accepted every time.
RC_GTEST_PROP(Presence, AMessageJustAcceptedChangesNothingWhenItComesAgain, ()) {
  const Plan plan = *GenAnyPlan();
  int repeated = 0;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch(
        {nullptr, [&](const Driver& d, const Command& command, const Effects&) {
           if (!TakesItems(d.channel().state())) return;
           const std::vector<OwnedItem> items = GoodItemsOf(command);
           if (items.empty() || IsLeave(items.back())) return;
           const OwnedItem& last = items.back();
           const auto stored = d.channel().members().Find(last.connection_id, last.client_id);
           if (!stored || stored->id != last.id) return;
           if (ComparedByTimestamp(*stored, *stored)) return;
           ++repeated;
           Command again;
           again.kind = Command::Kind::kPresence;
           again.t = command.t;
           again.items = {last};
           const InputOf input(again);
           Snapshot before = SnapshotOf(d.channel());
           before.stats = {};
           const Lines lines = LinesOf(before);
           Effects none;
           RC_ASSERT(driver.channel().Apply(TimestampFromMs(again.t), input.input(), none).ok());
           RC_ASSERT(none.empty());
           Snapshot after = SnapshotOf(d.channel());
           after.stats = {};
           RC_ASSERT(LinesOf(after) == lines);
         }});
  });
  RC_CLASSIFY(repeated > 0, "repeated");
}

RC_GTEST_PROP(Presence, NoTombstoneOutlivesTheEndOfASync, ()) {
  const Plan plan = *GenAnyPlan();
  bool some = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command&, const Effects& effects) {
                    const MemberSet& set = d.channel().members();
                    some |= set.tombstone_count() > 0;
                    RC_ASSERT(set.tombstone_count() <= d.options().max_tombstones);
                    if (!set.syncing()) RC_ASSERT(set.tombstone_count() == 0u);
                    ForEach<SyncChanged>(effects, [&](const SyncChanged& change) {
                      if (change.phase != SyncChanged::Phase::kCompleted) return;
                      RC_ASSERT(set.tombstone_count() == 0u);
                    });
                  }});
  });
  RC_CLASSIFY(some, "tombstones");
}

// Seen: named by an ENTER, UPDATE or PRESENT since the sync started, even by a stale one.
RC_GTEST_PROP(Presence, ASyncEndsWithExactlyTheMembersSeenInIt, ()) {
  const Plan plan = *GenAnyPlan();
  std::set<std::pair<std::string, std::string>> seen;
  Listener listener;
  bool swept = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command& command, const Effects& effects) {
                    bool completed = false;
                    ForEach<SyncChanged>(effects, [&](const SyncChanged& change) {
                      if (change.phase == SyncChanged::Phase::kStarted) seen.clear();
                      completed |= change.phase == SyncChanged::Phase::kCompleted;
                    });
                    if (TakesItems(d.channel().state())) {
                      for (const OwnedItem& item : GoodItemsOf(command)) {
                        if (!IsLeave(item)) seen.emplace(item.connection_id, item.client_id);
                      }
                    }
                    // Those visible when the sweep begins.
                    if (Count<SetCleared>(effects) > 0) listener = Listener();
                    ForEach<MemberEvent>(effects, [&](const MemberEvent& event) {
                      if (event.reason != LeaveReason::kSwept) listener.Hear(event);
                    });
                    if (completed && command.kind == Command::Kind::kSync) {
                      std::vector<OwnedMessage> expected;
                      for (const OwnedMessage& member : listener.members()) {
                        if (seen.count({member.connection_id, member.client_id}) > 0) {
                          expected.push_back(member);
                        }
                      }
                      swept |= expected.size() < listener.members().size();
                      RC_ASSERT(LinesOf(MembersOf(d.channel())) == LinesOf(expected));
                    }
                    ForEach<MemberEvent>(effects, [&](const MemberEvent& event) {
                      if (event.reason == LeaveReason::kSwept) listener.Hear(event);
                    });
                  }});
  });
  RC_CLASSIFY(swept, "somebody swept");
}

RC_GTEST_PROP(Presence, GetByClientOrConnectionEqualsTheFilteredFullGet, ()) {
  const Plan plan = *GenAnyPlan();
  RunCase(plan, nullptr, [](Driver& driver) {
    // Suspended: whatever is known is there to be read (RTP11d).
    Command suspend;
    suspend.kind = Command::Kind::kMove;
    suspend.t = driver.now();
    suspend.state = ChannelState::kSuspended;
    driver.Do(suspend);
    const auto get = [&](const std::string& client_id, const std::string& connection_id) {
      Command command;
      command.kind = Command::Kind::kGet;
      command.t = driver.now();
      command.request = driver.NewRequest();
      command.client_id = client_id;
      command.get_connection_id = connection_id;
      command.wait_for_sync = false;
      driver.Do(command);
      std::vector<OwnedMessage> members;
      ForEach<CallResult>(driver.effects(), [&](const CallResult& result) {
        RC_ASSERT(result.error == nullptr);
        for (const Message& member : driver.effects().members(result)) {
          members.push_back(OwnedMessage(member));
        }
      });
      return members;
    };
    const std::vector<OwnedMessage> all = get("", "");
    RC_ASSERT(LinesOf(all) == LinesOf(MembersOf(driver.channel())));
    std::set<std::string> clients = {"", "nobody"};
    std::set<std::string> connections = {"", "nowhere"};
    for (const OwnedMessage& member : all) {
      clients.insert(member.client_id);
      connections.insert(member.connection_id);
    }
    for (const std::string& client : clients) {
      for (const std::string& connection : connections) {
        std::vector<OwnedMessage> filtered;
        for (const OwnedMessage& member : all) {
          if ((client.empty() || member.client_id == client) &&
              (connection.empty() || member.connection_id == connection)) {
            filtered.push_back(member);
          }
        }
        RC_ASSERT(LinesOf(get(client, connection)) == LinesOf(filtered));
      }
    }
    RC_CLASSIFY(all.size() > 1, "more than one member");
  });
}

// --- The order of frames ---

// One thing that happens at the server.
struct Happening {
  uint8_t connection = 0;
  uint8_t client = 0;
  uint8_t what = 0;  // enter, update, leave, lost
  uint16_t delivery = 0;
};

void showValue(const Happening& happening, std::ostream& os) {
  constexpr const char* kWhat[] = {"enter", "update", "leave", "lost"};
  os << kWhat[happening.what] << " client" << int{happening.client} << "@c"
     << int{happening.connection} << " delivered by " << happening.delivery;
}

rc::Gen<std::vector<Happening>> GenHappenings() {
  return rc::gen::container<std::vector<Happening>>(rc::gen::build<Happening>(
      rc::gen::set(&Happening::connection, rc::gen::inRange<uint8_t>(0, 2)),
      rc::gen::set(&Happening::client, rc::gen::inRange<uint8_t>(0, 2)),
      rc::gen::set(&Happening::what, rc::gen::inRange<uint8_t>(0, 4)),
      rc::gen::set(&Happening::delivery, rc::gen::inRange<uint16_t>(0, 1000))));
}

// A correct server whose clock ticks between any two things that happen, so that timestamps agree
// with serials.
class Server {
 public:
  // The frame that tells of it; none if nothing changed.
  std::optional<Command> Happen(const Happening& happening) {
    Command frame;
    frame.kind = Command::Kind::kPresence;
    frame.t = 1'000'000;
    ++clock_;
    OwnedItem item;
    item.client_id = "client" + std::to_string(happening.client);
    item.connection_id = "c" + std::to_string(happening.connection);
    item.timestamp = clock_;
    const auto known = std::find_if(members.begin(), members.end(), [&](const OwnedItem& member) {
      return member.client_id == item.client_id && member.connection_id == item.connection_id;
    });
    if (happening.what >= 2) {
      if (known == members.end()) return std::nullopt;
      item.action = static_cast<int64_t>(PresenceAction::kLeave);
      if (happening.what == 2) item.id = NextId(happening.connection);
      members.erase(known);
    } else {
      item.action = static_cast<int64_t>(happening.what == 0 ? PresenceAction::kEnter
                                                             : PresenceAction::kUpdate);
      item.id = NextId(happening.connection);
      if (known != members.end()) {
        *known = item;
      } else {
        members.push_back(item);
      }
    }
    frame.items = {item};
    return frame;
  }

  std::vector<OwnedItem> members;

 private:
  std::string NextId(uint8_t connection) {
    return "c" + std::to_string(connection) + ":" + std::to_string(serials_[connection]++) + ":0";
  }
  int64_t clock_ = 1000;
  int64_t serials_[2] = {0, 0};
};

Lines SortedMembers(const Driver& driver) {
  Lines lines = LinesOf(MembersOf(driver.channel()));
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Between ATTACHED and the last page, PRESENCE frames and pages may overtake each other.
//
// A trap: newness goes by id for some messages and by timestamp for others. Where the clocks behind
// the timestamps are skewed that is not a total order: a can be newer than b, b than c and c than a
// (NewnessIsACircleWhenClocksAreSkewed, below), and then the end state does depend on the order. It
// is independent only where timestamps agree with serials, and never tie with those of synthesized
// messages; so the clock of this server ticks. Outside a sync no tombstone remembers a leave, so
// there a LEAVE that overtakes its ENTER leaves the member visible until the next sync.
RC_GTEST_PROP(Presence, TheOrderOfFramesInsideASyncDoesNotChangeTheEndState, ()) {
  const std::vector<Happening> before = *GenHappenings();
  const std::vector<Happening> during = *GenHappenings();
  Server server;
  std::vector<Command> known;  // what we heard before; some of it is lost
  for (const Happening& happening : before) {
    const auto frame = server.Happen(happening);
    if (frame && happening.delivery % 4 != 3) known.push_back(*frame);
  }
  Command attached;
  attached.kind = Command::Kind::kAttached;
  attached.t = 1'000'000;
  attached.flags = kFlagHasPresence;
  known.push_back(attached);

  std::vector<std::pair<uint16_t, Command>> frames;
  Command page;
  page.kind = Command::Kind::kSync;
  page.t = 1'000'000;
  for (size_t i = 0; i + 1 < server.members.size(); ++i) {
    page.channel_serial = "s:" + std::to_string(i);
    page.items = {server.members[i]};
    page.items[0].action = static_cast<int64_t>(PresenceAction::kPresent);
    const auto where = before.size() > i ? before[i].delivery : uint16_t{0};
    frames.emplace_back(where, page);
  }
  Command last = page;
  last.channel_serial = "s:";
  last.items.clear();
  if (!server.members.empty()) {
    last.items = {server.members.back()};
    last.items[0].action = static_cast<int64_t>(PresenceAction::kPresent);
  }
  for (const Happening& happening : during) {
    if (const auto frame = server.Happen(happening))
      frames.emplace_back(happening.delivery, *frame);
  }

  const auto end_state = [&](const std::vector<std::pair<uint16_t, Command>>& order) {
    Driver driver(Channel::Options(), false);
    for (const Command& frame : known) driver.Do(frame);
    for (const auto& [when, frame] : order) driver.Do(frame);
    driver.Do(last);
    return SortedMembers(driver);
  };
  std::vector<std::pair<uint16_t, Command>> shuffled = frames;
  std::stable_sort(shuffled.begin(), shuffled.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const Lines in_order = end_state(frames);
  RC_ASSERT(end_state(shuffled) == in_order);
  // And it is the server's: all of them are there, and nobody else.
  RC_ASSERT(in_order.size() == server.members.size());
  RC_CLASSIFY(frames.size() > 3, "more than three frames to shuffle");
}

TEST(Presence, NewnessIsACircleWhenClocksAreSkewed) {
  const auto item = [](PresenceAction action, const char* id, int64_t timestamp) {
    Command frame;
    frame.kind = Command::Kind::kPresence;
    frame.t = 1000;
    frame.items.resize(1);
    frame.items[0].action = static_cast<int64_t>(action);
    frame.items[0].id = id;
    frame.items[0].client_id = "ann";
    frame.items[0].connection_id = "c";
    frame.items[0].timestamp = timestamp;
    return frame;
  };
  const Command first = item(PresenceAction::kEnter, "c:1:0", 300);    // its clock is ahead
  const Command second = item(PresenceAction::kUpdate, "c:2:0", 100);  // newer by serial
  const Command lost = item(PresenceAction::kLeave, "", 200);  // newer than second, not than first
  const auto present_after = [](const std::vector<Command>& order) {
    Driver driver(Channel::Options(), true);
    Command attached;
    attached.kind = Command::Kind::kAttached;
    attached.t = 1000;
    attached.flags = kFlagHasPresence;
    driver.Do(attached);
    for (const Command& command : order) driver.Do(command);
    return driver.channel().members().size() == 1;
  };
  EXPECT_FALSE(present_after({first, second, lost}));
  EXPECT_TRUE(present_after({lost, first, second}));
}

}  // namespace
}  // namespace presence
