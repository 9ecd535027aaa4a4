#include "tests/room/client_world.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "presence/error.h"
#include "presence/message.h"

namespace presence {
namespace {

constexpr std::string_view kRooms[] = {"plain", "impatient", "eager"};
constexpr std::string_view kClients[] = {"me", "ann", "bob"};

RoomOptions OptionsOf(std::string_view name) {
  RoomOptions options;
  if (name == "impatient") options.channel.queue_messages = false;
  if (name == "eager") options.channel.attach_on_subscribe = true;
  return options;
}

// What the first data of a member looks like here and at the server.
std::string DataOf(const std::optional<JsonValue>& data) {
  if (!data.has_value()) return "";
  const std::string* const text = data->AsString();
  return text != nullptr ? *text : DebugJson(*data);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ClientStep& step) {
  return out << "kind=" << step.kind << " room=" << step.room << " what=" << step.what
             << " wait=" << step.wait;
}

ClientWorld::ClientWorld(const ClientSession::Options& options, uint64_t seed, int reactions)
    : random_(seed),
      reactions_left_(reactions),
      client_(std::make_unique<ChatClient>(options, *this)) {
  server_.set_now(now_ms_);
}

ClientWorld::~ClientWorld() = default;

void ClientWorld::Wrong(std::string what) {
  if (!failure_.empty()) return;
  failure_ = std::move(what);
  log_ += "WRONG: " + failure_ + "\n";
}

int ClientWorld::Draw(int below) {  // Knuth's MMIX
  random_ = random_ * 6364136223846793005u + 1442695040888963407u;
  return static_cast<int>((random_ >> 33) % static_cast<uint64_t>(below));
}

// --- What is called ---

void ClientWorld::Called(std::string_view what, const std::function<void()>& body,
                         bool completes_at_end) {
  log_ += std::string(static_cast<size_t>(depth_) * 2 + 2, ' ') + std::string(what) + "\n";
  if (depth_ > 0 && !completes_at_end) Wrong(std::string(what) + " inside another call");
  if (client_ == nullptr && !completes_at_end) Wrong(std::string(what) + " after the client");
  ++depth_;
  body();
  React();
  --depth_;
}

void ClientWorld::React() {
  if (reactions_left_ == 0 || client_ == nullptr || Draw(3) != 0) return;
  --reactions_left_;
  ++seen_.reactions;
  Act({Draw(kKinds - 1), Draw(3), Draw(64), Draw(400)});
}

Timestamp ClientWorld::Now() {
  Called(
      "now", [] {}, false);
  return TimestampFromMs(now_ms_);
}

void ClientWorld::Open(TransportId transport, std::string_view resume_key) {
  latest_ = transport;
  links_[transport].resume_key = resume_key;
  Called(
      "open", [] {}, false);
}

void ClientWorld::Send(TransportId transport, std::string_view message) {
  Link& link = links_[transport];
  if (!link.lossy) link.up.emplace_back(message);
  Called(
      "send " + std::string(message), [] {}, false);
}

void ClientWorld::Close(TransportId transport) {
  Link& link = links_[transport];
  link.open = false;
  server_.Lost(transport);
  CollectFromServer();
  Called(
      "close", [] {}, false);
}

void ClientWorld::GetToken(const ErrorInfo* /*reason*/) {
  token_wanted_ = true;
  Called(
      "token", [] {}, false);
}

void ClientWorld::OnFrame(const PassedFrame& frame) {
  Called(
      "frame " + std::string(frame.bytes), [] {}, false);
}

void ClientWorld::OnDiagnostic(std::string_view room, std::string_view text) {
  Called(
      "diagnostic " + std::string(room) + " " + std::string(text), [] {}, false);
}

// --- Calls ---

int ClientWorld::NewCall(Life& life) {
  life.open_calls.insert(next_call_);
  log_ += "    call " + std::to_string(next_call_) + " of " + life.name + "\n";
  return next_call_++;
}

void ClientWorld::Completed(Life& life, int call, const ErrorInfo* error) {
  const bool at_end = destroying_ || life.releasing;
  const std::string name = "call " + std::to_string(call);
  Called(
      name + (error == nullptr ? " ok" : " error " + std::to_string(error->code)),
      [&] {
        if (life.open_calls.erase(call) == 0) Wrong(name + " completed twice");
        if (life.released) Wrong(name + " completed after its room was released");
        if (at_end && (error == nullptr || error->code != kRoomInInvalidState)) {
          Wrong(name + " completed at the end as if it had happened");
        }
        ++seen_.completed;
        if (error != nullptr) ++seen_.refused;
      },
      at_end);
}

DoneCallback ClientWorld::Done(Life& life) {
  return [this, &life, call = NewCall(life)](Result<void> result) {
    Completed(life, call, result.ok() ? nullptr : &result.error());
  };
}

// --- Rooms ---

ClientWorld::Life* ClientWorld::RoomOf(int room) {
  const std::string name(kRooms[room % static_cast<int>(std::size(kRooms))]);
  Life*& life = alive_[name];
  if (life != nullptr) return life;
  life = &lives_.emplace_back();
  Life& made = *life;
  made.name = name;
  made.room = &client_->room(name, OptionsOf(name));
  // Asked for in a call, the listeners miss what happens until it has returned.
  made.folds = depth_ == 0;
  made.folded = MembersOf(made.room->channel());
  made.room->OnStateChange([this, &made](const RoomStateChange& change) {
    Called(
        made.name + " " + std::string(StateName(change.state)),
        [&] {
          if (made.released || made.releasing) Wrong("a state of a room that was released");
          if (change.state != ChannelState::kDetached && change.state != ChannelState::kFailed &&
              change.state != ChannelState::kInitialized) {
            return;
          }
          made.folded.clear();  // the one silent change
          made.folds = true;
        },
        false);
  });
  Result<Subscription> first = made.room->presence().Subscribe([this,
                                                                &made](const PresenceEvent& event) {
    Called(
        "event of " + made.name + ": " + event.member.client_id, [&] { Fold(made, event); }, false);
  });
  if (!first.ok()) Wrong("no subscription");
  return client_ == nullptr || made.released || made.releasing ? nullptr : &made;
}

void ClientWorld::Fold(Life& life, const PresenceEvent& event) {
  ++seen_.events;
  if (life.released || life.releasing) Wrong("an event of a room that was released");
  const FakeServer::Key key(event.member.connection_id, event.member.client_id);
  if (event.type != PresenceEventType::kLeave) {
    life.folded[key] = DataOf(event.member.data);
  } else if (life.folded.erase(key) == 0 && life.folds) {
    Wrong("somebody left who was not there");
  }
}

ClientWorld::Members ClientWorld::MembersOf(const Channel& channel) {
  Members members;
  channel.members().ForEach([&](const Message& member) {
    members[{std::string(member.connection_id), std::string(member.client_id)}] =
        member.payload.data;
  });
  return members;
}

void ClientWorld::CheckFolds() {
  for (const auto& [name, life] : alive_) {
    if (life == nullptr || !life->folds) continue;
    if (life->folded != MembersOf(life->room->channel())) {
      Wrong("events of " + name + " that do not fold to its members");
    }
  }
}

void ClientWorld::Listen(Life& life) {
  Listening& made = listening_.emplace_back();
  made.life = &life;
  Result<Subscription> subscription =
      life.room->presence().Subscribe([this, &made](const PresenceEvent&) {
        Called(
            "listener",
            [&] {
              if (made.unsubscribed) Wrong("a listener that was unsubscribed");
              if (made.life->released || made.life->releasing) Wrong("a listener of no room");
            },
            false);
      });
  if (!subscription.ok()) return Wrong("no subscription");
  made.subscription = *subscription;
  made.subscribed = true;
}

void ClientWorld::Release(Life& life) {
  alive_[life.name] = nullptr;
  if (depth_ > 0) ++seen_.released_inside;
  life.releasing = true;
  client_->ReleaseRoom(life.name);
  life.releasing = false;
  life.released = true;
  if (!life.open_calls.empty()) Wrong("a call of a released room has not completed");
}

void ClientWorld::Destroy() {
  if (client_ == nullptr) return;
  log_ += "destroy\n";
  if (depth_ > 0) ++seen_.destroyed_inside;
  destroying_ = true;
  client_.reset();
  for (const Life& life : lives_) {
    if (!life.open_calls.empty()) {
      Wrong("call " + std::to_string(*life.open_calls.begin()) + " has not completed");
    }
  }
}

// --- The link ---

void ClientWorld::Apply(const ClientInput& input) {
  if (client_ == nullptr) return;
  const absl::Status status = client_->Apply(input);
  if (!status.ok()) Wrong(status.ToString());
}

void ClientWorld::AdvanceTo(int64_t ms) {
  now_ms_ = std::max(now_ms_, ms);
  server_.set_now(now_ms_);
  if (client_ != nullptr) client_->AdvanceTo(TimestampFromMs(now_ms_));
}

ClientWorld::Link* ClientWorld::Current() {
  const auto found = links_.find(latest_);
  return found == links_.end() || !found->second.open ? nullptr : &found->second;
}

void ClientWorld::CollectFromServer() {
  for (auto& [transport, bytes] : server_.TakeSent()) {
    Link& link = links_[transport];
    if (link.open && !link.lossy) link.down.push_back(std::move(bytes));
  }
}

bool ClientWorld::OpenLink() {
  Link* const link = Current();
  if (link == nullptr || link->opened) return false;
  link->opened = true;
  server_.Open(latest_, link->resume_key);
  CollectFromServer();
  Apply(TransportOpened{latest_});
  return true;
}

bool ClientWorld::DeliverUp() {
  Link* const link = Current();
  if (link == nullptr || link->up.empty()) return false;
  const std::string bytes = std::move(link->up.front());
  link->up.pop_front();
  server_.Receive(latest_, bytes);
  CollectFromServer();
  return true;
}

bool ClientWorld::DeliverDown() {
  Link* const link = Current();
  if (link == nullptr || !link->opened || link->down.empty()) return false;
  const std::string bytes = std::move(link->down.front());
  link->down.pop_front();
  Apply(TransportReceived{latest_, bytes});
  return true;
}

// Whatever is on its way is lost. If the client is not told, it must find out by itself.
void ClientWorld::Cut(bool tell) {
  Link* const link = Current();
  if (link == nullptr) return;
  link->lossy = true;
  link->up.clear();
  link->down.clear();
  server_.Lost(latest_);
  CollectFromServer();
  if (!tell) return;
  link->open = false;
  ErrorInfo error;
  error.code = 1;
  error.message = "cut";
  if (link->opened) {
    Apply(TransportClosed{latest_, &error});
  } else {
    Apply(TransportFailed{latest_, &error});
  }
}

// --- What happens ---

void ClientWorld::Do(const ClientStep& step) {
  if (!failure_.empty() || client_ == nullptr) return;
  Act(step);
  if (client_ != nullptr && failure_.empty()) CheckFolds();
  if (!server_.complaint().empty()) Wrong("the server: " + server_.complaint());
}

void ClientWorld::Act(const ClientStep& step) {
  log_ += std::string(static_cast<size_t>(depth_) * 2, ' ') + std::to_string(now_ms_) + " step " +
          std::to_string(step.kind) + " room " + std::to_string(step.room) + " what " +
          std::to_string(step.what) + "\n";
  const std::string_view client = kClients[static_cast<size_t>(step.what) % std::size(kClients)];
  const auto data = [&] { return JsonObject{{"n", next_data_++}}; };
  switch (step.kind) {
    // Users.
    case 0:
      return client_->Connect();
    case 1:
      if (step.what % 8 == 0) client_->Close();
      return;
    case 2:
    case 3:
    case 4: {
      Life* const life = RoomOf(step.room);
      if (life == nullptr) return;
      return life->room->Attach(Done(*life));
    }
    case 5: {
      Life* const life = RoomOf(step.room);
      if (life == nullptr) return;
      return life->room->Detach(Done(*life));
    }
    case 6:
    case 7: {
      Life* const life = RoomOf(step.room);
      if (life == nullptr) return;
      return life->room->presence().Enter(data(), Done(*life));
    }
    case 8: {
      Life* const life = RoomOf(step.room);
      if (life == nullptr) return;
      return life->room->presence().Update(data(), Done(*life));
    }
    case 9: {
      Life* const life = RoomOf(step.room);
      if (life == nullptr) return;
      return life->room->presence().Leave(data(), Done(*life));
    }
    case 10:
    case 11: {
      Life* const life = RoomOf(step.room);
      if (life == nullptr) return;
      return life->room->presence().Get(
          {.wait_for_sync = step.what % 3 != 0},
          [this, life, call = NewCall(*life)](Result<std::vector<PresenceMember>> got) {
            Completed(*life, call, got.ok() ? nullptr : &got.error());
          });
    }
    case 12: {
      Life* const life = RoomOf(step.room);
      if (life == nullptr) return;
      return life->room->presence().IsUserPresent(
          client, [this, life, call = NewCall(*life)](Result<bool> got) {
            Completed(*life, call, got.ok() ? nullptr : &got.error());
          });
    }
    case 13:
      if (Life* const life = RoomOf(step.room)) Listen(*life);
      return;
    case 14:
    case 15: {
      if (listening_.empty()) return;
      Listening& one = listening_[static_cast<size_t>(step.what) % listening_.size()];
      one.unsubscribed = one.subscribed;
      return one.subscription.Unsubscribe();
    }
    case 16: {
      Listening& made = listening_.emplace_back();
      made.subscription = client_->OnStateChange([this, &made](const ConnectionChanged&) {
        Called(
            "connection",
            [&] {
              if (made.unsubscribed) Wrong("a listener that was unsubscribed");
            },
            false);
      });
      made.subscribed = true;
      return;
    }
    case 17:
      if (step.what % 3 != 0) return;
      if (Life* const life = RoomOf(step.room)) Release(*life);
      return;
    case 18:
      if (step.what % 16 == 0) Destroy();
      return;
    // The link.
    case 19:
    case 20:
      OpenLink();
      return;
    case 21:
    case 22:
      DeliverUp();
      return;
    case 23:
    case 24:
      DeliverDown();
      return;
    case 25:
      for (int i = 0; i < 100 && (OpenLink() || DeliverUp() || DeliverDown()); ++i) {
      }
      return;
    case 26:
      return Cut(/*tell=*/step.what % 2 == 0);
    // The server.
    case 27:
    case 28:
      server_.Other(kRooms[step.room % 3], client, step.what % 8 < 5);
      return CollectFromServer();
    case 29:
      server_.Expire();
      return CollectFromServer();
    case 30:
      if (step.what % 2 == 0) server_.RefuseNext();
      if (step.what % 2 == 1) server_.AnswerNext(static_cast<FakeServer::Answer>(step.what % 4));
      return;
    case 31:
      server_.Say(step.what % 2 == 0 ? wire::kDetached : wire::kError, kRooms[step.room % 3],
                  40160);
      return CollectFromServer();
    case 32: {
      constexpr wire::FrameAction kSaid[] = {wire::kAuth, wire::kMessage, wire::kDisconnected,
                                             wire::kHeartbeat};
      const wire::FrameAction action = kSaid[step.what % 4];
      server_.Say(action, action == wire::kMessage ? kRooms[step.room % 3] : "",
                  action == wire::kDisconnected ? 40142 : 0);
      return CollectFromServer();
    }
    case 33: {
      if (!std::exchange(token_wanted_, false)) return;
      if (step.what % 4 != 0) return Apply(TokenRenewed{"token"});
      ErrorInfo error;
      error.code = 1;
      error.message = "no token";
      return Apply(TokenFailed{&error});
    }
    // Time.
    case 34:
      return AdvanceTo(now_ms_ + step.wait * (step.what % 4 == 0 ? 100 : 1));
    default:
      return Drain();
  }
}

// --- Rest ---

void ClientWorld::Drain() {
  log_ += "drain\n";
  if (client_ == nullptr) return;
  reactions_left_ = 0;
  server_.AnswerNext(FakeServer::Answer::kConnected);
  if (const Link* const link = Current(); link != nullptr && link->lossy) Cut(true);
  const auto rests = [&] {
    if (client_->state() != SessionState::kConnected) return false;
    return std::all_of(alive_.begin(), alive_.end(), [](const auto& one) {
      if (one.second == nullptr) return true;
      const ChannelState state = one.second->room->state();
      return state != ChannelState::kAttaching && state != ChannelState::kDetaching &&
             state != ChannelState::kSuspended;
    });
  };
  for (int i = 0; i < 200 && failure_.empty(); ++i) {
    while (OpenLink() || DeliverUp() || DeliverDown()) {
    }
    if (rests()) break;
    if (std::exchange(token_wanted_, false)) {
      Apply(TokenRenewed{"token"});
      continue;
    }
    const SessionState state = client_->state();
    if (state == SessionState::kInitialized || state == SessionState::kClosed ||
        state == SessionState::kFailed) {
      client_->Connect();
      continue;
    }
    server_.Say(wire::kHeartbeat, "", 0);
    CollectFromServer();
    while (DeliverDown()) {
    }
    if (const std::optional<Timestamp> next = client_->NextDeadline()) AdvanceTo(ToMs(*next));
  }
  if (!failure_.empty()) return;
  if (!rests()) return Wrong("it does not come to rest");
  for (const Life& life : lives_) {
    if (!life.open_calls.empty()) {
      Wrong("call " + std::to_string(*life.open_calls.begin()) + " has not completed");
    }
  }
  for (const auto& [name, life] : alive_) {
    if (life == nullptr || life->room->state() != ChannelState::kAttached) continue;
    Members truth;
    for (const auto& [key, member] : server_.room(name)) truth[key] = member.data;
    if (MembersOf(life->room->channel()) != truth) Wrong("other members than the server has");
    seen_.members_compared += truth.size();
  }
}

}  // namespace presence
