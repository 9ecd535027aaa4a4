#include "sim/world/network.h"

#include <algorithm>
#include <utility>

#include "presence/wire/frame.h"

namespace presence::sim {

Network::Network(const Plan& plan, Schedule& schedule, Receiver& receiver, FaultCounts& faults)
    : plan_(plan), schedule_(schedule), receiver_(receiver), faults_(faults) {
  links_.reserve(plan.clients.size());
  for (uint64_t client = 0; client < plan.clients.size(); ++client) {
    links_.emplace_back(Random::Mix(plan.options.seed, 1000 + client));
  }
}

uint64_t Network::Open(uint32_t client) {
  Cut(client);
  Link& link = links_[client];
  link.epoch = next_epoch_++;
  link.up.last_ms = link.down.last_ms = schedule_.now_ms();
  return link.epoch;
}

void Network::Cut(uint32_t client) {
  Link& link = links_[client];
  link.epoch = 0;
  link.up.Clear();
  link.down.Clear();
  link.blocked_until_ms = link.up_blocked_until_ms = link.answers_held_until_ms = 0;
  link.datagrams = 0;
  link.owed = 0;
}

int64_t Network::DrawLatency(uint32_t client) {
  const Weather& weather = plan_.weather;
  Random& random = links_[client].random;
  // Most are short, few are long: the product of three even draws.
  uint64_t share = 1000;
  for (int i = 0; i < 3; ++i) share = share * random.Below(1001) / 1000;
  return weather.min_latency_ms + weather.latency_spread_ms * static_cast<int64_t>(share) / 1000;
}

size_t Network::in_flight_down(uint32_t client) const {
  const Link& link = links_[client];
  return link.down.frames.size() + link.datagrams;
}

void Network::SendUp(uint32_t client, uint64_t epoch, SharedFrame sent) {
  if (epoch == 0 || epoch != links_[client].epoch) return;
  Waiting frame;
  frame.frame = std::move(sent);
  Enqueue(client, true, std::move(frame));
}

void Network::SendDown(uint32_t client, uint64_t epoch, SharedFrame sent, FrameKind kind,
                       size_t counts_as) {
  Link& link = links_[client];
  if (epoch == 0 || epoch != link.epoch) return;
  const bool may_be_datagram = kind == FrameKind::kPresence || kind == FrameKind::kPage;
  if (may_be_datagram && SendAsDatagram(client, link, sent, counts_as)) return;
  Waiting frame;
  frame.counts_as = counts_as + std::exchange(link.owed, 0);
  frame.kind = kind;
  frame.frame = std::move(sent);
  if (kind == FrameKind::kPage) {
    if (!link.hold_next_page_ms.empty()) {
      const auto hold = link.hold_next_page_ms.find(RoomOf(frame.frame->frame().channel));
      frame.held = hold != link.hold_next_page_ms.end();
      if (frame.held) {
        frame.at_ms = hold->second;
        link.hold_next_page_ms.erase(hold);
      }
    }
    if (frame.held) ++faults_[static_cast<size_t>(Fault::kStalePage)];
    // Not of a page that was held: after the last page, which forgets who left meanwhile, nobody
    // can tell that its copy is older than they are.
    if (!frame.held && std::exchange(link.repeat_next_page, false)) {
      frame.copies = 2;
      ++faults_[static_cast<size_t>(Fault::kDuplicatePage)];
    }
  }
  if (kind == FrameKind::kAnswer && link.answers_held_until_ms > schedule_.now_ms()) {
    frame.at_ms = link.answers_held_until_ms - schedule_.now_ms();
    frame.held = true;
  }
  Enqueue(client, false, std::move(frame));
}

// Whether the frame left as a datagram, or is lost.
bool Network::SendAsDatagram(uint32_t client, Link& link, const SharedFrame& sent,
                             size_t counts_as) {
  if (plan_.options.transport != TransportKind::kDatagram || healed_) return false;
  const Weather& weather = plan_.weather;
  if (link.random.Chance(weather.lose_permille)) {
    ++faults_[static_cast<size_t>(Fault::kLose)];
    receiver_.OnDisturbed(client);
    link.owed += counts_as;
    return true;
  }
  const bool reordered = link.random.Chance(weather.reorder_permille);
  const bool duplicated = link.random.Chance(weather.duplicate_permille);
  if (!reordered && !duplicated) return false;
  const auto lag = [&] {
    return schedule_.now_ms() + DrawLatency(client) +
           static_cast<int64_t>(
               link.random.Below(static_cast<uint64_t>(200 + 2 * weather.latency_spread_ms)));
  };
  receiver_.OnDisturbed(client);
  if (duplicated) {
    ++faults_[static_cast<size_t>(Fault::kDuplicate)];
    SendDatagram(client, lag(), sent);
  }
  if (!reordered) return false;
  link.owed += counts_as;
  ++faults_[static_cast<size_t>(Fault::kReorder)];
  SendDatagram(client, lag(), sent);
  return true;
}

void Network::EndDown(uint32_t client) {
  Waiting end;
  Enqueue(client, false, std::move(end));
}

void Network::SendDatagram(uint32_t client, int64_t at_ms, SharedFrame sent) {
  const uint64_t token = next_token_++;
  ++links_[client].datagrams;
  datagrams_.emplace(token, Datagram{client, links_[client].epoch, std::move(sent)});
  schedule_.Add({at_ms, Event::Kind::kDatagram, client, token});
}

void Network::Block(uint32_t client, int64_t until_ms) {
  links_[client].blocked_until_ms = std::max(links_[client].blocked_until_ms, until_ms);
}

void Network::Close(uint32_t client, int64_t until_ms) {
  links_[client].closed_until_ms = std::max(links_[client].closed_until_ms, until_ms);
}

void Network::BlockUp(uint32_t client, int64_t until_ms) {
  links_[client].up_blocked_until_ms = std::max(links_[client].up_blocked_until_ms, until_ms);
}

void Network::HoldNextPage(uint32_t client, uint32_t room, int64_t delay_ms) {
  if (delay_ms == 0) {
    links_[client].hold_next_page_ms.erase(room);
  } else {
    links_[client].hold_next_page_ms[room] = delay_ms;
  }
}

void Network::HoldAnswers(uint32_t client, int64_t until_ms) {
  links_[client].answers_held_until_ms = std::max(links_[client].answers_held_until_ms, until_ms);
}

void Network::RepeatNextPage(uint32_t client) { links_[client].repeat_next_page = true; }

// `frame.at_ms` is how much later than others it is to arrive.
void Network::Enqueue(uint32_t client, bool up, Waiting frame) {
  Stream& stream = up ? links_[client].up : links_[client].down;
  stream.last_ms = std::max(stream.last_ms, schedule_.now_ms() + DrawLatency(client));
  frame.at_ms += stream.last_ms;
  stream.frames.push_back(std::move(frame));
  ScheduleStream(client, up);
}

// The frame that is to be delivered next: the first one, or one that has only such frames in front
// of it as are held for longer and as it may pass.
size_t Network::NextOf(const Stream& stream) {
  bool behind_answers_only = true;
  for (size_t i = 1; i < stream.frames.size() && stream.frames[i - 1].held; ++i) {
    behind_answers_only &= stream.frames[i - 1].kind == FrameKind::kAnswer;
    const Waiting& frame = stream.frames[i];
    if (frame.held) continue;
    const bool may_pass = frame.kind == FrameKind::kPresence ||
                          (behind_answers_only && frame.kind != FrameKind::kAnswer);
    return may_pass && frame.at_ms < stream.frames[0].at_ms ? i : 0;
  }
  return 0;
}

int64_t Network::BlockedUntil(const Link& link, bool up) {
  return up ? std::max(link.blocked_until_ms, link.up_blocked_until_ms) : link.blocked_until_ms;
}

void Network::ScheduleStream(uint32_t client, bool up) {
  Link& link = links_[client];
  Stream& stream = up ? link.up : link.down;
  if (stream.frames.empty()) return;
  const int64_t at =
      std::max({stream.frames[NextOf(stream)].at_ms, BlockedUntil(link, up), schedule_.now_ms()});
  if (stream.scheduled_ms >= 0 && stream.scheduled_ms <= at) return;
  stream.scheduled_ms = at;
  schedule_.Add({at, up ? Event::Kind::kUp : Event::Kind::kDown, client, link.epoch});
}

void Network::OnEvent(const Event& event) {
  if (event.kind != Event::Kind::kDatagram) {
    if (event.token == links_[event.client].epoch) {
      Deliver(event.client, event.kind == Event::Kind::kUp);
    }
    return;
  }
  const auto found = datagrams_.find(event.token);
  const Datagram datagram = std::move(found->second);
  datagrams_.erase(found);
  Link& link = links_[datagram.client];
  if (datagram.epoch != link.epoch) return;
  --link.datagrams;
  receiver_.OnDisturbed(datagram.client);
  Count(*datagram.frame, totals_.frames_down, totals_.bytes_down);
  receiver_.OnFrameDown(datagram.client, *datagram.frame);
}

// Delivers one frame, if one is due. The receiver may cut the transport.
void Network::Deliver(uint32_t client, bool up) {
  Link& link = links_[client];
  Stream& stream = up ? link.up : link.down;
  const int64_t now = schedule_.now_ms();
  if (stream.scheduled_ms > now) return;  // an event that an earlier one replaced
  stream.scheduled_ms = -1;
  if (stream.frames.empty()) return;
  const size_t next = NextOf(stream);
  if (stream.frames[next].at_ms > now || BlockedUntil(link, up) > now) {
    return ScheduleStream(client, up);
  }
  const Waiting frame = std::move(stream.frames[next]);
  if (next == 0) {
    stream.frames.pop_front();
  } else {
    stream.frames.erase(stream.frames.begin() + static_cast<std::ptrdiff_t>(next));
  }
  ScheduleStream(client, up);
  const uint64_t epoch = link.epoch;
  if (!frame.frame) {
    Cut(client);
    return receiver_.OnEnd(client, epoch);
  }
  if (frame.counts_as > 0) receiver_.OnTaken(client, epoch, frame.counts_as);
  for (int copy = 0; copy < frame.copies && link.epoch == epoch; ++copy) {
    if (up) {
      Count(*frame.frame, totals_.frames_up, totals_.bytes_up);
      receiver_.OnFrameUp(client, epoch, *frame.frame);
    } else {
      Count(*frame.frame, totals_.frames_down, totals_.bytes_down);
      receiver_.OnFrameDown(client, *frame.frame);
    }
  }
}

void Network::Count(const SentFrame& frame, uint64_t& frames, uint64_t& total) {
  ++frames;
  total += frame.bytes().size();
  if (frame.action() == wire::kPresence || frame.action() == wire::kSync) ++totals_.presence_frames;
}

}  // namespace presence::sim
