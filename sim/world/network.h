#ifndef SIM_WORLD_NETWORK_H_
#define SIM_WORLD_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/base/random.h"
#include "sim/world/faults.h"
#include "sim/world/plan.h"
#include "sim/world/schedule.h"
#include "sim/world/sent_frame.h"

namespace presence::sim {

// What a frame from the host is to the network.
enum class FrameKind : uint8_t {
  kControl,   // never reordered, repeated or lost
  kPresence,  // a PRESENCE frame
  kPage,      // a SYNC frame
  kAnswer,    // an ACK or NACK: of its kind in order, and otherwise perhaps late
};

// The network between clients and the host: for each client at most one transport, which is two
// ordered streams, and datagrams outside them.
class Network {
 public:
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void OnFrameUp(uint32_t client, uint64_t epoch, const SentFrame& frame) = 0;
    virtual void OnFrameDown(uint32_t client, const SentFrame& frame) = 0;
    // The transport has passed on what counted as so many bytes.
    virtual void OnTaken(uint32_t client, uint64_t epoch, size_t bytes) = 0;
    // The server has closed the transport; it is cut.
    virtual void OnEnd(uint32_t client, uint64_t epoch) = 0;
    // Of the transport "datagram": a frame to this client was, or is only now, not what an ordered
    // stream makes of it.
    virtual void OnDisturbed(uint32_t client) = 0;
  };

  struct Totals {
    uint64_t frames_up = 0;        // delivered
    uint64_t frames_down = 0;      // delivered
    uint64_t presence_frames = 0;  // of these, in both directions: PRESENCE and SYNC
    uint64_t bytes_up = 0;
    uint64_t bytes_down = 0;
  };

  // All must outlive the network.
  Network(const Plan& plan, Schedule& schedule, Receiver& receiver, FaultCounts& faults);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // A new transport for the client, under a number that no other has; the old one is cut.
  uint64_t Open(uint32_t client);
  // What is on its way is lost. Nobody is told: see the events kClientNoticesCut,
  // kServerNoticesCut.
  void Cut(uint32_t client);
  // The open transport; 0: none.
  uint64_t epoch(uint32_t client) const { return links_[client].epoch; }

  // Sends on a transport; nothing happens if it is not open any more.
  void SendUp(uint32_t client, uint64_t epoch, SharedFrame frame);
  // `counts_as`: bytes, for whoever wants to know what was taken.
  void SendDown(uint32_t client, uint64_t epoch, SharedFrame frame, FrameKind kind,
                size_t counts_as);
  // The server closes the transport, after what it has sent.
  void EndDown(uint32_t client);

  // Until then no transport of the client can be opened: an attempt fails, or is never answered.
  void Close(uint32_t client, int64_t until_ms);
  bool closed(uint32_t client) const {
    return schedule_.now_ms() < links_[client].closed_until_ms && !healed_;
  }
  // Both streams deliver nothing until then.
  void Block(uint32_t client, int64_t until_ms);
  // What the client sends is delivered only then.
  void BlockUp(uint32_t client, int64_t until_ms);
  // The next page of this room to this client lags behind by that much, and presence messages
  // overtake it; 0: it does not, after all.
  void HoldNextPage(uint32_t client, uint32_t room, int64_t delay_ms);
  // Answers to this client lag behind until then, in their order; all else overtakes them.
  void HoldAnswers(uint32_t client, int64_t until_ms);
  // The next page to this client is delivered twice in a row.
  void RepeatNextPage(uint32_t client);
  // From now on datagrams behave as a stream does, and transports can be opened.
  void Heal() { healed_ = true; }

  // A latency, for what travels outside the streams.
  int64_t DrawLatency(uint32_t client);
  // Frames on their way to the client; of these, datagrams outside the stream.
  size_t in_flight_down(uint32_t client) const;
  size_t datagrams_in_flight(uint32_t client) const { return links_[client].datagrams; }

  const Totals& totals() const { return totals_; }

  // kUp, kDown and kLoose.
  void OnEvent(const Event& event);

 private:
  struct Waiting {
    int64_t at_ms = 0;
    FrameKind kind = FrameKind::kControl;
    // It lags behind: a page, which presence messages may pass, or an answer, which all else may.
    bool held = false;
    size_t counts_as = 0;
    int copies = 1;     // one after the other: what comes between could be undone by the second
    SharedFrame frame;  // null: the end
  };
  struct Stream {
    void Clear() {
      frames.clear();  // which keeps the memory
      last_ms = 0;
      scheduled_ms = -1;
    }
    std::deque<Waiting> frames;
    int64_t last_ms = 0;        // when the last frame that is not held is to arrive
    int64_t scheduled_ms = -1;  // when the next event is due; -1: none
  };
  struct Link {
    explicit Link(uint64_t seed) : random(seed) {}
    Random random;
    uint64_t epoch = 0;
    Stream up;
    Stream down;
    int64_t blocked_until_ms = 0;
    int64_t up_blocked_until_ms = 0;
    int64_t closed_until_ms = 0;
    size_t owed = 0;       // bytes that left as datagrams: counted with the next frame
    size_t datagrams = 0;  // frames to the client outside its stream
    std::map<uint32_t, int64_t> hold_next_page_ms;  // by room
    int64_t answers_held_until_ms = 0;
    bool repeat_next_page = false;
  };
  struct Datagram {
    uint32_t client = 0;
    uint64_t epoch = 0;
    SharedFrame frame;
  };

  void Enqueue(uint32_t client, bool up, Waiting frame);
  static size_t NextOf(const Stream& stream);
  static int64_t BlockedUntil(const Link& link, bool up);
  void ScheduleStream(uint32_t client, bool up);
  void Deliver(uint32_t client, bool up);
  void SendDatagram(uint32_t client, int64_t at_ms, SharedFrame frame);
  bool SendAsDatagram(uint32_t client, Link& link, const SharedFrame& frame, size_t counts_as);
  void Count(const SentFrame& frame, uint64_t& frames, uint64_t& total);

  const Plan& plan_;
  Schedule& schedule_;
  Receiver& receiver_;
  FaultCounts& faults_;
  std::vector<Link> links_;
  std::unordered_map<uint64_t, Datagram> datagrams_;  // by token; never visited
  uint64_t next_token_ = 1;
  uint64_t next_epoch_ = 1;
  bool healed_ = false;
  Totals totals_;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_NETWORK_H_
