#ifndef PRESENCE_SESSION_SERVER_H_
#define PRESENCE_SESSION_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "presence/error.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/room_host.h"
#include "presence/host/server_snapshot.h"
#include "presence/message.h"
#include "presence/session/internal/backlog.h"
#include "presence/session/internal/deadlines.h"
#include "presence/session/internal/server_parts.h"
#include "presence/session/internal/timers.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/packed_frame.h"

namespace presence {

// The other end of many sessions: all connections and rooms of one server, as a state machine
// without clock, thread, socket or randomness. Inputs in, effects out; same inputs, same effects,
// byte for byte.
//
//   Server server{{.server_id = "n7-2026-01-17"}};
//   ServerReader reader(server.options().max_frame_size);
//   ServerEffects effects;
//   absl::Status status = server.Apply(now, reader.Read(transport, message), effects);
//   for (const ServerEffect& effect : effects) ...  // send frames, close transports
//   ... server.NextDeadline() ...                   // when to call AdvanceTo
//
// The owner's duties: (1) say what becomes of transports and what arrives, each transport in its
// order; (2) carry out the effects of one input, in their order, before the next input; (3) call
// AdvanceTo when NextDeadline says so; (4) make ids and keys, judge credentials; (5) say what
// transports have taken, or pages stop and transports are dropped.
//
// Time: an earlier `now` counts as the latest one seen. Apply does its input and nothing that is
// due; AdvanceTo does what is due and nothing else. So an input and a deadline at one instant
// happen in the order in which the owner calls, except that a connection is not resumed from the
// very instant on at which that ends, nor are its members kept from the end of the grace period on.
//
// What transports have taken, and which format they want, decides what is sent and nothing else:
// never who is a member, nor what is answered. A log of all inputs but BytesTaken gives the same
// state again.
//
// One thread at a time; different servers on different threads freely. Not copyable or movable.
// Nothing calls back into the owner.
//
// Costs: an input O(log(connections + rooms)) and O(whom it reaches): who is sent something, the
// rooms of the connection.
//
// Invariants, beyond those of its parts (CheckInvariants verifies all):
//  1. Each connection is found by its number, id and key; it has a transport exactly if that has
//     it.
//  2. It is lost, with times until when it is resumed and known, exactly while it has no transport.
//  3. A room knows exactly the connections that know it, and at least one; one has modes exactly
//     while it is attached.
//  4. Whatever is due is in the order of deadlines, and nothing else is.
//  5. What is unsent is counted of all transports that are not being dropped.
//  6. Connections, rooms, transports and channels are no more than allowed.
class Server {
 public:
  // The longest id or key of a connection, and the longest client id, in bytes.
  static constexpr size_t kMaxId = RoomHost::kMaxConnectionId;
  static constexpr size_t kMaxIdentity = RoomHost::kMaxIdentity;
  // The longest name of a room, in bytes.
  static constexpr size_t kMaxRoomName = 4096;

  // Whether it may be the id or the key of a connection: 1 to kMaxId letters, digits, `_` and `-`.
  // Real clients understand no others.
  static bool IsId(std::string_view text);

  // Durations must be from 0 to 35 years.
  struct Options {
    // Names this life of the server, by the rule of IsId: clients are told, and ids of syncs and of
    // synthesized leaves begin with it. Two lives need two names, unless the second is restored
    // from the first as that was when it ended.
    std::string server_id = "server";
    // Of each room. `instance` is made of server_id. `grace_period` is that of connections that
    // asked for none. What is remembered of refusals is remembered of a connection, over all rooms.
    RoomHost::Options room;
    // How long a lost connection may be resumed; announced to clients (CD2f).
    std::chrono::milliseconds connection_state_ttl{120'000};
    // The longest grace period that a connection may ask for.
    std::chrono::milliseconds max_grace_period{120'000};
    // Announced (CD2h), and how often HEARTBEAT is sent to who wants it and is sent nothing else.
    // 0: never.
    std::chrono::milliseconds max_idle_interval{15'000};
    // The bytes of a message from a client; announced (CD2d). A larger one ends its transport.
    size_t max_frame_size = size_t{512} << 10;
    // Connections, those that are lost included; as many transports. Beyond: DISCONNECTED 42910.
    size_t max_connections = 100'000;
    // Rooms, and rooms that know one connection. Beyond: ERROR 42910 with the channel.
    size_t max_rooms = 100'000;
    size_t max_channels = 1'000;
    // Bytes that a transport was sent and has not taken. Above the first, pages of its syncs wait
    // until it is half as many; above the second, the owner is told to drop it.
    size_t unsent_pause = size_t{1} << 20;
    size_t unsent_drop = size_t{8} << 20;
    // Of all transports together. Above, the owner is told to drop the one that is furthest behind.
    size_t unsent_total = size_t{1} << 30;
    // Whether there are RoomEvents. They are copied.
    bool room_events = true;
  };
  // InvalidArgument: a duration out of range, or a server_id that is none.
  [[nodiscard]] static absl::Status Validate(const Options& options);

  // Counts since the server was made; a restored one begins at 0 again.
  struct Stats {
    // Connections.
    uint64_t connections_opened = 0;
    uint64_t connections_resumed = 0;
    uint64_t resumes_failed = 0;       // of those opened: wanted to resume another one
    uint64_t connections_refused = 0;  // too many, or shutting down
    uint64_t connections_lost = 0;
    uint64_t connections_closed = 0;
    uint64_t connections_expired = 0;
    // What was received.
    uint64_t frames_received = 0;
    uint64_t frames_unreadable = 0;    // of these: no frame
    uint64_t frames_too_large = 0;     // of these: larger than max_frame_size
    uint64_t frames_unused = 0;        // of these: of no use to this server, nor answered
    uint64_t operations_repeated = 0;  // PRESENCE sent again, and answered again
    uint64_t operations_refused = 0;   // PRESENCE and other frames, those sent again not counted
    uint64_t attaches_refused = 0;
    uint64_t credentials_offered = 0;
    uint64_t credentials_refused = 0;  // or of another identity, or ended
    uint64_t inputs_ignored = 0;       // of transports that the server does not know any more
    // What was sent.
    uint64_t frames_sent = 0;  // one for each transport that it goes to
    uint64_t bytes_sent = 0;   // the same
    uint64_t frames_encoded = 0;
    uint64_t heartbeats_sent = 0;
    uint64_t pages_paused = 0;        // times that a transport was too far behind for pages
    uint64_t transports_dropped = 0;  // for being too far behind
    // Rooms.
    uint64_t rooms_made = 0;
    uint64_t rooms_dropped = 0;
  };

  // REQUIRES: Validate(options) is OK.
  explicit Server(const Options& options);
  Server() : Server(Options()) {}
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // --- Inputs ---

  // Takes one input and puts its effects into `effects`, whose old content is dropped. An error
  // means that the input makes no sense here, as server_input.h says of each; nothing has changed,
  // time included, and there are no effects. What a client does wrong is no error, but answered.
  [[nodiscard]] absl::Status Apply(Timestamp now, const ServerInput& input, ServerEffects& effects);

  // Does what is due by `now`: rooms send pages and batches, members leave whose grace period is
  // over, connections that were not resumed are forgotten, HEARTBEATs go out. Calling early, late
  // or twice is harmless.
  void AdvanceTo(Timestamp now, ServerEffects& effects);
  // When to call AdvanceTo next, perhaps in the past: then at once; nullopt: no need.
  std::optional<Timestamp> NextDeadline() const;

  // --- Export and restore ---

  // Everything that determines later behaviour but options, transports and what waits to be sent,
  // and RefuseOperations. O(connections + members).
  ServerSnapshot Export() const;
  // A server that goes on where the exported one was, all transports gone: connections that had one
  // are lost at `now`, with their time to resume and their grace period from then. With the same
  // options, the same inputs have the same effects. InvalidArgument: the snapshot contradicts
  // itself or the bounds of the options, and the message says how.
  static absl::StatusOr<std::unique_ptr<Server>> Restore(Timestamp now, const Options& options,
                                                         const ServerSnapshot& snapshot);

  // The same as Export, and the transports, for a replica: without what waits to be sent, their
  // formats and their heartbeats, which decide nothing. O(connections + members).
  ServerSnapshot ExportWithTransports() const;
  // A server that takes part of another's inputs, from the moment on at which that was exported
  // with its transports: given the same options, and all inputs but BytesTaken that came since, it
  // is in the same state, but for pages of syncs that waited for a transport. What it wants to have
  // sent is for nobody. InvalidArgument: as Restore, or the transports are not those of the
  // connections.
  static absl::StatusOr<std::unique_ptr<Server>> Replicate(const Options& options,
                                                           const ServerSnapshot& snapshot);

  // --- Reads ---

  const Options& options() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return options_; }
  const Stats& stats() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return stats_; }
  // What all rooms have counted, those that are gone included. O(rooms).
  RoomHost::Stats room_stats() const;

  // Connections, those that are lost included; those that are lost; transports, those that were
  // ended and are not gone included.
  size_t connection_count() const { return connections_.size(); }
  size_t lost_count() const { return lost_count_; }
  size_t transport_count() const { return transports_.size(); }
  size_t room_count() const { return rooms_.size(); }
  // Bytes that transports were sent and have not taken, those that are being dropped left out.
  size_t unsent_bytes() const { return backlog_.total(); }
  // Of one transport; 0 if it is not known.
  size_t unsent_bytes(TransportHandle transport) const;
  // The room of this name, until the next input; null: it does not exist, as nobody is in it.
  const RoomHost* FindRoom(std::string_view name) const;
  // All rooms, in the order in which they were made.
  void ForEachRoom(absl::FunctionRef<void(absl::string_view name, const RoomHost& room)> f) const;
  // The latest time seen.
  Timestamp server_time() const { return now_; }
  bool shutting_down() const { return shutting_down_; }

  // The first invariant that does not hold, in words; empty if all hold. O(everything).
  std::string CheckInvariants() const;

 private:
  // server.cc: steps, and what is sent.
  void Begin(Timestamp now, ServerEffects& effects);
  void End();
  void Send(ServerConnection& connection);
  void Transmit(std::span<ServerTransport* const> to);
  void TransmitIn(wire::Format format, std::span<ServerTransport* const> to,
                  std::string_view frame);
  bool Pack();
  void Account(ServerTransport& transport, size_t bytes);
  void Drop(ServerTransport& transport);
  void NoteCrossing(ServerTransport& transport);
  bool WantsPagesPaused(const ServerTransport& transport) const;
  absl::Status Check(const TransportAccepted& accepted) const;
  absl::Status Check(const BytesTaken& taken) const;
  absl::Status Check(const CredentialsGranted& granted) const;
  absl::Status Check(const CloseConnection& close) const;
  template <typename Other>
  absl::Status Check(const Other& /*input*/) const {
    return absl::OkStatus();
  }

  // server_connections.cc: connections and their transports.
  void On(const TransportAccepted& accepted);
  void On(const TransportGone& gone);
  void On(const BytesTaken& taken);
  void On(const CredentialsGranted& granted);
  void On(const CredentialsRefused& refused);
  void On(const CredentialsEnded& ended);
  void On(const CloseConnection& close);
  void On(const RefuseOperations& refuse);
  void On(const ShutDown& shut_down);

  ServerTransport* FindTransport(TransportHandle transport) const;
  ServerConnection* FindConnection(uint64_t number) const;
  ServerConnection* ConnectionOf(TransportHandle transport);
  void Refuse(const TransportAccepted& accepted, const ErrorInfo& error);
  ServerConnection* Resumable(const TransportAccepted& accepted, std::optional<ErrorInfo>& error);
  ServerConnection& Add(uint64_t number, std::string_view id, std::string_view key,
                        std::string_view client_id);
  void Resume(ServerConnection& connection);
  void GiveTransport(ServerConnection& connection, const TransportAccepted& accepted);
  void SendConnected(ServerConnection& connection, const ErrorInfo* error);
  void Tell(const ServerConnection& connection, ConnectionEvent::Kind kind);
  void TakeTransport(ServerConnection& connection);
  void EndTransportOf(ServerConnection& connection);
  void Lose(ServerConnection& connection);
  static Timestamp ForgetAt(const ServerConnection& lost);
  void LoseInRooms(ServerConnection& connection, std::chrono::milliseconds grace_period);
  void Fail(ServerConnection& connection, wire::FrameAction action, const ErrorInfo& error);
  void OnGraceOver(ServerConnection& connection);
  void LeaveRooms(ServerConnection& connection);
  void Forget(ServerConnection& connection, ConnectionEvent::Kind kind);
  void Close(ServerConnection& connection, const ErrorInfo* error);
  void OnHeartbeatDue(ServerConnection& connection);

  // server_rooms.cc: frames, and rooms.
  void On(const FrameReceived& received);
  void On(const FrameUnreadable& unreadable);
  void TooLarge(ServerConnection& connection);
  void OnAttach(ServerConnection& connection, const wire::Frame& frame);
  void OnDetach(ServerConnection& connection, const wire::Frame& frame);
  void OnPresence(ServerConnection& connection, const wire::Frame& frame);
  void OnSync(ServerConnection& connection, const wire::Frame& frame);
  void OnOther(ServerConnection& connection, const wire::Frame& frame);
  void RefuseAttach(ServerConnection& connection, std::string_view name, ErrorInfo error);
  void OnRefused(ServerConnection& connection, const NackReply& nack);

  static const char* WrongInName(std::string_view name);
  RoomHost::Options RoomOptions(uint64_t number) const;
  ServerRoom& Add(uint64_t number, std::string_view name, std::unique_ptr<RoomHost> host);
  ServerRoom* FindServerRoom(std::string_view name) const;
  ServerRoom* FindRoomOf(const ServerConnection& connection, std::string_view name) const;
  ServerRoom& Enter(ServerConnection& connection, std::string_view name);
  void Leave(ServerConnection& connection, ServerRoom& room);
  void Ask(ServerRoom& room, const HostInput& input);
  void Touched(ServerRoom& room);
  void CarryOut(ServerRoom& room);
  void CarryOutAnswer(ServerRoom& room, const HostEffect& effect);
  void Answer(ServerConnection& connection, std::string_view channel, const HostEffect& answer);
  void AddRecipient(const ServerConnection& connection);

  // server_export.cc.
  std::string Load(const ServerSnapshot& snapshot);
  std::string Load(const ServerSnapshot::Connection& from);
  std::string Load(const ServerSnapshot::Room& from);
  std::string Load(const ServerSnapshot::Transport& from);
  void LoseAll(Timestamp now);

  // Later times count as this one, so that there are always times beyond.
  static constexpr Timestamp kLatest = Timestamp::max() - 2 * kLongest;

  const Options options_;
  Timestamp now_ = Timestamp::min();
  ServerEffects* effects_ = nullptr;  // the caller's, during a step

  // By number, in the order in which they came.
  absl::btree_map<uint64_t, std::unique_ptr<ServerRoom>> rooms_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<ServerConnection>> connections_;
  absl::flat_hash_map<TransportHandle, std::unique_ptr<ServerTransport>> transports_;
  // Keys view what they find.
  absl::flat_hash_map<absl::string_view, ServerRoom*> rooms_by_name_;
  absl::flat_hash_map<absl::string_view, ServerConnection*> by_id_;
  absl::flat_hash_map<absl::string_view, ServerConnection*> by_key_;
  uint64_t last_connection_ = 0;  // the number given last
  uint64_t last_room_ = 0;
  size_t lost_count_ = 0;

  Deadlines room_deadlines_;       // by room
  Deadlines grace_deadlines_;      // by connection
  Deadlines forget_deadlines_;     // by connection
  Deadlines heartbeat_deadlines_;  // by connection

  Backlog backlog_;
  std::vector<TransportHandle> crossed_;  // during a step

  SharedError refusal_;  // of operations; null: none
  bool shutting_down_ = false;

  HostEffects host_effects_;
  std::string scratch_;  // the frame that is being written, in JSON
  std::string packed_;   // the same, packed
  wire::FramePacker packer_;
  std::vector<ServerTransport*> recipients_;  // of the broadcast that is being written
  Stats stats_;
  RoomHost::Stats past_rooms_;  // of rooms that are gone
};

}  // namespace presence

#endif  // PRESENCE_SESSION_SERVER_H_
