// Drives the loop of the README with a transport that only remembers.

#include "tools/examples/owner_loop.h"

#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/wire/frame.h"

namespace presence::examples {
namespace {

using Lines = std::vector<std::string>;

constexpr SubscriptionId kEveryone = 7;

class FakeTransport : public Transport {
 public:
  void Send(std::string json) override { sent_.push_back(std::move(json)); }
  // What was sent since it was last asked.
  Lines Take() { return std::exchange(sent_, {}); }

 private:
  Lines sent_;
};

class FakeListener : public Listener {
 public:
  void OnEvent(SubscriptionId to, const MemberEvent& event) override {
    static constexpr const char* kNames[] = {"enter", "leave", "update", "present"};
    told_.push_back(absl::StrCat(to, ": ", kNames[static_cast<size_t>(event.type)], " ",
                                 std::string(event.message.client_id), "@",
                                 std::string(event.message.connection_id)));
  }
  void OnResult(const CallResult& result, std::span<const Message> members) override {
    std::string line = absl::StrCat(result.request, result.error ? ": failed" : ": ok");
    if (result.error) absl::StrAppend(&line, " ", result.error->code);
    for (const Message& member : members)
      absl::StrAppend(&line, " ", std::string(member.client_id));
    told_.push_back(line);
  }
  void OnOther(const Effect& effect) override {
    if (const auto* changed = std::get_if<StateChanged>(&effect)) {
      told_.emplace_back(StateName(changed->state));
    } else if (const auto* sync = std::get_if<SyncChanged>(&effect)) {
      static constexpr const char* kPhases[] = {"started", "completed", "discarded"};
      told_.push_back(absl::StrCat("sync ", kPhases[static_cast<size_t>(sync->phase)]));
    } else if (const auto* update = std::get_if<ChannelUpdate>(&effect)) {
      told_.push_back(absl::StrCat("update ", update->reason ? update->reason->code : 0));
    } else {
      told_.emplace_back("other");
    }
  }
  Lines Take() { return std::exchange(told_, {}); }

 private:
  Lines told_;
};

constexpr char kAttach[] = R"({"action":10,"channel":"room"})";
constexpr char kDetach[] = R"({"action":12,"channel":"room"})";

class OwnerLoopTest : public testing::Test {
 protected:
  void Receive(const std::string& json) { EXPECT_TRUE(loop_.Receive(Now(), json).ok()) << json; }
  void Call(const ChannelInput& call) { EXPECT_TRUE(loop_.Apply(Now(), call).ok()); }
  void ConnectionIs(ConnectionState state) { EXPECT_TRUE(loop_.ConnectionIs(Now(), state).ok()); }
  void Enter(RequestId request, std::string_view data) {
    OperationCall enter;
    enter.request = request;
    enter.payload.data_kind = DataKind::kString;
    enter.payload.data = data;
    Call(enter);
  }
  Timestamp Now() { return TimestampFromMs(++now_ms_); }

  void Connected(const std::string& id) {
    Receive(R"({"action":4,"connectionId":")" + id + R"(","connectionDetails":{"clientId":"me"}})");
  }
  // Connected as "me", attached to a room that is empty; nothing of it left to look at.
  void AttachToEmptyRoom() {
    Call(SubscribeCall{1, kEveryone, kAllEvents});
    Connected("c1");
    Receive(R"({"action":11,"channel":"room"})");
    transport_.Take();
    listener_.Take();
  }

  int64_t now_ms_ = 1000;
  FakeTransport transport_;
  FakeListener listener_;
  OwnerLoop loop_{"room", transport_, listener_};
};

TEST_F(OwnerLoopTest, AttachesOnceConnectedAndTellsTheSync) {
  Call(SubscribeCall{1, kEveryone, kAllEvents});
  EXPECT_EQ(transport_.Take(), Lines{}) << "there is no connection yet";
  EXPECT_EQ(listener_.Take(), (Lines{"attaching", "1: ok"}));
  Connected("c1");
  EXPECT_EQ(transport_.Take(), Lines{kAttach});
  Receive(R"({"action":11,"channel":"room","flags":1})");
  EXPECT_EQ(listener_.Take(), (Lines{"attached", "sync started"}));
  Call(GetCall{2, {}, {}, true});
  EXPECT_EQ(listener_.Take(), Lines{}) << "get waits for the sync";
  Receive(R"({"action":16,"channel":"room","channelSerial":"s1:","timestamp":900,"presence":[)"
          R"({"action":1,"id":"ca:0:0","connectionId":"ca","clientId":"ann"},)"
          R"({"action":1,"id":"cb:0:0","connectionId":"cb","clientId":"bob"}]})");
  EXPECT_EQ(listener_.Take(),
            (Lines{"7: present ann@ca", "7: present bob@cb", "sync completed", "2: ok ann bob"}));
  EXPECT_EQ(transport_.Take(), Lines{});
}

TEST_F(OwnerLoopTest, TellsOnlyThoseWhoWantTheEvent) {
  AttachToEmptyRoom();
  Call(SubscribeCall{2, 8, MaskOf(EventType::kLeave)});
  EXPECT_EQ(listener_.Take(), Lines{"2: ok"});
  Receive(R"({"action":14,"channel":"room","id":"ca:0","connectionId":"ca","timestamp":900,)"
          R"("presence":[{"action":2,"clientId":"ann"}]})");
  EXPECT_EQ(listener_.Take(), Lines{"7: enter ann@ca"});
  Receive(R"({"action":14,"channel":"room","id":"ca:1","connectionId":"ca","timestamp":901,)"
          R"("presence":[{"action":3,"clientId":"ann"}]})");
  EXPECT_EQ(listener_.Take(), (Lines{"7: leave ann@ca", "8: leave ann@ca"}));
}

TEST_F(OwnerLoopTest, NumbersOperationsAndBringsAcksAndNacksBack) {
  AttachToEmptyRoom();
  Enter(2, "hi");
  Enter(3, "ho");
  EXPECT_EQ(transport_.Take(), (Lines{R"({"action":14,"channel":"room","msgSerial":0,)"
                                      R"("presence":[{"action":2,"data":"hi"}]})",
                                      R"({"action":14,"channel":"room","msgSerial":1,)"
                                      R"("presence":[{"action":2,"data":"ho"}]})"}));
  EXPECT_EQ(listener_.Take(), Lines{});
  Receive(R"({"action":1,"msgSerial":0,"count":1})");
  EXPECT_EQ(listener_.Take(), Lines{"2: ok"});
  Receive(R"({"action":2,"msgSerial":1,"error":{"code":91000,"statusCode":400,"message":"no"}})");
  EXPECT_EQ(listener_.Take(), Lines{"3: failed 91000"});
}

// RTN19a.
TEST_F(OwnerLoopTest, SendsTheSameAgainOnANewTransportOfTheSameConnection) {
  AttachToEmptyRoom();
  Enter(2, "hi");
  const Lines sent = transport_.Take();
  ASSERT_EQ(sent.size(), 1u);
  ConnectionIs(ConnectionState::kDisconnected);
  EXPECT_EQ(transport_.Take(), Lines{});
  EXPECT_EQ(listener_.Take(), Lines{}) << "a lost transport alone changes nothing";
  Connected("c1");
  EXPECT_EQ(transport_.Take(), (Lines{kAttach, sent[0]}));
  Receive(R"({"action":1,"msgSerial":0})");
  EXPECT_EQ(listener_.Take(), (Lines{"attaching", "2: ok"}));
}

// RTN15c7, RTP17g1: numbers begin again, and no id of the old connection is sent.
TEST_F(OwnerLoopTest, EntersAgainOnANewConnection) {
  AttachToEmptyRoom();
  Enter(2, "hi");
  Receive(R"({"action":1,"msgSerial":0})");
  Enter(3, "not acknowledged");
  transport_.Take();
  listener_.Take();
  ConnectionIs(ConnectionState::kDisconnected);
  Connected("c2");
  EXPECT_EQ(transport_.Take(), Lines{kAttach}) << "the operation waits for ATTACHED";
  Receive(R"({"action":11,"channel":"room"})");
  EXPECT_EQ(transport_.Take(), (Lines{R"({"action":14,"channel":"room","msgSerial":0,)"
                                      R"("presence":[{"action":2,"data":"not acknowledged"}]})"}));
  Receive(R"({"action":1,"msgSerial":0})");
  EXPECT_EQ(listener_.Take(), (Lines{"attaching", "attached", "sync completed", "3: ok"}));
  ConnectionIs(ConnectionState::kDisconnected);
  Connected("c3");
  Receive(R"({"action":11,"channel":"room"})");
  EXPECT_EQ(
      transport_.Take(),
      (Lines{kAttach, R"({"action":14,"channel":"room","msgSerial":0,)"
                      R"("presence":[{"action":2,"clientId":"me","data":"not acknowledged"}]})"}));
}

TEST_F(OwnerLoopTest, FailsWhatIsInFlightOnAConnectionGivenUp) {
  AttachToEmptyRoom();
  Enter(2, "hi");
  transport_.Take();
  ConnectionIs(ConnectionState::kSuspended);
  EXPECT_EQ(listener_.Take(), (Lines{"suspended", "2: failed 80002"}));
  Connected("c1");
  EXPECT_EQ(transport_.Take(), Lines{kAttach}) << "nothing is sent again";
}

// RTN7d: without queueing, what was in flight has failed, and a late ACK of it is no error.
TEST(OwnerLoopWithoutQueueing, ALateAckOfWhatFailedIsUnknownAndTheOthersComplete) {
  FakeTransport transport;
  FakeListener listener;
  Channel::Options options;
  options.queue_messages = false;
  OwnerLoop loop("room", transport, listener, options);
  const auto receive = [&](std::string_view json) {
    EXPECT_TRUE(loop.Receive(TimestampFromMs(1), json).ok()) << json;
  };
  const auto enter = [&](RequestId request) {
    OperationCall call;
    call.request = request;
    EXPECT_TRUE(loop.Apply(TimestampFromMs(1), call).ok());
  };
  constexpr std::string_view kConnected =
      R"({"action":4,"connectionId":"c1","connectionDetails":{"clientId":"me"}})";
  receive(kConnected);
  receive(R"({"action":11,"channel":"room"})");
  enter(1);
  EXPECT_TRUE(loop.ConnectionIs(TimestampFromMs(1), ConnectionState::kDisconnected).ok());
  receive(kConnected);
  receive(R"({"action":11,"channel":"room"})");
  enter(2);
  listener.Take();
  EXPECT_EQ(transport.Take().back(),
            R"({"action":14,"channel":"room","msgSerial":1,"presence":[{"action":2}]})");
  receive(R"({"action":1,"msgSerial":0,"count":2})");
  EXPECT_EQ(listener.Take(), Lines{"2: ok"});
}

TEST_F(OwnerLoopTest, DetachesByHand) {
  AttachToEmptyRoom();
  ASSERT_TRUE(loop_.Detach(Now()).ok());
  EXPECT_EQ(transport_.Take(), Lines{kDetach});
  Receive(R"({"action":13,"channel":"room"})");
  EXPECT_EQ(listener_.Take(), (Lines{"detaching", "detached"}));
}

TEST_F(OwnerLoopTest, RefusesWhatIsNoFrameAndPassesOverOtherChannels) {
  AttachToEmptyRoom();
  EXPECT_FALSE(loop_.Receive(Now(), "{").ok());
  Receive(R"({"action":14,"channel":"other","id":"ca:0","connectionId":"ca","timestamp":900,)"
          R"("presence":[{"action":2,"clientId":"ann"}]})");
  EXPECT_EQ(listener_.Take(), Lines{});
}

}  // namespace
}  // namespace presence::examples
