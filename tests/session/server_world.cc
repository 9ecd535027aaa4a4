#include "tests/session/server_world.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/client/channel.h"
#include "presence/message.h"
#include "tests/session/server_harness.h"
#include "tests/session/server_world_client.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kIdentities[] = {"ann", "bob", "*"};

Server::Options ServerOptions(int draw) {
  Server::Options options;
  options.room.sync_page_size = draw % 3 == 0 ? 100 : 1;
  if (draw % 5 == 1) options.room.batch_interval = milliseconds(50);
  if (draw % 7 == 1) options.room.sync_page_interval = milliseconds(20);
  if (draw % 11 == 1) options.room.max_members = 2;
  options.room.grace_period = milliseconds(draw % 2 == 0 ? 1'000 : 15'000);
  if (draw % 13 == 1) options.room.grace_period = milliseconds(0);
  options.connection_state_ttl = milliseconds(draw % 3 == 1 ? 3'000 : 20'000);
  options.max_idle_interval = milliseconds(5'000);
  if (draw % 4 == 1) options.unsent_pause = 500;
  if (draw % 4 == 1) options.unsent_drop = 3'000;
  if (draw % 8 == 1) options.unsent_total = 5'000;
  if (draw % 17 == 1) options.max_channels = 1;
  if (draw % 19 == 1) options.max_rooms = 1;
  return options;
}

ClientSession::Options ClientOptions(int draw, size_t index) {
  ClientSession::Options options;
  options.seed = static_cast<uint64_t>(draw) * 8 + index;
  if (draw % 2 == 0) options.disconnected_retry_timeout = milliseconds(200);
  if (draw % 5 == 0) options.channel_retry_timeout = milliseconds(300);
  return options;
}

constexpr Permission kAll{"", true};
constexpr Permission kWatch{"", true, kFlagDefaultModes & ~kFlagPresence};

void AddTo(Server::Stats& sum, const Server::Stats& more) {
  sum.connections_resumed += more.connections_resumed;
  sum.resumes_failed += more.resumes_failed;
  sum.connections_expired += more.connections_expired;
  sum.operations_repeated += more.operations_repeated;
  sum.operations_refused += more.operations_refused;
  sum.attaches_refused += more.attaches_refused;
  sum.pages_paused += more.pages_paused;
  sum.transports_dropped += more.transports_dropped;
  sum.credentials_offered += more.credentials_offered;
}

}  // namespace

ServerWorld::ServerWorld(int draw)
    : options_(ServerOptions(draw)),
      server_(std::make_unique<Server>(options_)),
      replica_(std::make_unique<Server>(options_)),
      reader_(options_.max_frame_size) {
  for (size_t i = 0; i < std::size(kIdentities); ++i) {
    clients_.push_back(std::make_unique<Client>(*this, i, ClientOptions(draw, i)));
  }
}

ServerWorld::~ServerWorld() = default;

void ServerWorld::Wrong(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
}

std::string ServerWorld::failure() const {
  if (!failure_.empty()) return failure_;
  for (const auto& client : clients_) {
    if (!client->watched.failure().empty()) {
      return std::to_string(client->index) + ": " + client->watched.failure();
    }
  }
  return {};
}

uint64_t ServerWorld::begun_anew() const {
  uint64_t sum = 0;
  for (const auto& client : clients_) sum += client->watched.seen().begun_anew;
  return sum;
}

// --- The server ---

void ServerWorld::Apply(const ServerInput& input, std::string_view name) {
  log_ += std::to_string(now_ms_) + " server: " + std::string(name) + "\n";
  const absl::Status status = server_->Apply(TimestampFromMs(now_ms_), input, effects_);
  if (!status.ok()) Wrong("the server refuses an input: " + status.ToString());
  if (!std::holds_alternative<BytesTaken>(input)) {
    ServerEffects for_nobody;
    const absl::Status replicated = replica_->Apply(TimestampFromMs(now_ms_), input, for_nobody);
    if (!replicated.ok()) Wrong("the replica refuses an input: " + replicated.ToString());
  }
  for (const ServerEffect& effect : effects_) CarryOut(effect);
  CheckServer();
}

void ServerWorld::Wake() {
  log_ += std::to_string(now_ms_) + " server: wake\n";
  server_->AdvanceTo(TimestampFromMs(now_ms_), effects_);
  ServerEffects for_nobody;
  replica_->AdvanceTo(TimestampFromMs(now_ms_), for_nobody);
  for (const ServerEffect& effect : effects_) CarryOut(effect);
  CheckServer();
}

ServerWorld::Link* ServerWorld::LinkOf(TransportHandle handle) {
  const auto found = handles_.find(handle);
  if (found != handles_.end()) return found->second;
  Wrong("the server speaks of a transport that is gone");
  return nullptr;
}

void ServerWorld::CarryOut(const ServerEffect& effect) {
  log_ += "  " + ServerLineOf(effect) + "\n";
  if (const auto* send = std::get_if<SendFrame>(&effect)) {
    for (const TransportHandle to : send->to) {
      Link* const link = LinkOf(to);
      if (link == nullptr) continue;
      if (link->ending) Wrong("a frame on a transport that was ended");
      // What is lost is not taken.
      if (!link->mute_down) link->down.emplace_back(send->bytes);
    }
  } else if (const auto* end = std::get_if<EndTransport>(&effect)) {
    if (Link* const link = LinkOf(end->transport)) link->ending = true;
  } else if (const auto* drop = std::get_if<DropTransport>(&effect)) {
    if (Link* const link = LinkOf(drop->transport)) {
      link->ending = true;
      link->down.clear();
    }
  } else if (const auto* offered = std::get_if<CredentialsOffered>(&effect)) {
    offered_.push_back(offered->transport);
  } else if (const auto* event = std::get_if<RoomEvent>(&effect)) {
    Hear(*event);
  }
}

void ServerWorld::AnswerCredentials() {
  for (const TransportHandle transport : std::exchange(offered_, {})) {
    if (!handles_.contains(transport)) continue;
    for (const auto& client : clients_) {
      for (const auto& [number, link] : client->links) {
        if (link.handle != transport) continue;
        Apply(
            CredentialsGranted{
                transport, kIdentities[client->index], {may_enter_ ? &kAll : &kWatch, 1}},
            "granted");
      }
    }
  }
}

// Its process ends; another one goes on from what was exported.
void ServerWorld::Restore() {
  log_ += std::to_string(now_ms_) + " restore\n";
  AddTo(past_, server_->stats());
  auto restored = Server::Restore(TimestampFromMs(now_ms_), options_, server_->Export());
  if (!restored.ok()) return Wrong("not restored: " + restored.status().ToString());
  CheckReplica();
  server_ = *std::move(restored);
  replica_ =
      *Server::Restore(TimestampFromMs(now_ms_), options_, server_->Export());  // all are lost
  ++seen_.restored;
  refuses_ = false;
  handles_.clear();
  offered_.clear();
  for (const auto& client : clients_) {
    for (auto& [transport, link] : client->links) {
      link.handle = 0;
      if (link.opened && link.client_end) Cut(*client, transport, true, false);
    }
  }
  CheckServer();
}

// --- Links ---

void ServerWorld::OpenLink(Client& client, TransportId transport) {
  Link& link = client.links[transport];
  link.opened = true;
  link.handle = ++last_handle_;
  handles_[link.handle] = &link;
  client.watched.Apply(now_ms_, TransportOpened{transport},
                       std::to_string(client.index) + ": opened");
  const std::string number = std::to_string(link.handle);
  const std::string id = "c" + number;
  const std::string key = "k" + number;
  TransportAccepted accepted;
  accepted.transport = link.handle;
  accepted.connection_id = id;
  accepted.connection_key = key;
  accepted.client_id = kIdentities[client.index];
  accepted.permissions = {may_enter_ ? &kAll : &kWatch, 1};
  accepted.heartbeats = client.index != 1;
  accepted.resume_key = link.resume_key;
  if (client.index == 2) accepted.grace_period = milliseconds(2'000);
  Apply(accepted, "accepted " + number);
}

// The server is told that a transport is gone.
void ServerWorld::Gone(Link& link) {
  const TransportHandle handle = std::exchange(link.handle, 0);
  if (handle == 0) return;
  handles_.erase(handle);
  Apply(TransportGone{handle}, "gone " + std::to_string(handle));
}

// Whatever is on its way is lost. Who is not told must find out by himself.
void ServerWorld::Cut(Client& client, TransportId transport, bool tell_client, bool tell_server) {
  Link& link = client.links[transport];
  link.up.clear();
  link.down.clear();
  link.mute_up = link.mute_down = true;
  if (tell_server) Gone(link);
  if (!tell_client || !std::exchange(link.client_end, false)) return;
  const std::string name = std::to_string(client.index) + ": lost";
  if (link.opened) {
    client.watched.Apply(now_ms_, TransportClosed{transport, nullptr}, name);
  } else {
    client.watched.Apply(now_ms_, TransportFailed{transport, nullptr}, name);
  }
}

bool ServerWorld::DeliverUp(Client& client, Link& link) {
  if (link.handle == 0) return false;
  if (!link.up.empty()) {
    const std::string bytes = std::move(link.up.front());
    link.up.pop_front();
    const bool operation = bytes.starts_with("{\"action\":14,");
    const size_t ended = link.ending;
    const size_t before = server_->unsent_bytes(link.handle);
    Apply(reader_.Read(link.handle, bytes), std::to_string(client.index) + " says " + bytes);
    if (!operation || ended || link.ending) return true;
    size_t answers = 0;
    for (const ServerEffect& effect : effects_) {
      const auto* send = std::get_if<SendFrame>(&effect);
      if (send == nullptr || send->to[0] != link.handle || send->to.size() != 1) continue;
      answers +=
          send->bytes.starts_with("{\"action\":1,") || send->bytes.starts_with("{\"action\":2,");
    }
    if (answers != 1 && server_->unsent_bytes(link.handle) >= before) {
      Wrong("an operation is answered " + std::to_string(answers) + " times");
    }
    return true;
  }
  if (link.client_end) return false;
  Gone(link);  // closed, after all that was sent
  return true;
}

bool ServerWorld::DeliverDown(Client& client, TransportId transport, Link& link) {
  if (!link.down.empty()) {
    const std::string bytes = std::move(link.down.front());
    link.down.pop_front();
    if (link.handle != 0) {
      const size_t taken = std::min(bytes.size(), server_->unsent_bytes(link.handle));
      Apply(BytesTaken{link.handle, taken}, "taken");
    }
    if (link.client_end) {
      client.watched.Apply(now_ms_, TransportReceived{transport, bytes},
                           std::to_string(client.index) + ": received " + bytes);
    }
    return true;
  }
  if (!link.ending || link.handle == 0) return false;
  Gone(link);
  if (link.client_end) Cut(client, transport, true, false);
  return true;
}

// Everything arrives, and what is due at once is done.
void ServerWorld::Settle() {
  for (bool more = true; more && failure().empty();) {
    more = false;
    for (const auto& client : clients_) {
      for (TransportId transport = 1; transport <= client->latest; ++transport) {
        Link& link = client->links[transport];
        if (!link.opened && link.client_end) {
          OpenLink(*client, transport);
          more = true;
        }
        while (failure().empty() && DeliverUp(*client, link)) more = true;
        while (failure().empty() && DeliverDown(*client, transport, link)) more = true;
      }
    }
    AnswerCredentials();
    const std::optional<Timestamp> due = server_->NextDeadline();
    if (due.has_value() && ToMs(*due) <= now_ms_) {
      Wake();
      more = true;
    }
  }
}

// --- Time ---

void ServerWorld::Advance(int64_t ms) {
  const int64_t end = now_ms_ + ms;
  while (failure().empty()) {
    int64_t next = end + 1;
    if (const auto due = server_->NextDeadline()) next = std::min(next, ToMs(*due));
    for (const auto& client : clients_) {
      if (const auto due = client->watched.session().NextDeadline()) {
        next = std::min(next, ToMs(*due));
      }
    }
    if (next > end) break;
    now_ms_ = std::max(now_ms_, next);
    // Pages are due again at once; time must pass nevertheless.
    const auto due = server_->NextDeadline();
    if (due.has_value() && ToMs(*due) <= now_ms_) Wake();
    for (const auto& client : clients_) client->watched.Advance(now_ms_, now_ms_);
  }
  now_ms_ = end;
}

// --- What happens ---

void ServerWorld::Operate(Client& client, std::string_view channel, PresenceAction action,
                          int what) {
  const std::string data = "data " + std::to_string(next_data_++);
  const std::string_view identity = kIdentities[client.index];
  OperationCall call;
  call.request = client.watched.NewRequest();
  call.action = action;
  const std::string name =
      identity == "*" ? (what % 2 == 0 ? "cid" : "dora") : std::string(identity);
  if (identity == "*" || what % 2 == 1) call.client_id = name;
  call.payload.data_kind = DataKind::kString;
  call.payload.data = data;
  client.operations[call.request] = name;
  client.intents[{std::string(channel), name}] =
      Client::Intent{call.request, action, data, false, false};
  client.watched.Apply(now_ms_, ChannelCall{channel, call},
                       std::to_string(client.index) + ": operate " + data);
}

void ServerWorld::Do(const WorldStep& step) {
  if (!failure().empty()) return;
  const std::string_view channel = kChannels[static_cast<size_t>(step.channel) / 3 % 2];
  Client& client = *clients_[static_cast<size_t>(step.channel) % 3];
  WatchedSession& watched = client.watched;
  const std::string who = std::to_string(client.index) + ": ";
  const TransportId current = watched.transport();
  switch (step.kind) {
    case 0:
      return watched.Apply(now_ms_, ConnectCall{}, who + "connect");
    case 1:
      if (step.what % 4 == 0) watched.Apply(now_ms_, CloseCall{}, who + "close");
      return;
    case 2:
    case 3:
      return watched.Apply(now_ms_, AttachCall{channel, watched.NewRequest()}, who + "attach");
    case 4:
      return watched.Apply(now_ms_, DetachCall{channel, watched.NewRequest()}, who + "detach");
    case 5:
    case 6:
    case 7:
      return Operate(client, channel, PresenceAction::kEnter, step.what);
    case 8:
    case 9:
      return Operate(client, channel, PresenceAction::kUpdate, step.what);
    case 10:
      return Operate(client, channel, PresenceAction::kLeave, step.what);
    case 11: {
      GetCall get;
      get.request = watched.NewRequest();
      get.wait_for_sync = step.what % 3 != 0;
      return watched.Apply(now_ms_, ChannelCall{channel, get}, who + "get");
    }
    // Links.
    case 12:
    case 13:
      if (current != 0 && !client.links[current].opened) OpenLink(client, current);
      return;
    case 14:
    case 15:
    case 16:
      for (auto& [transport, link] : client.links) {
        if (DeliverUp(client, link)) return;
      }
      return;
    case 17:
    case 18:
    case 19:
      for (auto& [transport, link] : client.links) {
        if (DeliverDown(client, transport, link)) return;
      }
      return;
    case 20:
    case 21:
      Settle();
      return Compare(false);
    case 22:
      if (current != 0) Cut(client, current, step.what % 3 != 0, step.what % 3 != 1);
      return;
    case 23:
      if (current != 0) {
        (step.what % 2 == 0 ? client.links[current].mute_up : client.links[current].mute_down) =
            true;
      }
      return;
    // The server.
    case 24:
      if (step.what % 4 == 0) Restore();
      return;
    case 25: {
      refuses_ = !refuses_;
      ErrorInfo full = MakeError(kRefused, "full");
      return Apply(RefuseOperations{refuses_ ? &full : nullptr}, "refuse");
    }
    case 26: {
      const auto link = client.links.find(current);
      if (link == client.links.end() || link->second.handle == 0) return;
      if (step.what % 2 == 0) return Apply(CredentialsEnded{link->second.handle}, "ended");
      may_enter_ = step.what % 8 != 1;
      offered_.push_back(link->second.handle);
      return AnswerCredentials();
    }
    case 27:
      client.token_wanted = false;
      return watched.Apply(now_ms_, TokenRenewed{"token"}, who + "token");
    // Time.
    case 28:
      return Advance(step.wait);
    case 29:
      return Advance(step.wait * 50);
    case 30:  // woken late
      now_ms_ += step.wait * 20;
      Wake();
      for (const auto& one : clients_) one->watched.Advance(now_ms_, now_ms_);
      return;
    default:
      for (const auto& one : clients_) {
        if (one->watched.transport() != 0) {
          one->watched.Apply(now_ms_, TransportActive{one->watched.transport()}, "active");
        }
      }
  }
}

void ServerWorld::Finish() {
  log_ += "finish\n";
  may_enter_ = true;
  if (std::exchange(refuses_, false)) Apply(RefuseOperations{}, "refuse no more");
  for (const auto& client : clients_) {
    for (auto& [transport, link] : client->links) {
      // A link that loses may have lost anything.
      if (link.mute_up || link.mute_down) Cut(*client, transport, true, true);
    }
  }
  const auto waits = [&](Client& client) {
    if (client.watched.state() != SessionState::kConnected) return true;
    for (const std::string_view name : kChannels) {
      const Channel* const channel = client.watched.session().FindChannel(name);
      if (channel == nullptr) continue;
      const ChannelState state = channel->state();
      if (state == ChannelState::kSuspended || state == ChannelState::kAttaching ||
          state == ChannelState::kDetaching) {
        return true;
      }
      if (state == ChannelState::kAttached && !channel->sync_complete()) return true;
    }
    return false;
  };
  const auto pass_time = [&](int64_t ms) {
    const int64_t end = now_ms_ + ms;
    while (now_ms_ < end && failure().empty()) {
      for (const auto& one : clients_) {  // pings
        if (one->watched.transport() != 0) {
          one->watched.Apply(now_ms_, TransportActive{one->watched.transport()}, "active");
        }
      }
      Advance(std::min<int64_t>(end - now_ms_, 1'000));
      Settle();
    }
  };
  bool rest = false;
  for (int i = 0; i < 100 && !rest && failure().empty(); ++i) {
    rest = true;
    Settle();
    for (const auto& client : clients_) {
      const SessionState state = client->watched.state();
      if (std::exchange(client->token_wanted, false)) {
        client->watched.Apply(now_ms_, TokenRenewed{"token"}, "token");
      } else if (state == SessionState::kInitialized || state == SessionState::kClosed ||
                 state == SessionState::kFailed) {
        client->watched.Apply(now_ms_, ConnectCall{}, "connect");
      } else if (!waits(*client)) {
        continue;
      }
      rest = false;
    }
    if (!rest) {
      Settle();
      pass_time(1'000);
    }
  }
  if (!failure().empty()) return;
  if (!rest && options_.max_channels > 1 && options_.max_rooms > 1) {
    return Wrong("they do not come to rest");
  }
  // Who was lost is gone by then, and nobody says anything but HEARTBEAT.
  pass_time(40'000);
  const size_t quiet_since = log_.size();
  pass_time(10'000);
  if (!failure().empty()) return;
  for (const std::string_view said :
       {"\"action\":10,", "\"action\":11,", "\"action\":14,", "\"action\":16,", "\"action\":9,"}) {
    if (log_.find(said, quiet_since) != log_.npos && rest) Wrong("they are not quiet");
  }
  Compare(rest);
  CompareIntents();
  for (const auto& client : clients_) {
    if (!client->watched.unanswered().empty()) {
      Wrong(std::to_string(client->index) + ": call " +
            std::to_string(*client->watched.unanswered().begin()) + " is not answered");
    }
  }
  if (server_->unsent_bytes() > 0) Wrong("something is not taken");
  if (server_->connection_count() != clients_.size() && rest) Wrong("a connection of nobody");
  AddTo(past_, server_->stats());
}

}  // namespace presence
