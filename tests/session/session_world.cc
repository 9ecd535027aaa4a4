#include "tests/session/session_world.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <variant>

#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/message.h"

namespace presence {
namespace {

constexpr std::string_view kChannels[] = {"plain", "impatient", "narrow", "modest"};
constexpr std::string_view kClients[] = {"me", "me", "ann", "bob"};

std::string StateText(const ClientSession& session) {
  return std::string(StateName(session.state()));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const WorldStep& step) {
  return out << "kind=" << step.kind << " channel=" << step.channel << " what=" << step.what
             << " wait=" << step.wait;
}

SessionWorld::SessionWorld(const ClientSession::Options& options) : session_(options, *this, log_) {
  server_.set_now(now_ms_);
  AddChannel impatient{"impatient", options.channel};
  impatient.options.channel.queue_messages = false;
  Apply(impatient, "add");
  AddChannel narrow{"narrow", options.channel};
  narrow.options.channel.max_in_flight = 1;
  narrow.options.channel.max_queued = 3;
  Apply(narrow, "add");
  AddChannel modest{"modest", options.channel};
  modest.options.modes = kFlagPresence | kFlagPresenceSubscribe;
  Apply(modest, "add");
}

std::string_view SessionWorld::NameOf(int channel) const {
  return kChannels[static_cast<size_t>(channel) % std::size(kChannels)];
}

// --- The session ---

void SessionWorld::Apply(const SessionInput& input, std::string_view name) {
  session_.Apply(now_ms_, input, name);
  if (!server_.complaint().empty()) Wrong("the server: " + server_.complaint());
}

void SessionWorld::Advance(int64_t ms) {
  const int64_t end = now_ms_ + ms;
  // The fake server's time is of no account to it.
  server_.set_now(end);
  session_.Advance(now_ms_, end);
  now_ms_ = end;
}

void SessionWorld::Open(TransportId transport, std::string_view resume_key) {
  latest_ = transport;
  links_[transport].resume_key = resume_key;
}

void SessionWorld::Close(TransportId transport) {
  Link& link = links_[transport];
  link.client_end = false;
  link.down.clear();
}

void SessionWorld::Send(TransportId transport, std::string_view bytes) {
  Link& link = links_[transport];
  if (!link.mute_up) link.up.emplace_back(bytes);
}

// --- The link ---

SessionWorld::Link* SessionWorld::Current() {
  const auto found = links_.find(latest_);
  return found == links_.end() || !found->second.client_end ? nullptr : &found->second;
}

void SessionWorld::CollectFromServer() {
  for (auto& [transport, bytes] : server_.TakeSent()) {
    Link& link = links_[transport];
    if (link.client_end && !link.mute_down) link.down.push_back(std::move(bytes));
  }
}

void SessionWorld::OpenLink(TransportId transport) {
  Link& link = links_[transport];
  link.opened = link.server_end = true;
  const std::string key = link.resume_key;
  Apply(TransportOpened{transport}, "opened");
  server_.Open(transport, key);
  CollectFromServer();
}

// Whatever is on its way is lost. If the session is not told, it must find out by itself.
void SessionWorld::Cut(TransportId transport, bool tell) {
  Link& link = links_[transport];
  link.up.clear();
  link.down.clear();
  link.mute_up = link.mute_down = true;
  if (std::exchange(link.server_end, false)) server_.Lost(transport);
  CollectFromServer();
  if (!tell || !std::exchange(link.client_end, false)) return;
  if (link.opened) {
    Apply(TransportClosed{transport, nullptr}, "lost");
  } else {
    Apply(TransportFailed{transport, nullptr}, "failed");
  }
}

bool SessionWorld::DeliverUp(TransportId transport) {
  Link& link = links_[transport];
  if (!link.server_end) return false;
  if (link.up.empty()) {
    if (link.client_end) return false;
    link.server_end = false;  // closed, after all that was sent
    server_.Lost(transport);
  } else {
    const std::string bytes = std::move(link.up.front());
    link.up.pop_front();
    server_.Receive(transport, bytes);
  }
  CollectFromServer();
  return true;
}

bool SessionWorld::DeliverDown(TransportId transport) {
  Link& link = links_[transport];
  if (link.down.empty() || !link.client_end) return false;
  const std::string bytes = std::move(link.down.front());
  link.down.pop_front();
  Apply(TransportReceived{transport, bytes}, "received " + bytes);
  return true;
}

bool SessionWorld::DeliverAll() {
  bool any = false;
  for (bool more = true; more && failure().empty();) {
    more = false;
    for (TransportId transport = 1; transport <= latest_; ++transport) {
      Link& link = links_[transport];
      if (!link.opened && link.client_end) {
        OpenLink(transport);
        more = true;
      }
      while (DeliverUp(transport)) more = true;
      while (failure().empty() && DeliverDown(transport)) more = true;
    }
    any = any || more;
  }
  return any;
}

// --- What happens ---

void SessionWorld::Do(const WorldStep& step) {
  if (!failure().empty()) return;
  const std::string_view channel = NameOf(step.channel);
  const std::string client(kClients[static_cast<size_t>(step.what) % std::size(kClients)]);
  Link* const current = Current();
  switch (step.kind) {
    case 0:
    case 1:
      return Apply(ConnectCall{}, "connect");
    case 2:
      if (step.what % 4 == 0) Apply(CloseCall{}, "close");
      return;
    case 3:
    case 4:
    case 5:
      return Apply(AttachCall{channel, session_.NewRequest()}, "attach");
    case 6:
      return Apply(DetachCall{channel, session_.NewRequest()}, "detach");
    case 7:
    case 8:
    case 9:
    case 10:
    case 11: {
      const std::string data = "data " + std::to_string(next_data_++);
      OperationCall call;
      call.request = session_.NewRequest();
      call.action = step.kind < 9    ? PresenceAction::kEnter
                    : step.kind < 11 ? PresenceAction::kUpdate
                                     : PresenceAction::kLeave;
      if (step.what % 2 == 1) call.client_id = "me";
      call.payload.data_kind = DataKind::kString;
      call.payload.data = data;
      return Apply(ChannelCall{channel, call}, "operate");
    }
    case 12:
    case 13: {
      GetCall call;
      call.request = session_.NewRequest();
      call.wait_for_sync = step.what % 3 != 0;
      return Apply(ChannelCall{channel, call}, "get");
    }
    case 14: {
      SubscribeCall call;
      call.request = session_.NewRequest();
      return Apply(ChannelCall{channel, call}, "subscribe");
    }
    case 15: {
      IsUserPresentCall call;
      call.request = session_.NewRequest();
      call.client_id = client;
      return Apply(ChannelCall{channel, call}, "is present");
    }
    // The link.
    case 16:
    case 17:
    case 18:
      if (current != nullptr && !current->opened) OpenLink(latest_);
      return;
    case 19:
    case 20:
    case 21:
      for (auto& [transport, link] : links_) {
        if (DeliverUp(transport)) return;
      }
      return;
    case 22:
    case 23:
    case 24:
      if (current != nullptr) DeliverDown(latest_);
      return;
    case 25:
    case 26:
      DeliverAll();
      return;
    case 27:
      if (current != nullptr) Cut(latest_, true);
      return;
    case 28:
      if (current != nullptr) Cut(latest_, false);
      return;
    case 29:
      if (current == nullptr) return;
      (step.what % 2 == 0 ? current->mute_up : current->mute_down) = true;
      return;
    case 30:
      if (current != nullptr) Apply(TransportActive{latest_}, "active");
      return;
    // The server.
    case 31:
    case 32:
      server_.Other(channel, client, step.what % 8 < 5);
      return CollectFromServer();
    case 33:
      server_.Expire();
      return CollectFromServer();
    case 34:
      server_.RefuseNext();
      return;
    case 35:
      server_.AnswerNext(static_cast<FakeServer::Answer>(step.what % 8 == 7 ? 4 : step.what % 4));
      return;
    case 36:
      server_.Say(wire::kDetached, channel, step.what % 2 == 0 ? 0 : 90198);
      return CollectFromServer();
    case 37:
      server_.Say(wire::kError, channel, 40160);
      return CollectFromServer();
    case 38:
      switch (step.what % 8) {
        case 0:
          server_.Say(wire::kError, "", 40400);
          break;
        case 1:
          server_.Say(wire::kClosed, "", 0);
          break;
        case 2:
          server_.Say(wire::kAuth, "", 0);
          break;
        case 3:
          server_.Say(wire::kMessage, channel, 0);
          break;
        case 4:
          server_.Say(wire::kDisconnected, "", 40142);
          break;
        case 5:
          server_.Say(wire::kDisconnected, "", 80003);
          break;
        case 6:
          server_.Say(wire::kHeartbeat, "", 0);
          break;
        case 7:
          server_.Update();
          break;
      }
      return CollectFromServer();
    case 39: {
      if (step.what % 4 != 0) {
        token_wanted_ = false;
        return Apply(TokenRenewed{"token"}, "token");
      }
      if (!std::exchange(token_wanted_, false)) return;
      ErrorInfo error;
      error.code = 1;
      error.status_code = step.what % 8 == 0 ? 403 : 500;
      return Apply(TokenFailed{&error}, "no token");
    }
    // Time.
    case 40:
      return Advance(step.wait);
    case 41:
      return Advance(step.wait * 100);
    case 42:  // woken late
      now_ms_ += step.wait * 100;
      server_.set_now(now_ms_);
      return session_.Wake(now_ms_);
    default:
      return Drain(step.what % 2 == 0);
  }
}

// --- Rest ---

void SessionWorld::Drain(bool connects) {
  log_ += "drain\n";
  server_.AnswerNext(FakeServer::Answer::kConnected);
  for (auto& [transport, link] : links_) {
    // A link that loses may have lost anything.
    if (link.client_end && (link.mute_up || link.mute_down)) Cut(transport, true);
  }
  const auto is_down = [this] {
    return session_.state() == SessionState::kInitialized ||
           session_.state() == SessionState::kClosed || session_.state() == SessionState::kFailed;
  };
  for (int i = 0; i < 100 && failure().empty(); ++i) {
    while (DeliverAll()) {
    }
    if (std::exchange(token_wanted_, false)) {
      Apply(TokenRenewed{"token"}, "token");
      continue;
    }
    if (is_down()) {
      if (!connects) break;
      Apply(ConnectCall{}, "connect");
      continue;
    }
    bool waits = session_.state() != SessionState::kConnected;
    for (const std::string_view name : kChannels) {
      const Channel* const channel = session().FindChannel(name);
      if (channel == nullptr) continue;
      const ChannelState state = channel->state();
      waits = waits || state == ChannelState::kSuspended || state == ChannelState::kAttaching ||
              state == ChannelState::kDetaching;
    }
    if (!waits) break;
    server_.Say(wire::kHeartbeat, "", 0);
    CollectFromServer();
    while (DeliverAll()) {
    }
    const std::optional<Timestamp> next = session().NextDeadline();
    if (!next.has_value()) {
      if (session_.state() != SessionState::kConnected) Wrong("it waits for nothing");
      continue;
    }
    Advance(std::max<int64_t>(ToMs(*next) - now_ms_, 0));
  }
  if (failure().empty()) CheckRest();
}

void SessionWorld::CheckRest() {
  const bool connected = session_.state() == SessionState::kConnected;
  if (!connected && session_.state() != SessionState::kInitialized &&
      session_.state() != SessionState::kClosed && session_.state() != SessionState::kFailed) {
    return Wrong("it does not come to rest: " + StateText(session()));
  }
  // Before it is connected for the first time, calls may wait for that.
  if (!session_.unanswered().empty() && session_.state() != SessionState::kInitialized) {
    Wrong("call " + std::to_string(*session_.unanswered().begin()) + " is not answered");
  }
  if (!connected) return;
  for (const std::string_view name : kChannels) {
    const Channel* const channel = session().FindChannel(name);
    if (channel == nullptr) continue;
    const std::string at(name);
    const FakeServer::Room& room = server_.room(at);
    if (channel->state() == ChannelState::kAttached) {
      std::map<FakeServer::Key, std::string> truth;
      for (const auto& [key, member] : room) truth[key] = member.data;
      if (session_.members(at) != truth) Wrong("other members than the server has in " + at);
      members_compared_ += truth.size();
    } else if (channel->state() != ChannelState::kInitialized &&
               channel->state() != ChannelState::kDetached &&
               channel->state() != ChannelState::kFailed) {
      Wrong(at + " does not come to rest: " + std::string(StateName(channel->state())));
    }
    // Whoever this client has entered is there, unless the server refused a re-entry; or ended the
    // attachment after it had applied an operation, and the answer was lost: sent again, that is
    // acknowledged and not applied, and meanwhile nobody of that client is entered again.
    if (server_.refused() > 0 || server_.acknowledged_of_nobody() > 0) continue;
    channel->own_members().ForEach([&](const Message& own) {
      const std::string connection(session().connection().id());
      if (!room.contains({connection, std::string(own.client_id)})) {
        Wrong(std::string(own.client_id) + " was entered and is not there in " + at);
      }
    });
  }
}

}  // namespace presence
