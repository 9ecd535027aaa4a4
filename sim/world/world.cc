#include "sim/world/world.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "presence/base/internal/check.h"
#include "presence/wire/frame.h"
#include "sim/base/random.h"

namespace presence::sim {

void WorldResult::Add(const WorldResult& other) {
  virtual_ms += other.virtual_ms;
  frames += other.frames;
  presence_frames += other.presence_frames;
  items += other.items;
  bytes += other.bytes;
  checks += other.checks;
  steps += other.steps;
  for (size_t fault = 0; fault < kFaultCount; ++fault) faults[fault] += other.faults[fault];
  for (size_t bound = 0; bound < kBoundCount; ++bound) bounds[bound] += other.bounds[bound];
}

World::World(Plan plan, bool record, Interference* interference, std::shared_ptr<SentFrames> frames)
    : plan_(std::move(plan)),
      checker_(plan_, bounds_),
      frames_(frames != nullptr ? std::move(frames) : std::make_shared<SentFrames>()),
      network_(plan_, schedule_, *this, faults_),
      surroundings_{plan_, schedule_, network_, checker_, *frames_, faults_, bounds_, interference},
      gateway_(surroundings_),
      cuts_on_operation_(plan_.clients.size()),
      swallows_(plan_.clients.size()) {
  const auto count = static_cast<uint32_t>(plan_.clients.size());
  for (uint32_t client = 0; client < count; ++client) {
    recordings_.push_back(record ? std::make_unique<Recording>() : nullptr);
    clients_.push_back(std::make_unique<Client>(client, surroundings_, recordings_.back().get()));
  }
  std::vector<Event> steps;
  steps.reserve(plan_.steps.size());
  for (uint32_t step = 0; step < plan_.steps.size(); ++step) {
    steps.push_back({plan_.steps[step].at_ms, Event::Kind::kStep, 0, step});
  }
  schedule_.Begin(std::move(steps));
  if (plan_.options.transport == TransportKind::kDatagram) {
    schedule_.Add({plan_.weather.resync_interval_ms, Event::Kind::kResync});
  }
  schedule_.Add({plan_.options.duration_ms, Event::Kind::kHeal});
}

World::~World() = default;

WorldResult World::Run() {
  int64_t until_ms = plan_.options.duration_ms + kLookAfterMs;
  bool quiet = RunUntilQuiet(until_ms);
  // What datagrams and clocks have spoilt, a sync that nothing disturbs mends; the first forgets
  // what one that never ended has left behind. Meanwhile somebody may leave at the end of a grace
  // period, by a clock that was wrong: then another is needed.
  constexpr int kMaxSyncs = 4;
  for (int sync = 0; quiet && (sync < 2 || (sync < kMaxSyncs && SomebodyIsDisturbed())); ++sync) {
    gateway_.ResyncAll();
    until_ms += kSyncWithinMs;
    quiet = RunUntilQuiet(until_ms);
  }
  if (quiet) CheckQuiet();
  WorldResult result;
  if (const auto& violation = checker_.violation()) {
    result.failure = {*violation, schedule_.now_ms(), last_step_, events_};
    Client& client = *clients_[violation->client];
    if (violation->missing == WorldChecker::Violation::Missing::kMembers) {
      client.RecordMembersCheck(violation->room, checker_.members(violation->room));
    } else if (violation->missing == WorldChecker::Violation::Missing::kSettled) {
      client.RecordSettledCheck(violation->room);
    } else if (violation->missing == WorldChecker::Violation::Missing::kAttachments) {
      client.RecordAttachments(violation->room,
                               checker_.attachments(violation->client, violation->room));
    }
  }
  for (const auto& client : clients_) client->End();
  if (const auto& violation = checker_.violation(); violation && !result.failure) {
    result.failure = {*violation, schedule_.now_ms(), last_step_, events_};
  }
  result.virtual_ms = schedule_.now_ms();
  const Network::Totals& totals = network_.totals();
  result.frames = totals.frames_up + totals.frames_down;
  result.presence_frames = totals.presence_frames;
  result.bytes = totals.bytes_up + totals.bytes_down;
  result.items = gateway_.items_sent();
  result.checks = checker_.checks();
  result.steps = steps_;
  result.faults = faults_;
  bounds_[static_cast<size_t>(Bound::kUnsentPause)] += gateway_.pages_paused();
  result.bounds = bounds_;
  return result;
}

bool World::RunUntilQuiet(int64_t until_ms) {
  while (!schedule_.empty()) {
    if (plan_.weather.is_endless && schedule_.next_ms() > until_ms) return true;
    if (schedule_.now_ms() > plan_.options.duration_ms + kQuietWithinMs) {
      for (const auto& client : clients_) {
        for (const uint32_t room : client->traits().rooms) {
          if (client->connected())
            checker_.CheckSettled(client->index(), room, client->channel(room));
        }
      }
      checker_.FailLiveness("the world is not quiet in time");
      return false;
    }
    Happen(schedule_.Next());
    ++events_;
    if (checker_.violation().has_value()) return false;
  }
  return true;
}

void World::Happen(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kStep:
      ++steps_;
      last_step_ = plan_.indexes[event.token];
      return Take(plan_.steps[event.token]);
    case Event::Kind::kUp:
    case Event::Kind::kDown:
    case Event::Kind::kDatagram:
      return network_.OnEvent(event);
    case Event::Kind::kConnectArrives:
      return OnConnectArrives(event.client, event.token);
    case Event::Kind::kClientNoticesCut:
      return clients_[event.client]->NoticeCut(event.token);
    case Event::Kind::kServerNoticesCut:
      return gateway_.NoticeCut(event.token);
    case Event::Kind::kTransportFails:
      return clients_[event.client]->OnTransportFailed(event.token);
    case Event::Kind::kClientWakes:
      return clients_[event.client]->Wake();
    case Event::Kind::kPauseEnds:
      return clients_[event.client]->EndPause();
    case Event::Kind::kServerWakes:
      return gateway_.Wake(event.token);
    case Event::Kind::kAcceptsAgain:
      return gateway_.RefuseOperations(false);
    case Event::Kind::kResync:
      if (healed_) return;
      gateway_.ResyncAll();
      schedule_.Add({schedule_.now_ms() + plan_.weather.resync_interval_ms, Event::Kind::kResync});
      return;
    case Event::Kind::kHeal:
      return Heal();
  }
}

void World::OnConnectArrives(uint32_t client, uint64_t epoch) {
  if (epoch != network_.epoch(client) || Swallows(client)) return;
  if (!network_.closed(client)) {
    return gateway_.OnConnect(client, epoch, clients_[client]->resume_key());
  }
  // Refused, or swallowed.
  if (epoch % 3 == 0) return;
  schedule_.Add({schedule_.now_ms() + network_.DrawLatency(client), Event::Kind::kTransportFails,
                 client, epoch});
}

bool World::Swallows(uint32_t client) {
  if (!swallows_[client] || healed_) return false;
  swallows_[client] = false;
  ++faults_[static_cast<size_t>(Fault::kNoAnswer)];
  return true;
}

void World::OnEnd(uint32_t client, uint64_t epoch) {
  clients_[client]->NoticeCut(epoch);
  gateway_.NoticeCut(epoch);
}

void World::OnFrameUp(uint32_t client, uint64_t epoch, const SentFrame& frame) {
  const bool is_attachment = frame.action() == wire::kAttach || frame.action() == wire::kDetach;
  if (is_attachment && Swallows(client)) return;
  gateway_.OnFrame(client, epoch, frame.bytes());
  if (frame.action() == wire::kPresence) CutOnOperation(client, epoch);
}

// The server has applied it, and neither the echo nor the answer arrives.
void World::CutOnOperation(uint32_t client, uint64_t epoch) {
  if (healed_ || !cuts_on_operation_[client].has_value() || network_.epoch(client) != epoch) return;
  Random random(*std::exchange(cuts_on_operation_[client], std::nullopt));
  ++faults_[static_cast<size_t>(Fault::kCut)];
  CutInTime(client, random);
}

void World::OnFrameDown(uint32_t client, const SentFrame& frame) {
  clients_[client]->OnFrame(frame);
  CheckClient(client);
}

void World::CheckClient(uint32_t client) {
  if (network_.in_flight_down(client) > 0 || network_.epoch(client) == 0 ||
      !clients_[client]->connected()) {
    return;
  }
  for (const uint32_t room : clients_[client]->traits().rooms) {
    const Channel& channel = clients_[client]->channel(room);
    if (gateway_.Serves(client, room) && checker_.IsToAgree(client, room, channel) &&
        gateway_.HoldsNothingBack(room)) {
      checker_.CheckAgreement(client, room, channel);
    }
  }
}

// --- Steps ---

void World::CountFault(StepKind kind) {
  const std::optional<Fault> fault = FaultOf(kind);
  PRESENCE_CHECK(fault.has_value());
  ++faults_[static_cast<size_t>(*fault)];
}

void World::Take(const Step& step) {
  Client& client = *clients_[step.client];
  Random random(step.detail);
  const int64_t now = schedule_.now_ms();
  switch (step.kind) {
    case StepKind::kCut:
      if (random.Chance(300)) {
        cuts_on_operation_[step.client] = random.Next();
        return;  // counted when there is one
      }
      if (network_.epoch(step.client) == 0) return;
      CutInTime(step.client, random);
      break;
    case StepKind::kLateResume:
      if (network_.epoch(step.client) == 0) return;
      CutForGood(step.client, random);
      break;
    case StepKind::kRegionCut:
      for (uint32_t other = 0; other < clients_.size(); ++other) {
        if (plan_.clients[other].region != client.traits().region) continue;
        if (network_.epoch(other) == 0) continue;
        if (random.Chance(700)) {
          CutInTime(other, random);
        } else {
          CutForGood(other, random);
        }
      }
      break;
    case StepKind::kStall:
      network_.Block(step.client, now + random.Between(50, 3'000));
      break;
    case StepKind::kPause: {
      const int64_t until = now + random.Between(50, 4'000);
      network_.Block(step.client, until);
      client.Pause(until);
      schedule_.Add({until, Event::Kind::kPauseEnds, step.client});
      break;
    }
    case StepKind::kHostRestart:
      gateway_.Forget();
      break;
    case StepKind::kServerRestore:
      if (random.Chance(500)) gateway_.ShutDown();
      gateway_.Restore();
      break;
    case StepKind::kSyncRestart: {
      // A first page that nothing has announced must not arrive late or never.
      Gateway::Resync how = Gateway::Resync::kLost;
      if (!random.Chance(500) && plan_.options.transport == TransportKind::kStream) {
        how = random.Chance(500) ? Gateway::Resync::kResumed : Gateway::Resync::kAsked;
      }
      if (!gateway_.RestartSync(step.client, step.room, how)) return;
      break;
    }
    case StepKind::kLeaveInSync:
      if (!gateway_.CloseSomebodyInSync(step.room, step.detail)) return;
      break;
    case StepKind::kStalePage:
      // Counted when there is a page. So that there is one, a sync is started.
      network_.HoldNextPage(step.client, step.room, random.Between(1, 1'500));
      gateway_.RestartSync(step.client, step.room);
      return;
    case StepKind::kDuplicatePage:
      network_.RepeatNextPage(step.client);
      return;
    case StepKind::kLatePage:
      // Counted when there is such a page. The sync after the next one is to have it.
      if (plan_.options.transport == TransportKind::kDatagram) return;
      gateway_.KeepNextPage(step.client);
      if (!gateway_.RestartSync(step.client, step.room)) return;
      gateway_.RestartSync(
          step.client, step.room,
          random.Chance(500) ? Gateway::Resync::kResumed : Gateway::Resync::kAsked);
      return;
    case StepKind::kLateAnswer:
      if (random.Chance(500)) {
        network_.BlockUp(step.client, now + random.Between(50, 12'000));
      } else {
        network_.HoldAnswers(step.client, now + random.Between(50, 4'000));
      }
      break;
    case StepKind::kNoAnswer:
      swallows_[step.client] = true;
      return;
    case StepKind::kRefuse:
      gateway_.RefuseOperations(true);
      schedule_.Add({now + random.Between(50, 3'000), Event::Kind::kAcceptsAgain});
      break;
    case StepKind::kClockSkew:
      gateway_.SkewClock(random.Between(-5'000, 5'000));
      break;
    case StepKind::kMalformedItem:
      if (!gateway_.SendMalformedItems(step.client, step.room)) return;
      break;
    case StepKind::kListenerCalls:
      return client.ArmListener(step.detail);
    default:
      if (client.paused()) {
        client.PutOff(step.kind, step.room, step.detail);
      } else {
        client.Do(step.kind, step.room, step.detail);
      }
      return;
  }
  CountFault(step.kind);
}

void World::Cut(uint32_t client, int64_t client_notices_ms, int64_t server_notices_ms,
                int64_t closed_for_ms) {
  const uint64_t epoch = network_.epoch(client);
  const int64_t now = schedule_.now_ms();
  network_.Cut(client);
  network_.Close(client, now + closed_for_ms);
  // Who hears from the server regularly notices by itself in the end.
  const bool is_silent = plan_.weather.server.max_idle_interval.count() > 0 && epoch % 2 == 0;
  if (!is_silent) {
    schedule_.Add({now + client_notices_ms, Event::Kind::kClientNoticesCut, client, epoch});
  }
  schedule_.Add({now + server_notices_ms, Event::Kind::kServerNoticesCut, client, epoch});
}

void World::CutInTime(uint32_t client, Random& random) {
  const int64_t grace = plan_.weather.server.room.grace_period.count();
  Cut(client, random.Between(0, 300), random.Between(0, 2'000), random.Between(0, grace * 2 / 3));
}

void World::CutForGood(uint32_t client, Random& random) {
  const int64_t grace = plan_.weather.server.room.grace_period.count();
  Cut(client, random.Between(0, 300), random.Between(0, 500), grace + random.Between(500, 8'000));
}

// --- The end ---

void World::Heal() {
  healed_ = true;
  network_.Heal();
  gateway_.RefuseOperations(false);
  for (const auto& client : clients_) client->Heal();
}

bool World::SomebodyIsDisturbed() {
  for (uint32_t client = 0; client < clients_.size(); ++client) {
    const Client& one = *clients_[client];
    for (const uint32_t room : one.traits().rooms) {
      if (one.connected() && one.channel(room).state() == ChannelState::kAttached &&
          checker_.IsDisturbed(client, room)) {
        return true;
      }
    }
  }
  return false;
}

// A client that sees who is in the room; nullopt: none does.
std::optional<uint32_t> World::WitnessOf(uint32_t room) const {
  for (const auto& client : clients_) {
    const std::vector<uint32_t>& rooms = client->traits().rooms;
    if (!client->connected() || std::find(rooms.begin(), rooms.end(), room) == rooms.end())
      continue;
    const Channel& channel = client->channel(room);
    if (channel.state() == ChannelState::kAttached && channel.sync_complete()) {
      return client->index();
    }
  }
  return std::nullopt;
}

void World::CheckQuiet() {
  std::vector<std::optional<std::string>> connection_ids;
  for (uint32_t client = 0; client < clients_.size(); ++client) {
    CheckClient(client);
    const Client& one = *clients_[client];
    // Whom the server has had room for only now, or none any more, cannot be asked yet.
    const bool is_settled = !plan_.weather.is_endless ||
                            (one.connected() && one.connected_for_ms() > 3 * kSyncWithinMs);
    const std::string id(one.connected() ? one.connection_id() : "");
    for (const uint32_t room : one.traits().rooms) {
      checker_.CheckQuiet(client, room, one.channel(room), one.connected() && is_settled, id);
    }
    if (is_settled) {
      connection_ids.emplace_back(id);
    } else {
      connection_ids.emplace_back();
    }
  }
  for (uint32_t room = 0; room < plan_.rooms; ++room) {
    checker_.CheckRoomQuiet(room, connection_ids, WitnessOf(room));
  }
}

}  // namespace presence::sim
