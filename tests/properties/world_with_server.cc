#include "tests/properties/world_with_server.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/properties/some_command.h"

namespace presence {
namespace {

// One channel as a correct server keeps it, a few other connections that come and go, our own
// connection and its owner. In the unreliable world the link between server and us repeats, delays
// and reorders what it carries.
class ServerWorld {
 public:
  ServerWorld(Driver& driver, Draws options, bool unreliable)
      : driver_(driver), unreliable_(unreliable) {
    identity_ =
        options.Pick<std::optional<std::string>>({"ann", "ann", "*", std::nullopt, std::string()});
    const uint32_t before = options.Below(3);
    for (uint32_t i = 0; i < before; ++i) RemoteItems(options);
    Connect("me1");
    if (options.Chance(1, 8)) return;
    Move(ChannelState::kAttaching);
    up_.push_back(Up{Up::Kind::kAttach, 0, {}});
    ServerReads(options, 1);
    Deliver(options, 1);
  }

  void Take(Draws draws) {
    now_ += draws.Below(2);
    if (!connected_ && draws.Chance(1, 2)) return Reconnect(draws);
    if (connected_ && up_.empty() && !attached_ && draws.Chance(1, 4)) {
      return OwnerMovesChannel(draws);
    }
    switch (draws.Weighted({30, 16, 12, 6, 14, 16, 3, 2, 2, 1, 1, 3, 2})) {
      case 0:
        return Deliver(draws, 1 + draws.Below(3));
      case 1:
        return RemoteItems(draws);
      case 2:
        return Page();
      case 3:
        return RemoteLost(draws);
      case 4:
        return Call(draws);
      case 5:
        return ServerReads(draws, 1 + draws.Below(2));
      case 6:
        return Resync();
      case 7:
        return ServerMovesChannel(draws);
      case 8:
        return OwnerMovesChannel(draws);
      case 9:
        return Lose(ConnectionState::kDisconnected);
      case 10:
        return Lose(draws.Pick(
            {ConnectionState::kSuspended, ConnectionState::kClosed, ConnectionState::kFailed}));
      case 11:
        return Reconnect(draws);
      case 12:
        now_ += 1000;
        return;
    }
  }

 private:
  struct Member {
    std::string client_id;
    std::string connection_id;
    std::string id;
    int64_t timestamp = 0;
    OwnedPayload payload;
  };
  // What we sent and the server has not read yet.
  struct Up {
    enum class Kind { kAttach, kDetach, kPresence };
    Kind kind = Kind::kAttach;
    int64_t msg_serial = 0;
    OwnedItem item;
  };

  // --- Our side ---

  void Apply(Command command) {
    command.t = now_;
    driver_.Do(std::move(command));
    int64_t serial = driver_.next_serial();
    for (const Effect& effect : driver_.effects()) {
      if (std::holds_alternative<SendPresence>(effect)) --serial;
    }
    for (const Effect& effect : driver_.effects()) {
      if (std::holds_alternative<SendAttach>(effect)) {
        SendUp(Up{Up::Kind::kAttach, 0, {}});
        if (resends_) ResendUnacknowledged();
        resends_ = false;
      } else if (std::holds_alternative<SendDetach>(effect)) {
        SendUp(Up{Up::Kind::kDetach, 0, {}});
      } else if (const auto* send = std::get_if<SendPresence>(&effect)) {
        SendUp(Up{Up::Kind::kPresence, serial++, ItemOf(send->item)});
      }
    }
  }

  void SendUp(Up up) {
    if (connected_) up_.push_back(std::move(up));
  }

  static OwnedItem ItemOf(const OutgoingItem& outgoing) {
    OwnedItem item;
    item.action = static_cast<int64_t>(outgoing.action);
    item.id = outgoing.id;
    if (outgoing.client_id) item.client_id = *outgoing.client_id;
    item.payload.data_kind = outgoing.payload.data_kind;
    item.payload.data = outgoing.payload.data;
    item.payload.encoding = outgoing.payload.encoding;
    item.payload.extras = outgoing.payload.extras;
    return item;
  }

  // RTN19a: on a new transport of the same connection.
  void ResendUnacknowledged() {
    for (const Driver::Sent& sent : driver_.sent()) {
      const std::optional<OutgoingItem> item = driver_.channel().Unacknowledged(sent.token);
      if (item) up_.push_back(Up{Up::Kind::kPresence, sent.msg_serial, ItemOf(*item)});
    }
  }

  void Call(Draws& draws) { Apply(SomeCall(draws, driver_, now_)); }

  void Move(ChannelState state) {
    Command command = NewCommand(Command::Kind::kMove, now_);
    command.state = state;
    Apply(command);
  }

  void OwnerMovesChannel(Draws& draws) {
    if (driver_.channel().state() == ChannelState::kDetaching && draws.Chance(1, 2)) {
      return Move(ChannelState::kAttached);  // no DETACHED came in time
    }
    if (draws.Chance(1, 3)) {
      Move(ChannelState::kDetaching);
      SendUp(Up{Up::Kind::kDetach, 0, {}});
    } else {
      const ChannelState state = driver_.channel().state();
      if (state == ChannelState::kAttached || state == ChannelState::kAttaching) return;
      Move(ChannelState::kAttaching);
      SendUp(Up{Up::Kind::kAttach, 0, {}});
    }
  }

  void Connect(const std::string& id) {
    connected_ = true;
    if (id != own_id_) {
      if (!own_id_.empty()) gone_.push_back(own_id_);
      own_id_ = id;
      next_own_serial_ = 0;
      refused_serials_.clear();
    }
    Command command = NewCommand(Command::Kind::kConnection, now_);
    command.connection_id = own_id_;
    command.identity = identity_;
    Apply(command);
  }

  void Lose(ConnectionState state) {
    connected_ = false;
    up_.clear();
    down_.clear();
    attached_ = false;
    syncing_ = false;
    Command command = NewCommand(Command::Kind::kConnection, now_);
    command.connection_state = state;
    command.connection_id = own_id_;
    command.identity = identity_;
    if (now_ % 2 == 0) command.error = ServerError(80019, "the network is gone");
    // Nothing is waiting to be acknowledged any more, so nothing will be sent again.
    Apply(command);
  }

  void Reconnect(Draws& draws) {
    if (connected_) Lose(ConnectionState::kDisconnected);
    if (draws.Chance(1, 2)) {
      Connect("me" + std::to_string(++connections_ + 1));
    } else {
      resends_ = true;
      Connect(own_id_);
      resends_ = false;
    }
  }

  // --- The server's side ---

  Command PresenceFrameOf(const std::vector<OwnedItem>& items) {
    Command command = NewCommand(Command::Kind::kPresence, now_);
    command.items = items;
    return command;
  }

  void Broadcast(const Command& frame) {
    if (connected_ && attached_) down_.push_back(frame);
  }

  // Stores or removes the member and says what is broadcast for the item: its action, none if
  // there is nothing to tell.
  std::optional<PresenceAction> Perform(PresenceAction action, Member& message) {
    for (size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].client_id != message.client_id ||
          members_[i].connection_id != message.connection_id) {
        continue;
      }
      if (action == PresenceAction::kLeave) {
        if (message.payload.data_kind == DataKind::kNone) message.payload = members_[i].payload;
        members_.erase(members_.begin() + static_cast<ptrdiff_t>(i));
        return action;
      }
      members_[i] = message;
      return PresenceAction::kUpdate;
    }
    if (action == PresenceAction::kLeave) return std::nullopt;
    members_.push_back(message);
    return PresenceAction::kEnter;
  }

  static OwnedItem ItemOf(PresenceAction action, const Member& member) {
    OwnedItem item;
    item.action = static_cast<int64_t>(action);
    item.id = member.id;
    item.client_id = member.client_id;
    item.connection_id = member.connection_id;
    item.timestamp = member.timestamp;
    item.payload = member.payload;
    return item;
  }

  // One frame of another connection, about one or two of its clients.
  void RemoteItems(Draws& draws) {
    const std::string connection = draws.Pick({"c1", "c2", "c1:1"});
    const int64_t serial = remote_serials_[connection]++;
    Command frame = PresenceFrameOf({});
    frame.frame_id = connection + ":" + std::to_string(serial);
    frame.frame_connection_id = connection;
    frame.frame_timestamp = now_;
    const uint32_t count = 1 + (draws.Chance(1, 3) ? 1u : 0u);
    for (uint32_t i = 0; i < count; ++i) {
      Member message;
      message.client_id = draws.Pick({"bob", "cat", "a:b", "ann"});
      message.connection_id = connection;
      message.id = frame.frame_id + ":" + std::to_string(frame.items.size());
      message.timestamp = now_;
      message.payload = SomePayload(draws);
      const PresenceAction action = draws.Pick({PresenceAction::kEnter, PresenceAction::kEnter,
                                                PresenceAction::kUpdate, PresenceAction::kLeave});
      const std::optional<PresenceAction> told = Perform(action, message);
      if (!told) continue;
      OwnedItem item = ItemOf(*told, message);
      if (draws.Chance(1, 2)) {  // what the item lacks, its frame has
        item.id.clear();
        item.connection_id.clear();
        item.timestamp.reset();
      }
      frame.items.push_back(std::move(item));
    }
    if (!frame.items.empty()) Broadcast(frame);
  }

  // The server loses a connection: a leave of its own for every member of it.
  void RemoteLost(Draws& draws) {
    std::string connection = draws.Pick({"c1", "c2", "c1:1"});
    if (!gone_.empty() && draws.Chance(1, 2)) connection = gone_.front();
    std::vector<OwnedItem> items;
    for (const Member& member : std::vector<Member>(members_)) {
      if (member.connection_id != connection) continue;
      Member leave = member;
      leave.id = draws.Chance(1, 2) ? "" : "lost:" + std::to_string(now_) + ":0";
      leave.timestamp = now_;
      Perform(PresenceAction::kLeave, leave);
      items.push_back(ItemOf(PresenceAction::kLeave, leave));
    }
    if (!items.empty()) Broadcast(PresenceFrameOf(items));
  }

  void Attach(Draws& draws) {
    attached_ = true;
    Command command = NewCommand(Command::Kind::kAttached, now_);
    if (draws.Chance(1, 4)) command.flags |= kFlagModes;
    if (!members_.empty()) {
      command.flags |= kFlagHasPresence;
      BeginSync();
    } else {
      syncing_ = false;
    }
    down_.push_back(command);
  }

  void BeginSync() {
    syncing_ = true;
    snapshot_ = members_;
    cursor_ = 0;
    ++syncs_;
  }

  // The next page of the sync under way, of what was there when it began.
  void Page() {
    if (!syncing_ || !attached_) return;
    Command page = NewCommand(Command::Kind::kSync, now_);
    page.frame_timestamp = now_;
    const size_t end = std::min(cursor_ + 2, snapshot_.size());
    for (; cursor_ < end; ++cursor_) {
      page.items.push_back(ItemOf(PresenceAction::kPresent, snapshot_[cursor_]));
    }
    page.channel_serial = "sync" + std::to_string(syncs_) + ":";
    if (cursor_ < snapshot_.size()) {
      page.channel_serial += std::to_string(cursor_);
    } else {
      syncing_ = false;
    }
    down_.push_back(page);
  }

  // RTP18a: the server starts over.
  void Resync() {
    if (!attached_) return;
    BeginSync();
    Page();
  }

  void ServerMovesChannel(Draws& draws) {
    if (!connected_ || !attached_) return;
    Command command = NewCommand(Command::Kind::kDetached, now_);
    switch (draws.Below(4)) {
      case 0:
      case 1:  // a message may have been lost: attached once more
        return Attach(draws);
      case 2:
        command.error = ServerError(90198, "the channel moves");
        break;
      case 3:
        command.kind = Command::Kind::kError;
        command.error = ServerError(40160, "not allowed");
        break;
    }
    attached_ = false;
    syncing_ = false;
    down_.push_back(command);
  }

  void ServerReads(Draws& draws, uint32_t count) {
    for (uint32_t i = 0; i < count && !up_.empty(); ++i) {
      const Up up = up_.front();
      up_.pop_front();
      if (up.kind == Up::Kind::kAttach) {
        Attach(draws);
      } else if (up.kind == Up::Kind::kDetach) {
        attached_ = false;
        syncing_ = false;
        down_.push_back(NewCommand(Command::Kind::kDetached, now_));
      } else {
        ReadPresence(draws, up);
      }
    }
  }

  void ReadPresence(Draws& draws, const Up& up) {
    Command answer = NewCommand(Command::Kind::kAck, now_);
    answer.msg_serial = up.msg_serial;
    if (up.msg_serial < next_own_serial_) {  // sent again: answered again, not done again
      if (refused_serials_.count(up.msg_serial) > 0) answer.kind = Command::Kind::kNack;
      down_.push_back(answer);
      return;
    }
    next_own_serial_ = up.msg_serial + 1;
    Member message;
    message.client_id = up.item.client_id;
    if (message.client_id.empty()) message.client_id = identity_.value_or("ann");
    if (message.client_id == "*") message.client_id.clear();
    if (!attached_ || message.client_id.empty() || draws.Chance(1, 8)) {
      answer.kind = Command::Kind::kNack;
      refused_serials_.insert(up.msg_serial);
      if (draws.Chance(2, 3)) answer.error = ServerError(40160, "not allowed");
      down_.push_back(answer);
      return;
    }
    message.connection_id = own_id_;
    message.id = own_id_ + ":" + std::to_string(up.msg_serial) + ":0";
    message.timestamp = now_;
    message.payload = up.item.payload;
    bool known = false;  // RTP17g: entered again with its id, and still there
    for (const Member& member : members_) {
      known |= !up.item.id.empty() && member.client_id == message.client_id &&
               member.connection_id == message.connection_id;
    }
    std::optional<PresenceAction> told;
    if (!known) {
      if (!up.item.id.empty()) message.id = up.item.id;
      told = Perform(static_cast<PresenceAction>(*up.item.action), message);
    }
    // The answer may come before its echo or after it.
    const bool answer_first = draws.Chance(1, 2);
    if (answer_first) down_.push_back(answer);
    if (told) Broadcast(PresenceFrameOf({ItemOf(*told, message)}));
    if (!answer_first) down_.push_back(answer);
  }

  // --- The link ---

  void Deliver(Draws& draws, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      if (unreliable_ && !past_.empty() && draws.Chance(1, 4)) {
        Apply(past_[draws.Below(static_cast<uint32_t>(past_.size()))]);
        continue;
      }
      if (down_.empty()) return;
      size_t which = 0;
      if (unreliable_ && draws.Chance(1, 4)) {
        which = draws.Below(static_cast<uint32_t>(down_.size()));
      }
      const Command frame = down_[which];
      if (!unreliable_ || !draws.Chance(1, 8)) {
        down_.erase(down_.begin() + static_cast<ptrdiff_t>(which));
      }
      if (frame.kind == Command::Kind::kPresence || frame.kind == Command::Kind::kSync) {
        past_.push_back(frame);
      }
      Apply(frame);
    }
  }

  Driver& driver_;
  const bool unreliable_;
  int64_t now_ = kStart;

  bool connected_ = false;
  bool resends_ = false;
  std::string own_id_;
  std::optional<std::string> identity_;
  int connections_ = 0;
  std::vector<std::string> gone_;  // earlier connections of ours

  std::vector<Member> members_;
  std::map<std::string, int64_t> remote_serials_;
  int64_t next_own_serial_ = 0;
  std::set<int64_t> refused_serials_;
  bool attached_ = false;
  bool syncing_ = false;
  std::vector<Member> snapshot_;
  size_t cursor_ = 0;
  int syncs_ = 0;
  std::deque<Up> up_;
  std::deque<Command> down_;
  std::vector<Command> past_;  // frames with items that were delivered before
};

}  // namespace

void PlayWithServer(const Plan& plan, bool unreliable, Driver& driver) {
  ServerWorld world(driver, Draws(plan.options), unreliable);
  for (const Step& step : plan.steps) world.Take(Draws(step));
}

}  // namespace presence
