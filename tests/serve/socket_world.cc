#include "tests/serve/socket_world.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>

#include "absl/status/statusor.h"
#include "presence/message.h"
#include "sim/base/random.h"
#include "tests/serve/serve_process.h"
#include "tools/serve/request_target.h"

namespace presence::testing {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using sim::Event;
using sim::Fault;
using sim::StepKind;

// Before the plan's haste: so that it ends while the plan still runs.
constexpr int64_t kLongestResumeMs = 8'000;

sim::FrameKind KindOf(int64_t action) {
  if (action == wire::kPresence) return sim::FrameKind::kPresence;
  if (action == wire::kSync) return sim::FrameKind::kPage;
  return sim::FrameKind::kControl;
}

// Its own, or made of the frame's.
std::string IdOf(const wire::Frame& frame, size_t item) {
  const std::string_view own = frame.presence[item].id;
  if (!own.empty() || frame.id.empty()) return std::string(own);
  return std::string(frame.id) + ":" + std::to_string(item);
}

}  // namespace

// One WebSocket, of one transport of the network's. It lives as long as an operation of its is
// under way.
class SocketWorld::Socket : public std::enable_shared_from_this<Socket> {
 public:
  Socket(SocketWorld& world, uint32_t client, uint64_t epoch)
      : world_(world), client_(client), epoch_(epoch), stream_(world.context_) {}

  void Open(std::string target) {
    target_ = std::move(target);
    const tcp::endpoint server(asio::ip::address_v4::loopback(), world_.surrounding_.port);
    beast::get_lowest_layer(stream_).async_connect(server,
                                                   [self = shared_from_this()](error_code error) {
                                                     error ? self->Gone() : self->OnConnected();
                                                   });
  }

  void Send(std::string_view message) {
    unsent_.emplace_back(message);
    if (is_open_ && unsent_.size() == 1) SendNext();
  }

  // Without a word, and what is on its way is lost.
  void Abort() {
    is_aborted_ = true;
    error_code ignored;
    tcp::socket& socket = beast::get_lowest_layer(stream_).socket();
    if (socket.is_open()) socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
  }

 private:
  void OnConnected() {
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true), ignored);
    stream_.async_handshake("127.0.0.1", target_, [self = shared_from_this()](error_code error) {
      if (error) return self->Gone();
      self->is_open_ = true;
      if (!self->unsent_.empty()) self->SendNext();
      self->Read();
    });
  }

  void Read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Gone();
      self->Tell(News::Kind::kReceived, beast::buffers_to_string(self->buffer_.data()));
      self->buffer_.clear();
      self->Read();
    });
  }

  void SendNext() {
    stream_.async_write(asio::buffer(unsent_.front()),
                        [self = shared_from_this()](error_code error, size_t) {
                          if (error) return;  // what reads will tell
                          self->unsent_.pop_front();
                          if (!self->unsent_.empty()) self->SendNext();
                        });
  }

  void Gone() { Tell(is_open_ ? News::Kind::kEnded : News::Kind::kFailed, ""); }

  void Tell(News::Kind kind, std::string bytes) {
    if (!is_aborted_) world_.Tell({client_, epoch_, kind, std::move(bytes)});
  }

  SocketWorld& world_;
  const uint32_t client_;
  const uint64_t epoch_;
  websocket::stream<beast::tcp_stream> stream_;
  std::string target_;
  beast::flat_buffer buffer_;
  std::deque<std::string> unsent_;  // the first is being written, once it is open
  bool is_open_ = false;
  bool is_aborted_ = false;
};

// --- The plan ---

sim::Plan SocketWorld::PlanOf(uint64_t seed) {
  sim::WorldOptions options;
  options.seed = seed;
  options.rooms = 2;
  options.duration_ms = 20'000;
  options.faults = sim::FaultSet();
  for (const Fault fault :
       {Fault::kCut, Fault::kLateResume, Fault::kStall, Fault::kPause, Fault::kListenerCalls}) {
    options.faults.Add(fault);
  }
  sim::Plan plan = sim::MakePlan(options);
  plan.options.duration_ms /= kHaste;
  for (sim::Step& step : plan.steps) step.at_ms /= kHaste;
  sim::Weather& weather = plan.weather;
  weather.is_endless = false;
  weather.server.connection_state_ttl =
      std::min(weather.server.connection_state_ttl, std::chrono::milliseconds(kLongestResumeMs));
  weather.min_latency_ms /= kHaste;
  weather.latency_spread_ms /= kHaste;
  // Short where a client tries again, and as usual where it gives up waiting: how fast the server
  // is must not matter. All members are seen, so that all can be compared.
  const ClientSession::Options usual;
  ClientSession::Options& session = weather.session;
  session.realtime_request_timeout = usual.realtime_request_timeout;
  session.disconnected_retry_timeout = std::chrono::milliseconds(30);
  session.suspended_retry_timeout = std::chrono::milliseconds(50);
  session.channel_retry_timeout = std::chrono::milliseconds(50);
  Channel::Options& channel = session.channel.channel;
  channel.max_message_size = usual.channel.channel.max_message_size;
  channel.max_members = usual.channel.channel.max_members;
  channel.max_tombstones = usual.channel.channel.max_tombstones;
  return plan;
}

std::vector<std::string> SocketWorld::ServerFlags(const sim::Plan& plan) {
  const Server::Options& server = plan.weather.server;
  std::vector<std::string> flags = {"--page=" + std::to_string(server.room.sync_page_size)};
  const auto add = [&](const char* name, std::chrono::milliseconds time) {
    const int64_t ms = time.count() / kHaste;
    if (ms > 0) flags.push_back(std::string(name) + "=" + std::to_string(ms) + "ms");
  };
  add("--grace", server.room.grace_period);
  add("--batch", server.room.batch_interval);
  add("--resume", server.connection_state_ttl);
  return flags;
}

// --- The run ---

SocketWorld::SocketWorld(sim::Plan plan, Surrounding surrounding)
    : plan_(std::move(plan)),
      surrounding_(std::move(surrounding)),
      checker_(plan_, bounds_),
      network_(plan_, schedule_, *this, faults_),
      surroundings_{plan_, schedule_, network_, checker_, frames_, faults_, bounds_, nullptr},
      told_(plan_.clients.size()),
      listed_(plan_.rooms) {
  for (uint32_t client = 0; client < plan_.clients.size(); ++client) {
    clients_.push_back(std::make_unique<sim::Client>(client, surroundings_, nullptr));
  }
  std::vector<Event> steps;
  for (uint32_t step = 0; step < plan_.steps.size(); ++step) {
    steps.push_back({plan_.steps[step].at_ms, Event::Kind::kStep, 0, step});
  }
  schedule_.Begin(std::move(steps));
  schedule_.Add({plan_.options.duration_ms, Event::Kind::kHeal});
}

SocketWorld::~SocketWorld() {
  for (const auto& [epoch, socket] : sockets_) socket->Abort();
  context_.restart();
  context_.run_for(std::chrono::seconds(1));  // until operations under way have ended
}

std::string SocketWorld::Run() {
  // A sync that nothing disturbs mends what cannot be told apart otherwise, as in the simulator.
  if (RunUntil([this] { return healed_ && IsSettled(); }) && AskForSyncs()) {
    RunUntil([this] { return IsSettled(); });
  }
  if (wrong_.empty() && !checker_.violation().has_value()) CheckEnd();
  for (const auto& client : clients_) client->End();
  if (!wrong_.empty()) return wrong_;
  if (const auto& violation = checker_.violation()) {
    return violation->invariant + " (client " + std::to_string(violation->client) + ", room " +
           std::to_string(violation->room) + "): " + violation->what;
  }
  return "";
}

int64_t SocketWorld::RealMs() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start_)
      .count();
}

bool SocketWorld::RunUntil(const std::function<bool()>& is_over) {
  constexpr int64_t kLookEachMs = 10;
  const int64_t until_ms = RealMs() + plan_.options.duration_ms + surrounding_.patience.count();
  for (int64_t look_ms = 0; RealMs() < until_ms;) {
    while (!schedule_.empty() && schedule_.next_ms() <= RealMs()) Happen(schedule_.Next());
    if (!wrong_.empty() || checker_.violation().has_value()) return false;
    if (RealMs() >= look_ms) {
      if (is_over()) return true;
      look_ms = RealMs() + kLookEachMs;
    }
    const int64_t next_ms = schedule_.empty() ? look_ms : std::min(look_ms, schedule_.next_ms());
    context_.restart();  // it stops where no socket has anything to do
    context_.run_one_for(std::chrono::milliseconds(std::max<int64_t>(next_ms - RealMs(), 1)));
    context_.poll();
  }
  return false;
}

// Heard by the schedule, so that time has come that far: this kind of event is the world's to use.
void SocketWorld::Tell(News news) {
  news_.push_back(std::move(news));
  schedule_.Add({RealMs(), Event::Kind::kServerWakes});
}

void SocketWorld::Happen(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kStep:
      return Take(plan_.steps[event.token]);
    case Event::Kind::kUp:
    case Event::Kind::kDown:
      return network_.OnEvent(event);
    case Event::Kind::kConnectArrives:
      return Connect(event.client, event.token);
    case Event::Kind::kClientNoticesCut:
      return clients_[event.client]->NoticeCut(event.token);
    case Event::Kind::kServerNoticesCut:
      return Abort(event.token);
    case Event::Kind::kTransportFails:
      return clients_[event.client]->OnTransportFailed(event.token);
    case Event::Kind::kClientWakes:
      return clients_[event.client]->Wake();
    case Event::Kind::kPauseEnds:
      return clients_[event.client]->EndPause();
    case Event::Kind::kServerWakes:
      for (const News& news : std::exchange(news_, {})) Hear(news);
      return;
    case Event::Kind::kHeal:
      return Heal();
    default:
      return;
  }
}

void SocketWorld::Take(const sim::Step& step) {
  sim::Client& client = *clients_[step.client];
  sim::Random random(step.detail);
  const int64_t now = schedule_.now_ms();
  const int64_t grace = plan_.weather.server.room.grace_period.count() / kHaste;
  const int64_t resume = plan_.weather.server.connection_state_ttl.count() / kHaste;
  switch (step.kind) {
    case StepKind::kCut:
    case StepKind::kLateResume: {
      const uint64_t epoch = network_.epoch(step.client);
      if (epoch == 0) return;
      network_.Cut(step.client);
      // Late for its members, or for the connection too.
      const int64_t late = random.Chance(500) ? grace : std::max(grace, resume);
      const int64_t closed_for = step.kind == StepKind::kCut ? random.Between(0, grace * 2 / 3)
                                                             : late + random.Between(30, 200);
      network_.Close(step.client, now + closed_for);
      schedule_.Add(
          {now + random.Between(0, 20), Event::Kind::kClientNoticesCut, step.client, epoch});
      schedule_.Add(
          {now + random.Between(0, 100), Event::Kind::kServerNoticesCut, step.client, epoch});
      break;
    }
    case StepKind::kStall:
      network_.Block(step.client, now + random.Between(5, 200));
      break;
    case StepKind::kPause: {
      const int64_t until = now + random.Between(5, 250);
      network_.Block(step.client, until);
      client.Pause(until);
      schedule_.Add({until, Event::Kind::kPauseEnds, step.client});
      break;
    }
    case StepKind::kListenerCalls:
      return client.ArmListener(step.detail);
    default:
      if (client.paused()) return client.PutOff(step.kind, step.room, step.detail);
      return client.Do(step.kind, step.room, step.detail);
  }
  ++faults_[static_cast<size_t>(*sim::FaultOf(step.kind))];
}

void SocketWorld::Heal() {
  healed_ = true;
  network_.Heal();
  for (const auto& client : clients_) client->Heal();
}

// --- Transports ---

void SocketWorld::Connect(uint32_t client, uint64_t epoch) {
  if (epoch != network_.epoch(client)) return;
  if (network_.closed(client)) {
    schedule_.Add({schedule_.now_ms() + network_.DrawLatency(client), Event::Kind::kTransportFails,
                   client, epoch});
    return;
  }
  // Heartbeats are frames, which its network delays as the others.
  std::string target = "/?v=3&format=json&heartbeats=true&" + std::string(kDevelopmentKey);
  const std::string& identity = plan_.clients[client].identity;
  if (identity != "*") target += "&clientId=" + serve::Escaped(identity);
  const std::string& resume_key = clients_[client]->resume_key();
  if (!resume_key.empty()) target += "&resume=" + serve::Escaped(resume_key);
  told_[client].clear();
  const auto socket = std::make_shared<Socket>(*this, client, epoch);
  sockets_[epoch] = socket;
  socket->Open(std::move(target));
}

void SocketWorld::Abort(uint64_t epoch) {
  const auto socket = sockets_.find(epoch);
  if (socket == sockets_.end()) return;
  socket->second->Abort();
  sockets_.erase(socket);
}

void SocketWorld::OnFrameUp(uint32_t, uint64_t epoch, const sim::SentFrame& frame) {
  if (const auto socket = sockets_.find(epoch); socket != sockets_.end()) {
    socket->second->Send(frame.bytes());
  }
}

void SocketWorld::OnFrameDown(uint32_t client, const sim::SentFrame& frame) {
  clients_[client]->OnFrame(frame);
}

void SocketWorld::OnEnd(uint32_t client, uint64_t epoch) {
  clients_[client]->NoticeCut(epoch);
  Abort(epoch);
}

void SocketWorld::Hear(const News& news) {
  if (network_.epoch(news.client) != news.epoch) return;
  if (news.kind == News::Kind::kFailed) {
    Abort(news.epoch);
    return clients_[news.client]->OnTransportFailed(news.epoch);
  }
  if (news.kind == News::Kind::kEnded) return network_.EndDown(news.client);
  const absl::StatusOr<wire::Frame> frame = reader_.Read(news.bytes);
  if (!frame.ok()) {
    wrong_ = "frame: the server sent what is none: " + news.bytes;
    return;
  }
  const int copies = surrounding_.copies ? surrounding_.copies(news.client, *frame) : 1;
  for (int copy = 0; copy < copies; ++copy) {
    CheckOnce(news.client, *frame);
    network_.SendDown(news.client, news.epoch, frames_.Make(news.bytes), KindOf(frame->action), 0);
  }
}

// --- What is checked ---

// A client passes over what it is told twice, so that this is seen only here. What a connection did
// again after it was lost for too long has the ids of the first time, but its members have left
// meanwhile.
void SocketWorld::CheckOnce(uint32_t client, const wire::Frame& frame) {
  if (frame.channel.empty()) return;
  if (frame.action == wire::kAttached) {
    told_[client].erase(std::string(frame.channel));
    checker_.OnSyncIssued(client, sim::RoomOf(frame.channel), true);
    return;
  }
  Told& told = told_[client][std::string(frame.channel)];
  if (frame.action == wire::kSync && frame.channel_serial.ends_with(':')) {
    told.waits_for_page = false;
  }
  if (frame.action != wire::kPresence) return;
  for (size_t i = 0; i < frame.presence.size(); ++i) {
    const IncomingItem& item = frame.presence[i];
    std::set<std::string>& ids = told.ids[{
        std::string(item.connection_id.empty() ? frame.connection_id : item.connection_id),
        std::string(item.client_id)}];
    const std::string id = IdOf(frame, i);
    if (!ids.contains(id)) {
      if (item.action == static_cast<int64_t>(PresenceAction::kLeave)) ids.clear();
      ids.insert(id);
      continue;
    }
    wrong_ = "once: client " + std::to_string(client) + " was told " + id + " twice in " +
             std::string(frame.channel);
    return;
  }
}

// Whether there is nothing left to wait for: every call is answered, everybody is connected or does
// not want to be, and sees what the server lists, where nobody is whose connection is gone.
bool SocketWorld::IsSettled() {
  std::set<std::string, std::less<>> connection_ids;
  for (const auto& client : clients_) {
    const SessionState state = client->state();
    if (client->connected()) {
      if (checker_.unanswered(client->index()) > 0) return false;
      connection_ids.emplace(client->connection_id());
    } else if (state != SessionState::kInitialized && state != SessionState::kClosed &&
               state != SessionState::kFailed) {
      return false;
    }
  }
  AskMembers();
  for (uint32_t room = 0; room < plan_.rooms; ++room) {
    const absl::StatusOr<wire::Frame> listed = reader_.Read(listed_[room]);
    if (!listed.ok()) return false;
    for (const IncomingItem& item : listed->presence) {
      if (!connection_ids.contains(item.connection_id)) return false;
    }
    for (const auto& client : clients_) {
      const std::vector<uint32_t>& rooms = client->traits().rooms;
      if (!client->connected() || std::count(rooms.begin(), rooms.end(), room) == 0) continue;
      const Channel& channel = client->channel(room);
      const ChannelState state = channel.state();
      if (state == ChannelState::kAttaching || state == ChannelState::kDetaching) return false;
      if (state != ChannelState::kAttached) continue;
      const Told& told = told_[client->index()][sim::RoomName(room)];
      if (!channel.sync_complete() || told.waits_for_page) return false;
      if (channel.members().size() != listed->presence.size()) return false;
      for (const IncomingItem& item : listed->presence) {
        const auto seen = channel.members().Find(item.connection_id, item.client_id);
        if (!seen.has_value() || seen->id != item.id) return false;
      }
    }
  }
  return true;
}

// Has the server send all members again to everybody who is attached.
bool SocketWorld::AskForSyncs() {
  for (const auto& client : clients_) {
    if (!client->connected()) continue;
    const uint64_t epoch = network_.epoch(client->index());
    const auto socket = sockets_.find(epoch);
    if (socket == sockets_.end()) return false;
    for (const uint32_t room : client->traits().rooms) {
      if (client->channel(room).state() != ChannelState::kAttached) continue;
      const std::string name = sim::RoomName(room);
      told_[client->index()][name].waits_for_page = true;
      checker_.OnSyncIssued(client->index(), room, true);
      socket->second->Send(R"({"action":16,"channel":")" + name + R"("})");
    }
  }
  return true;
}

void SocketWorld::AskMembers() {
  members_ = 0;
  for (uint32_t room = 0; room < plan_.rooms; ++room) {
    const std::string name = sim::RoomName(room);
    const std::string members =
        surrounding_.get("/channels/" + name + "/presence?limit=1000&" + kDevelopmentKey);
    // Of the form of a page, so that what reads pages reads it.
    listed_[room] = R"({"action":16,"channel":")" + name + R"(","presence":)" + members + "}";
  }
}

void SocketWorld::CheckEnd() {
  AskMembers();
  for (uint32_t room = 0; room < plan_.rooms; ++room) {
    const absl::StatusOr<wire::Frame> listed = reader_.Read(listed_[room]);
    if (!listed.ok()) {
      wrong_ = "list: the server lists its members as " + listed_[room];
      return;
    }
    for (const IncomingItem& item : listed->presence) {
      MemberEvent entered;
      entered.type = EventType::kEnter;
      entered.message = {item.client_id, item.connection_id, item.id,
                         item.timestamp.value_or(Timestamp()), item.payload};
      checker_.OnHostEvent(room, entered);
      ++members_;
    }
  }
  std::vector<std::optional<std::string>> connection_ids;
  for (const auto& client : clients_) {
    const std::string id(client->connected() ? client->connection_id() : "");
    connection_ids.emplace_back(id);
    for (const uint32_t room : client->traits().rooms) {
      const Channel& channel = client->channel(room);
      if (client->connected()) checker_.CheckAgreement(client->index(), room, channel);
      checker_.CheckQuiet(client->index(), room, channel, client->connected(), id);
    }
  }
  for (uint32_t room = 0; room < plan_.rooms; ++room) {
    checker_.CheckRoomQuiet(room, connection_ids, std::nullopt);
  }
  for (const auto& client : clients_) {
    const SessionState state = client->state();
    if (client->connected() || state == SessionState::kInitialized ||
        state == SessionState::kClosed || state == SessionState::kFailed) {
      continue;
    }
    wrong_ = "liveness: client " + std::to_string(client->index()) + " does not connect";
  }
}

}  // namespace presence::testing
