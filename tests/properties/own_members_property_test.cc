// What holds of own members and of entering them again whatever happens, one sentence to a test.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/model/newness.h"
#include "tests/properties/driver.h"
#include "tests/properties/history.h"
#include "tests/properties/plan.h"
#include "tests/properties/some_command.h"
#include "tests/properties/worlds.h"

namespace presence {
namespace {

// The client that an operation is about, as far as the connection's identity tells; else empty.
std::string ClientOf(const Channel& channel, const std::optional<std::string>& named) {
  if (named) return *named;
  const std::optional<std::string>& identity = channel.connection().client_id();
  return identity && *identity != "*" ? *identity : "";
}

// Operations that were asked for and not answered yet.
class Pending {
 public:
  struct Operation {
    PresenceAction action = PresenceAction::kEnter;
    std::optional<std::string> client_id;
  };

  void Ask(const Driver& driver, const Command& command) {
    if (!driver.status().ok() || command.kind != Command::Kind::kOperation) return;
    operations_[command.request] = Operation{command.action, command.client_id};
  }
  void Hear(const Effects& effects) {
    ForEach<CallResult>(effects,
                        [&](const CallResult& result) { operations_.erase(result.request); });
  }
  bool Has(const Channel& channel, std::string_view client_id) const {
    return std::any_of(operations_.begin(), operations_.end(), [&](const auto& one) {
      return ClientOf(channel, one.second.client_id) == client_id;
    });
  }
  const std::map<RequestId, Operation>& operations() const { return operations_; }

 private:
  std::map<RequestId, Operation> operations_;
};

// Whether these are the effects of an ATTACHED after which own members are entered again.
bool Attached(const Command& command, const Effects& effects) {
  if (command.kind != Command::Kind::kAttached) return false;
  bool attached = false;
  ForEach<StateChanged>(effects, [&](const StateChanged& change) {
    attached |= change.state == ChannelState::kAttached;
  });
  ForEach<ChannelUpdate>(effects,
                         [&](const ChannelUpdate& update) { attached |= !update.resumed; });
  return attached;
}

// One that names a token twice is an ACK like any other.
bool Answers(const Command& command) {
  return command.kind == Command::Kind::kAck || command.kind == Command::Kind::kNack ||
         command.kind == Command::Kind::kAckOfUnknownToken;
}

// The re-entries among what an ATTACHED, an ACK or a NACK sends: those come first, and operations
// sent are in flight afterwards, where those answered are not any more.
std::vector<SendPresence> ReentriesOf(const Command& command, const Effects& effects,
                                      size_t in_flight_before, size_t in_flight_after) {
  std::vector<SendPresence> sends;
  if (command.kind != Command::Kind::kAttached && !Answers(command)) return sends;
  ForEach<SendPresence>(effects, [&](const SendPresence& send) { sends.push_back(send); });
  size_t answered = 0;
  ForEach<CallResult>(effects, [&](const CallResult& result) {
    answered += result.kind == CallResult::Kind::kOperation ? 1u : 0u;
  });
  sends.resize(sends.size() - (in_flight_after + answered - in_flight_before));
  return sends;
}

// Re-entries in flight.
class Reentering {
 public:
  struct Sent {
    std::string client;
    bool attached_since = false;
  };

  void Hear(const Driver& driver, const Command& command, const Effects& effects,
            const std::vector<SendPresence>& reentries) {
    if (Attached(command, effects)) {
      for (auto& [token, sent] : sent_) sent.attached_since = true;
    }
    for (const SendPresence& send : reentries)
      sent_[send.token] = {std::string(*send.item.client_id), false};
    std::erase_if(sent_, [&](const auto& one) {
      return !driver.channel().Unacknowledged(one.first).has_value();
    });
  }
  bool Has(std::string_view client) const {
    return std::any_of(sent_.begin(), sent_.end(),
                       [&](const auto& one) { return one.second.client == client; });
  }
  // Those that this ACK or NACK answers and that an ATTACHED came after, in its order.
  std::vector<std::string> AnsweredAfterAttached(const Command& command) const {
    std::vector<std::string> clients;
    for (const AcknowledgedOperation& one : command.acknowledged) {
      const auto sent = sent_.find(one.token);
      if (sent == sent_.end() || !sent->second.attached_since) continue;
      if (std::count(clients.begin(), clients.end(), sent->second.client) == 0) {
        clients.push_back(sent->second.client);
      }
    }
    return clients;
  }

 private:
  std::map<OperationToken, Sent> sent_;
};

RC_GTEST_PROP(OwnMembers, EachAttachEntersThoseWithoutAPendingOperationOnceInOrder, ()) {
  const Plan plan = *GenAnyPlan();
  Pending pending;
  Reentering reentering;
  std::vector<OwnedMessage> own;
  size_t in_flight = 0;
  bool entered = false;
  bool entered_once_answered = false;
  bool held_back = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({[&](const Driver& d, const Command&) {
                    own.clear();
                    d.channel().own_members().ForEach(
                        [&](const Message& member) { own.push_back(OwnedMessage(member)); });
                    in_flight = d.channel().operations_in_flight();
                  },
                  [&](const Driver& d, const Command& command, const Effects& effects) {
                    const Channel& channel = d.channel();
                    const std::vector<SendPresence> reentries =
                        ReentriesOf(command, effects, in_flight, channel.operations_in_flight());
                    if (command.kind == Command::Kind::kAttached) {
                      std::vector<OwnedMessage> expected;
                      for (const OwnedMessage& member : own) {
                        if (pending.Has(channel, member.client_id) ||
                            reentering.Has(member.client_id)) {
                          held_back = true;
                        } else if (Attached(command, effects) && channel.connection().connected()) {
                          expected.push_back(member);
                        }
                      }
                      RC_ASSERT(reentries.size() == expected.size());
                      for (size_t i = 0; i < expected.size(); ++i) {
                        const OutgoingItem& item = reentries[i].item;
                        RC_ASSERT(item.action == PresenceAction::kEnter);
                        RC_ASSERT(item.client_id.has_value());
                        RC_ASSERT(*item.client_id == expected[i].client_id);
                        RC_ASSERT(item.payload == expected[i].view().payload);
                        if (!item.id.empty()) RC_ASSERT(item.id == expected[i].id);  // RTP17g
                        // RTP17g1: the id goes along exactly if it is one of this connection.
                        const bool same = expected[i].connection_id == channel.connection().id() &&
                                          !IsSynthesized(expected[i].view());
                        RC_ASSERT(same == !item.id.empty());
                        entered = true;
                      }
                    }
                    pending.Ask(d, command);
                    pending.Hear(effects);
                    if (Answers(command) && d.status().ok()) {
                      std::vector<std::string> expected;
                      for (const std::string& client : reentering.AnsweredAfterAttached(command)) {
                        if (channel.state() == ChannelState::kAttached &&
                            channel.connection().connected() && !pending.Has(channel, client) &&
                            channel.own_members().Find(client).has_value()) {
                          expected.push_back(client);
                          entered_once_answered = true;
                        }
                      }
                      std::vector<std::string> sent;
                      for (const SendPresence& send : reentries) {
                        sent.emplace_back(*send.item.client_id);
                      }
                      RC_ASSERT(sent == expected);
                    }
                    reentering.Hear(d, command, effects, reentries);
                  }});
  });
  RC_CLASSIFY(entered, "entered again");
  RC_CLASSIFY(entered_once_answered, "entered again once answered");
  RC_CLASSIFY(held_back, "held back");
}

RC_GTEST_PROP(OwnMembers, NoIdOfAnEarlierConnectionIsEverSent, ()) {
  const Plan plan = *GenAnyPlan();
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command&, const Effects& effects) {
                    const std::string_view ours = d.channel().connection().id();
                    const auto check = [&](const OutgoingItem& item) {
                      if (item.id.empty()) return;
                      RC_ASSERT(!ours.empty());
                      RC_ASSERT(item.id.substr(0, ours.size()) == ours);
                    };
                    ForEach<SendPresence>(effects,
                                          [&](const SendPresence& send) { check(send.item); });
                  }});
  });
}

// Whether the leave was done or failed because of the channel's or the connection's state; not if
// the server refused it. After one that failed, what the server says of our connection counts
// again, an echo or the ACK of an earlier enter, for then the server still has the member.
RC_GTEST_PROP(OwnMembers, WhoAskedToLeaveIsNeverEnteredAgain, ()) {
  const Plan plan = *GenPlan(WorldKind::kCorrectServer);
  Pending pending;
  std::set<std::string> left;
  std::set<std::string> failed;  // of these, those of whom the server never heard
  size_t in_flight = 0;
  bool tried = false;
  bool stale = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch(
        {[&](const Driver& d, const Command&) { in_flight = d.channel().operations_in_flight(); },
         [&](const Driver& d, const Command& command, const Effects& effects) {
           const Channel& channel = d.channel();
           pending.Ask(d, command);
           if (command.kind == Command::Kind::kOperation &&
               !IsRefusal(AnswerTo(command.request, effects))) {
             const std::string client = ClientOf(channel, command.client_id);
             if (command.action == PresenceAction::kLeave) {
               left.insert(client);
               failed.erase(client);
             } else if (AnswerTo(command.request, effects) == nullptr) {
               left.erase(client);
               if (client.empty()) left.clear();  // it may be any of them
             }
           }
           ForEach<CallResult>(effects, [&](const CallResult& result) {
             const auto operation = pending.operations().find(result.request);
             if (operation == pending.operations().end()) return;
             const std::string client = ClientOf(channel, operation->second.client_id);
             if (command.kind == Command::Kind::kNack) left.erase(client);
             if (operation->second.action == PresenceAction::kLeave) {
               if (result.error) failed.insert(client);
             } else if (!result.error && failed.count(client) > 0) {
               left.erase(client);
             }
           });
           if (TakesItems(channel.state())) {
             for (const OwnedItem& item : GoodItemsOf(command)) {
               if (IsLeave(item) || item.connection_id != channel.connection().id()) continue;
               stale |= left.count(item.client_id) > 0;
               if (failed.count(item.client_id) > 0) left.erase(item.client_id);
             }
           }
           // Without its tombstone a stale page does bring a member back.
           if (channel.members().tombstones_evicted() > 0) left.clear();
           for (const SendPresence& send :
                ReentriesOf(command, effects, in_flight, channel.operations_in_flight())) {
             tried = true;
             RC_ASSERT(left.count(std::string(send.item.client_id.value_or(""))) == 0u);
           }
           pending.Hear(effects);
         }});
  });
  RC_CLASSIFY(tried, "somebody entered again");
  RC_CLASSIFY(!left.empty(), "somebody left");
  RC_CLASSIFY(stale, "an echo came after the leave");
}

RC_GTEST_PROP(OwnMembers, WhoEnteredAndWasAcknowledgedIsEnteredAgain, ()) {
  const Plan plan = *GenPlan(WorldKind::kCorrectServer);
  Pending pending;
  Reentering reentering;
  std::set<std::string> entered;
  size_t in_flight = 0;
  bool checked = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch(
        {[&](const Driver& d, const Command&) { in_flight = d.channel().operations_in_flight(); },
         [&](const Driver& d, const Command& command, const Effects& effects) {
           const Channel& channel = d.channel();
           const std::vector<SendPresence> reentries =
               ReentriesOf(command, effects, in_flight, channel.operations_in_flight());
           if (Attached(command, effects) && channel.connection().connected()) {
             for (const std::string& client : entered) {
               if (pending.Has(channel, client) || reentering.Has(client)) continue;
               checked = true;
               RC_ASSERT(
                   std::count_if(reentries.begin(), reentries.end(), [&](const SendPresence& send) {
                     return send.item.client_id == client;
                   }) == 1);
             }
           }
           pending.Ask(d, command);
           if (command.kind == Command::Kind::kOperation &&
               command.action == PresenceAction::kLeave) {
             entered.erase(ClientOf(channel, command.client_id));
           }
           if (command.kind == Command::Kind::kAck && TakesItems(channel.state())) {
             ForEach<CallResult>(effects, [&](const CallResult& result) {
               const auto operation = pending.operations().find(result.request);
               if (operation == pending.operations().end() || result.error) return;
               const std::string client = ClientOf(channel, operation->second.client_id);
               if (operation->second.action == PresenceAction::kLeave) {
                 entered.erase(client);
               } else if (!client.empty()) {
                 entered.insert(client);
               }
             });
           }
           for (const OwnedItem& item : GoodItemsOf(command)) {
             if (IsLeave(item) && item.connection_id == channel.connection().id()) {
               entered.erase(item.client_id);
             }
           }
           ForEach<StateChanged>(effects, [&](const StateChanged& change) {  // RTP5a
             if (change.state == ChannelState::kDetached || change.state == ChannelState::kFailed) {
               entered.clear();
             }
           });
           // Who has asked to leave since is on the way out, whatever is acknowledged meanwhile.
           for (const auto& [request, operation] : pending.operations()) {
             if (operation.action == PresenceAction::kLeave) {
               entered.erase(ClientOf(channel, operation.client_id));
             }
           }
           pending.Hear(effects);
           reentering.Hear(d, command, effects, reentries);
         }});
  });
  RC_CLASSIFY(checked, "checked");
}

// One of the server's echoes of our own operations, in the order in which they were done.
struct Echo {
  uint8_t client = 0;
  uint8_t what = 0;      // enter, update, present, leave, lost
  bool again = false;    // comes twice
  bool foreign = false;  // of another connection: not ours
};

void showValue(const Echo& echo, std::ostream& os) {
  constexpr const char* kWhat[] = {"enter", "update", "present", "leave", "lost"};
  os << kWhat[echo.what] << " client" << int{echo.client} << (echo.again ? " twice" : "")
     << (echo.foreign ? " elsewhere" : "");
}

RC_GTEST_PROP(OwnMembers, AreWhatWasEchoedAndNotLeft, ()) {
  const auto echoes = *rc::gen::container<std::vector<Echo>>(rc::gen::build<Echo>(
      rc::gen::set(&Echo::client, rc::gen::inRange<uint8_t>(0, 3)),
      rc::gen::set(&Echo::what, rc::gen::inRange<uint8_t>(0, 5)), rc::gen::set(&Echo::again),
      rc::gen::set(&Echo::foreign,
                   rc::gen::map(rc::gen::inRange(0, 5), [](int number) { return number == 4; }))));
  Driver driver(Channel::Options(), false);
  Command connect = NewCommand(Command::Kind::kConnection, driver.now());
  connect.connection_id = "me";
  driver.Do(connect);
  driver.Do(NewCommand(Command::Kind::kAttached, driver.now()));
  std::map<std::string, std::string> expected;  // the id last echoed, by client
  int64_t serial = 0;
  for (const Echo& echo : echoes) {
    Command frame = NewCommand(Command::Kind::kPresence, driver.now());
    OwnedItem item;
    item.action = std::vector<int64_t>{2, 4, 1, 3, 3}[echo.what];
    item.client_id = "client" + std::to_string(echo.client);
    item.connection_id = echo.foreign ? "c1" : "me";
    item.timestamp = 1000 + serial;
    if (echo.what != 4) item.id = item.connection_id + ":" + std::to_string(serial) + ":0";
    ++serial;
    frame.items = {item};
    if (echo.again) frame.items.push_back(item);
    driver.Do(frame);
    if (echo.foreign) continue;
    if (echo.what == 3) expected.erase(item.client_id);
    if (echo.what < 3) expected[item.client_id] = item.id;  // RTP17b: lost is not left
  }
  std::map<std::string, std::string> own;
  driver.channel().own_members().ForEach([&](const Message& member) {
    own[std::string(member.client_id)] = member.id;
    RC_ASSERT(member.connection_id == "me");
  });
  RC_ASSERT(own == expected);
  RC_ASSERT(driver.channel().own_members().size() == expected.size());
}

// RTP17e.
RC_GTEST_PROP(OwnMembers, ARefusedReentryNamesTheClientAndTheCause, ()) {
  const Plan plan = *GenAnyPlan();
  std::map<OperationToken, std::string> reentries;
  size_t in_flight = 0;
  bool refused = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch(
        {[&](const Driver& d, const Command&) { in_flight = d.channel().operations_in_flight(); },
         [&](const Driver& d, const Command& command, const Effects& effects) {
           for (const SendPresence& send :
                ReentriesOf(command, effects, in_flight, d.channel().operations_in_flight())) {
             reentries[send.token] = *send.item.client_id;
           }
           if (command.kind != Command::Kind::kNack || !d.status().ok()) return;
           std::vector<std::string> clients;
           for (const AcknowledgedOperation& one : command.acknowledged) {
             const auto reentry = reentries.find(one.token);
             if (reentry != reentries.end()) clients.push_back(reentry->second);
           }
           std::vector<ChannelUpdate> updates;
           ForEach<ChannelUpdate>(effects,
                                  [&](const ChannelUpdate& update) { updates.push_back(update); });
           RC_ASSERT(updates.size() == clients.size());
           for (size_t i = 0; i < updates.size(); ++i) {
             refused = true;
             RC_ASSERT(updates[i].resumed);
             RC_ASSERT(updates[i].reason != nullptr);
             const ErrorInfo& reason = *updates[i].reason;
             RC_ASSERT(reason.code == int64_t{kReentryFailed});
             RC_ASSERT(reason.message.find(clients[i]) != std::string::npos);
             RC_ASSERT(reason.cause != nullptr);
             const int64_t cause = command.error ? command.error->code : int64_t{kRefused};
             RC_ASSERT(reason.cause->code == cause);
           }
         }});
  });
  RC_CLASSIFY(refused, "refused");
}

}  // namespace
}  // namespace presence
