#ifndef PRESENCE_SESSION_CLIENT_SESSION_H_
#define PRESENCE_SESSION_CLIENT_SESSION_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "presence/client/channel.h"
#include "presence/client/connection.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/session/internal/retry.h"
#include "presence/session/internal/session_channel.h"
#include "presence/session/internal/timers.h"
#include "presence/session/internal/tokens.h"
#include "presence/session/ledger.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence {

// What everybody who has a connection must do, done once: one connection to a server with its
// channels, as a state machine. Inputs in, effects out; no socket, clock, thread or randomness of
// its own. Same inputs, same effects, byte for byte.
//
//   ClientSession session{ClientSession::Options()};
//   SessionEffects effects;
//   absl::Status status = session.Apply(now, ConnectCall{}, effects);
//   for (const SessionEffect& effect : effects) ...  // open a transport, send bytes, tell
//   listeners
//   ... session.NextDeadline() ...                   // when to call AdvanceTo
//
// The owner's duties: (1) open, close and write to transports as it is told, and say what becomes
// of them and what arrives; (2) carry out the effects of one input, in their order, before the next
// input; (3) call AdvanceTo when NextDeadline says so. Fallback hosts, the URL but for `resume`,
// and how a token is got are the owner's, too.
//
// What is an input and what a deadline at one instant happens in the order in which the owner
// calls: Apply carries out no deadline, however late.
//
// One thread at a time; different sessions on different threads freely. Not copyable or movable.
// Nothing calls back into the owner.
//
// Invariants, beyond those of its parts:
//  1. There is a transport exactly while connecting, connected or closing; or, instead of one while
//     connecting, a wish for a token.
//  2. An attempt's timer runs exactly while connecting or closing; the retry's exactly while
//     disconnected or suspended; the idle timer only while connected; the ttl exactly while
//     connecting or disconnected and not suspended since.
//  3. Channels are told connected while connected, disconnected while initialized, connecting and
//     disconnected, suspended and failed as it is, closed while closing and closed.
//  4. A channel's timer runs exactly while connected, and it is attaching, detaching or suspended.
//  5. What waits for an answer is in flight in its channel.
//  6. Only a connection that was connected and not closed since has a key.
class ClientSession {
 public:
  using Format = wire::Format;

  // Durations must be positive and at most kLongest.
  struct Options {
    Format format = Format::kJson;
    // For an attempt to connect, a new token, CLOSE, ATTACH and DETACH (TO3l11).
    std::chrono::milliseconds realtime_request_timeout{10'000};
    std::chrono::milliseconds disconnected_retry_timeout{15'000};  // (TO3l1)
    std::chrono::milliseconds suspended_retry_timeout{30'000};     // (TO3l2)
    std::chrono::milliseconds channel_retry_timeout{15'000};       // (TO3l7)
    // From leaving connected, or from connect, to suspended, until CONNECTED says another (DF1a).
    std::chrono::milliseconds connection_state_ttl{120'000};
    // Whether the owner can get another token, if the server refuses one (RSA4a2).
    bool can_renew_token = true;
    // Of the jitter in retries. Give every session another one, else a server that restarts meets
    // all its clients at once.
    uint64_t seed = 0;
    // Of channels that no AddChannel named.
    ChannelOptions channel;
  };
  // InvalidArgument: a duration out of range, or a value outside its set; Unimplemented: a format
  // that cannot be used yet.
  [[nodiscard]] static absl::Status Validate(const Options& options);

  // What was not used, since the session was made.
  struct Stats {
    uint64_t frames = 0;            // read, of every kind
    uint64_t frames_ignored = 0;    // of these: of no use where they came, or of unknown channels
    uint64_t frames_malformed = 0;  // refused with a Status
  };

  // REQUIRES: Validate(options) is OK.
  explicit ClientSession(const Options& options);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // --- Inputs ---

  // Takes one input and puts its effects into `effects`, whose old content is dropped. Time never
  // goes back: an earlier `now` counts as the latest one seen.
  //
  // An error leaves everything as it was, but for bytes that are no frame, which show that the
  // other end lives: InvalidArgument: such bytes, an empty token, AddChannel without a name, or a
  // value outside its set; AlreadyExists: AddChannel. No answer follows. The owner may report it
  // and go on.
  [[nodiscard]] absl::Status Apply(Timestamp now, const SessionInput& input,
                                   SessionEffects& effects);

  // Does what is due by `now`. Calling early, late or twice is harmless; what is due and done is
  // not due again.
  void AdvanceTo(Timestamp now, SessionEffects& effects);
  // When to call AdvanceTo next; nullopt: never, unless there is another input.
  std::optional<Timestamp> NextDeadline() const;

  // --- Reads ---

  const Options& options() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return options_; }
  SessionState state() const { return state_; }
  // Why the connection is in its state, or what went wrong last while connected; null: nothing.
  const ErrorInfo* reason() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return reason_.get(); }
  // Its id and identity, as the channels know them.
  const Connection& connection() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return ledger_.connection();
  }
  // The channel of this name, or null.
  const Channel* FindChannel(std::string_view name) const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  size_t channel_count() const { return channels_.size(); }
  // Acknowledged serials that nobody was waiting for.
  uint64_t unknown_acknowledged() const { return ledger_.unknown_acknowledged(); }
  const Stats& stats() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return stats_; }

  // The first invariant that does not hold, in words; empty if all hold. O(everything).
  std::string CheckInvariants() const;
  // The same but for those that each channel states of itself (Channel::CheckInvariants), for who
  // asks the channels. O(channels + what waits to be sent again).
  std::string CheckOwnInvariants() const;

 private:
  // client_session.cc: the connection.
  absl::Status On(const ConnectCall& call);
  absl::Status On(const CloseCall& call);
  absl::Status On(const TransportOpened& opened);
  absl::Status On(const TransportFailed& failed);
  absl::Status On(const TransportClosed& closed);
  absl::Status On(const TransportReceived& received);
  absl::Status On(const TransportActive& active);
  absl::Status On(const TokenRenewed& renewed);
  absl::Status On(const TokenFailed& failed);

  bool IsCurrent(TransportId transport) const { return transport != 0 && transport == transport_; }
  void Heard();
  void SetState(SessionState state, const SharedError& reason,
                std::optional<Timestamp> next_try = std::nullopt);
  void BeginTry();
  void Open();
  void AskForToken(const SharedError& reason);
  void DropTransport();
  void SendClose();
  void TransportIsGone(std::string_view how, const ErrorInfo* error);
  void EndTransport(const SharedError& reason);
  void Lost(const SharedError& reason);
  void AttemptFailed(const SharedError& reason);
  void OnUnanswered();
  void TokenRefused(const SharedError& reason);
  void Suspend();
  void Close(const SharedError& reason);
  void Fail(const SharedError& reason);
  void ForgetConnection();
  void ForgetFailures();
  void StopTimers();

  void OnFrame(const wire::Frame& frame, std::string_view bytes);
  void OnConnected(const wire::Frame& frame);
  void OnError(const wire::Frame& frame);
  void OnAuth();

  // session_channels.cc: the channels.
  absl::Status On(const AddChannel& add);
  absl::Status On(const AttachCall& call);
  absl::Status On(const DetachCall& call);
  absl::Status On(const ChannelCall& call);

  static ConnectionState ToldIn(SessionState state);
  SharedError TooManyWait(const SessionChannel& channel) const;
  absl::Status RefuseNameless(AttachmentResult::Kind kind, RequestId request);
  absl::Status RefuseNameless(const ChannelCall& call);
  SessionChannel* Find(std::string_view name) const;
  SessionChannel& Make(std::string_view name, const ChannelOptions& options);
  SessionChannel& FindOrMake(std::string_view name);
  absl::Status Feed(SessionChannel& channel, const ChannelInput& input,
                    const ErrorInfo* detach_failure = nullptr);
  void OnChannelState(SessionChannel& channel, const StateChanged& changed,
                      const ErrorInfo* detach_failure);
  void Answer(const SessionChannel& channel, AttachmentResult::Kind kind, RequestId request,
              const SharedError& error = nullptr);
  void GrantWishes(SessionChannel& channel);
  void Move(SessionChannel& channel, ChannelState state, const ErrorInfo* reason = nullptr,
            const ErrorInfo* detach_failure = nullptr);
  Connection::Transition TellChannels(const ConnectionUpdate& update);
  void InitializeChannels();
  void SendAgain();
  void Settle(const wire::Frame& frame);
  void OnChannelFrame(const wire::Frame& frame, std::string_view bytes);
  void OnChannelTimer(SessionChannel& channel);
  void SendAttachment(SessionChannel& channel, wire::FrameAction action);
  void SendItem(const SessionChannel& channel, int64_t msg_serial, const OutgoingItem& item);
  void KeepSerial(SessionChannel& channel, std::string_view serial);
  void SendScratch();

  // The longest key and channelSerial that are kept, in bytes; longer ones count as none. A
  // server's are shorter.
  static constexpr size_t kMaxKeptBytes = 4096;

  const Options options_;
  Timestamp now_ = Timestamp::min();
  SessionEffects* effects_ = nullptr;  // the caller's, during a step

  SessionState state_ = SessionState::kInitialized;
  SharedError reason_;
  SharedError failure_;  // why the last transport was lost, or the last attempt failed

  TransportId next_transport_ = 1;
  TransportId transport_ = 0;                       // 0: none
  bool transport_connected_ = false;                // it has said CONNECTED
  std::string key_;                                 // of the latest CONNECTED (RTN15e); empty: none
  std::chrono::milliseconds max_idle_interval_{0};  // 0: no limit
  std::chrono::milliseconds state_ttl_;
  Tokens tokens_;

  ConnectionTimers timers_;
  Jitter jitter_;
  uint64_t retries_ = 0;  // waits since connected or suspended (RTB1)
  // No connection within the ttl: what fails now leads to suspended (RTN14f).
  bool gave_up_ = false;
  std::optional<Timestamp> immediate_try_;  // the last one
  bool next_is_immediate_ = false;          // the next one only waits for its second to be over

  Ledger ledger_;
  std::vector<std::unique_ptr<SessionChannel>> channels_;  // in the order in which they were made
  absl::flat_hash_map<absl::string_view, SessionChannel*> by_name_;  // keys view the channels
  ChannelTimers channel_timers_;

  wire::FrameReader reader_;
  std::string scratch_;  // the frame that is being written
  Stats stats_;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_CLIENT_SESSION_H_
