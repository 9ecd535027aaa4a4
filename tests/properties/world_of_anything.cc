#include "tests/properties/world_of_anything.h"

#include <optional>
#include <string>
#include <utility>

#include "tests/properties/some_command.h"

namespace presence {
namespace {

// No server at all: any input at any time.
class AnyWorld {
 public:
  AnyWorld(Driver& driver, Draws options) : driver_(driver) {
    if (options.Chance(3, 4)) {
      Command connection = NewCommand(Command::Kind::kConnection, now_);
      connection.connection_id = "me";
      connection.identity = options.Pick<std::optional<std::string>>({"ann", "*", std::nullopt});
      driver_.Do(connection);
    }
    if (options.Chance(1, 4)) return;
    Command attached = NewCommand(Command::Kind::kAttached, now_);
    attached.flags = kFlagHasPresence;
    driver_.Do(attached);
  }

  void Take(Draws draws) {
    now_ += draws.Below(3);
    if (Idle() && draws.Chance(1, 3)) return Recover();
    Command command = NewCommand(Command::Kind::kPresence, draws.Chance(1, 20) ? now_ - 5 : now_);
    switch (draws.Weighted({30, 22, 8, 4, 1, 1, 7, 9, 7, 4, 2, 24, 1})) {
      case 0:
        SomeItems(draws, command);
        break;
      case 1:
        command.kind = Command::Kind::kSync;
        command.channel_serial = draws.Pick({"s1:x", "s1:", "s2:y", "s1:y", "s2:", "s3:z",
                                             "s3:", "", "s1", "s1:x:y", ":x", ":", "s4"});
        SomeItems(draws, command);
        break;
      case 2:
        command.kind = Command::Kind::kAttached;
        if (draws.Chance(2, 3)) command.flags |= kFlagHasPresence;
        if (draws.Chance(1, 4)) command.flags |= kFlagResumed;
        command.flags |= draws.Pick({uint64_t{0}, uint64_t{0}, kFlagModes, kFlagPresence,
                                     kFlagPresenceSubscribe, kFlagPublish | kFlagSubscribe});
        command.error = SomeError(draws);
        break;
      case 3:
        command.kind = Command::Kind::kDetached;
        command.error = SomeError(draws);
        break;
      case 4:
        command.kind = Command::Kind::kError;
        command.error = SomeError(draws);
        break;
      case 5:
        command.kind = Command::Kind::kOther;
        break;
      case 6:
        command.kind = Command::Kind::kMove;
        command.state =
            draws.Pick({ChannelState::kAttaching, ChannelState::kAttaching,
                        ChannelState::kDetaching, ChannelState::kDetaching, ChannelState::kDetached,
                        ChannelState::kAttached, ChannelState::kAttached, ChannelState::kSuspended,
                        ChannelState::kFailed, ChannelState::kInitialized});
        command.error = SomeError(draws);
        break;
      case 7:
        SomeConnection(draws, command);
        break;
      case 8:
        SomeAnswer(draws, command);
        break;
      case 9:
        return EchoAndAnswer(draws, command);
      case 10:
        Nonsense(draws, command);
        break;
      case 11:
        command = SomeCall(draws, driver_, command.t);
        break;
      case 12:
        now_ += 1000;
        return;
    }
    driver_.Do(std::move(command));
  }

 private:
  // The channel is in a state in which little happens.
  bool Idle() const {
    const ChannelState state = driver_.channel().state();
    return state == ChannelState::kDetached || state == ChannelState::kSuspended ||
           state == ChannelState::kFailed || !driver_.channel().connection().connected();
  }

  void Recover() {
    Command command = NewCommand(Command::Kind::kConnection, now_);
    command.connection_id = "me";
    command.identity = "ann";
    driver_.Do(command);
    command = NewCommand(Command::Kind::kMove, now_);
    command.state = ChannelState::kAttaching;
    driver_.Do(command);
    command = NewCommand(Command::Kind::kAttached, now_);
    command.flags = kFlagHasPresence;
    driver_.Do(command);
  }

  static std::optional<ErrorInfo> SomeError(Draws& draws) {
    if (!draws.Chance(1, 3)) return std::nullopt;
    return ServerError(draws.Pick({40160, 90198, 50003}),
                       draws.Pick({"no", "the channel moves", ""}));
  }

  static std::string SomeConnectionId(Draws& draws) {
    return draws.Pick({"me", "me", "me", "c1", "c1", "c1", "c2", "me2", "c1:1", "__proto__"});
  }

  std::string SomeId(Draws& draws, const std::string& connection) {
    const std::string serial = ":" + std::to_string(draws.Below(4)) + ":";
    switch (draws.Weighted({20, 6, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1})) {
      case 0:
        return connection + serial + std::to_string(draws.Below(2));
      case 1:
        return "";
      case 2:
        return "other" + serial + "0";
      case 3:
        return connection + serial;  // no index
      case 4:
        return connection;
      case 5:
        return connection + ":9223372036854775807:0";
      case 6:
        return connection + ":9223372036854775808:0";
      case 7:
        return connection + ":0002:01";
      case 8:
        return connection + ":-1:0";
      case 9:
        return connection + ":1:0x";
      case 10:
        return connection + serial + "9223372036854775807";
      default:
        return connection + "/1:0";
    }
  }

  void SomeItems(Draws& draws, Command& command) {
    const auto time = [&]() -> std::optional<int64_t> {
      if (draws.Chance(1, 8)) return std::nullopt;
      return now_ - 3 + draws.Below(5);
    };
    if (draws.Chance(1, 3)) command.frame_connection_id = SomeConnectionId(draws);
    if (draws.Chance(1, 4)) {
      command.frame_id = command.frame_connection_id + ":" + std::to_string(draws.Below(4));
    }
    if (draws.Chance(1, 2)) command.frame_timestamp = time();
    const uint32_t count = draws.Pick({1u, 1u, 2u, 0u});
    for (uint32_t i = 0; i < count; ++i) {
      OwnedItem item;
      switch (draws.Weighted({40, 1, 1, 1, 1})) {
        case 0:
          item.action = draws.Pick({2, 1, 4, 3, 3});
          break;
        case 1:
          item.action = 0;
          break;
        case 2:
          item.action = draws.Pick({5, -1, 1000});
          break;
        case 3:
          break;
        case 4:
          item.action = 2;
          item.malformed = true;
          break;
      }
      item.client_id = draws.Pick(
          {"ann", "ann", "ann", "ann", "ann", "bob", "bob", "bob", "a:b", "*", "__proto__", ""});
      const std::string connection = SomeConnectionId(draws);
      if (command.frame_connection_id.empty() || draws.Chance(1, 2)) {
        item.connection_id = draws.Chance(1, 20) ? "" : connection;
      }
      if (command.frame_id.empty() || draws.Chance(1, 2)) {
        item.id = SomeId(
            draws, item.connection_id.empty() ? command.frame_connection_id : item.connection_id);
      }
      if (!command.frame_timestamp || draws.Chance(1, 2)) item.timestamp = time();
      item.payload = SomePayload(draws);
      if (draws.Chance(1, 10)) {
        item.payload.data_kind = DataKind::kJson;
        item.payload.data = "{\"a\":[1,null]}";
      }
      command.items.push_back(std::move(item));
    }
    if (draws.Chance(1, 40)) {  // more of them than are told one by one
      OwnedItem item;
      item.malformed = true;
      command.items.resize(command.items.size() + 14 + draws.Below(5), item);
    }
  }

  static void SomeConnection(Draws& draws, Command& command) {
    command.kind = Command::Kind::kConnection;
    command.connection_state = draws.Pick(
        {ConnectionState::kConnected, ConnectionState::kConnected, ConnectionState::kConnected,
         ConnectionState::kConnected, ConnectionState::kDisconnected,
         ConnectionState::kDisconnected, ConnectionState::kSuspended, ConnectionState::kClosed,
         ConnectionState::kFailed});
    command.connection_id = draws.Pick({"me", "me", "me2", "me2", ""});
    command.identity =
        draws.Pick<std::optional<std::string>>({"ann", "*", std::nullopt, "bob", std::string()});
    if (draws.Chance(1, 4)) command.max_message_size = draws.Below(40);
    command.error = SomeError(draws);
  }

  void SomeAnswer(Draws& draws, Command& command) {
    command.kind = draws.Chance(1, 3) ? Command::Kind::kNack : Command::Kind::kAck;
    const int64_t first =
        driver_.sent().empty() ? driver_.next_serial() : driver_.sent().front().msg_serial;
    command.msg_serial = first + draws.Below(3) - (draws.Chance(1, 6) ? 1 : 0);
    command.count = draws.Pick({1, 1, 2, 3, 0, -1});
    if (command.kind == Command::Kind::kNack) command.error = SomeError(draws);
  }

  // Something like an echo of what is in flight, and its ACK: which of the two is the last word?
  void EchoAndAnswer(Draws& draws, Command& echo) {
    OwnedItem item;
    item.action = draws.Pick({2, 4, 1, 3});
    item.client_id = draws.Pick({"ann", "ann", "bob", "a:b"});
    item.connection_id = driver_.channel().connection().id();
    item.id = SomeId(draws, item.connection_id);
    item.timestamp = now_ - 2 + draws.Below(5);
    item.payload = SomePayload(draws);
    echo.items = {item};
    driver_.Do(echo);
    Command answer = NewCommand(Command::Kind::kAck, now_);
    if (!driver_.sent().empty()) answer.msg_serial = driver_.sent().front().msg_serial;
    driver_.Do(answer);
  }

  // What the caller promised never to hand in.
  void Nonsense(Draws& draws, Command& command) {
    switch (draws.Below(5)) {
      case 0:
        command.kind = Command::Kind::kAckOfUnknownToken;
        if (!driver_.sent().empty()) {
          const Driver::Sent& sent = driver_.sent().front();
          command.acknowledged.push_back({sent.token, sent.msg_serial});
        }
        command.acknowledged.push_back(
            {draws.Pick({OperationToken{999'999}, OperationToken{0}}), 0});
        return;
      case 1:
        command.kind = Command::Kind::kMove;
        command.state = draws.Pick(
            {ChannelState::kInitialized, ChannelState::kAttached, static_cast<ChannelState>(77)});
        return;
      case 2:
        command.kind = Command::Kind::kConnection;
        command.connection_state = static_cast<ConnectionState>(9);
        return;
      case 3:
        command.kind = Command::Kind::kOperation;
        command.request = driver_.NewRequest();
        command.action = draws.Pick(
            {PresenceAction::kPresent, PresenceAction::kAbsent, static_cast<PresenceAction>(12)});
        return;
      case 4:
        command.kind = Command::Kind::kAckOfUnknownToken;
        if (driver_.sent().empty()) return;
        // The same one twice: the second time it is unknown.
        const Driver::Sent& sent = driver_.sent().front();
        command.acknowledged = {{sent.token, sent.msg_serial}, {sent.token, sent.msg_serial}};
        return;
    }
  }

  Driver& driver_;
  int64_t now_ = kStart;
};

}  // namespace

void PlayAnything(const Plan& plan, Driver& driver) {
  AnyWorld world(driver, Draws(plan.options));
  for (const Step& step : plan.steps) world.Take(Draws(step));
}

}  // namespace presence
