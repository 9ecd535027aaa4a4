#include "presence/session/client_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/base/internal/spare.h"

namespace presence {
namespace {

// At most one try a second begins at once (RTN15h3).
constexpr std::chrono::milliseconds kImmediateTries{1'000};

// A duration that the server names, in ms; 0: none.
std::chrono::milliseconds DurationOf(std::optional<int64_t> ms) {
  return std::chrono::milliseconds(std::clamp<int64_t>(ms.value_or(0), 0, kLongest.count()));
}

SharedError CopyOf(const std::optional<ErrorInfo>& error) {
  return error.has_value() ? ShareError(*error) : nullptr;
}

SharedError TransportError(std::string message, SharedError cause = nullptr) {
  return ShareError(MakeError(kConnectionDisconnected, std::move(message), std::move(cause)));
}

}  // namespace

// What channels are told of a connection in this state (RTL3).
ConnectionState ClientSession::ToldIn(SessionState state) {
  switch (state) {
    case SessionState::kConnected:
      return ConnectionState::kConnected;
    case SessionState::kSuspended:
      return ConnectionState::kSuspended;
    case SessionState::kClosing:
    case SessionState::kClosed:
      return ConnectionState::kClosed;
    case SessionState::kFailed:
      return ConnectionState::kFailed;
    default:
      return ConnectionState::kDisconnected;
  }
}

absl::Status ClientSession::Validate(const Options& options) {
  if (options.format == Format::kMessagePack) {
    return absl::UnimplementedError("MessagePack is not there yet");
  }
  if (options.format != Format::kJson) return absl::InvalidArgumentError("unknown format");
  const std::pair<std::string_view, std::chrono::milliseconds> durations[] = {
      {"realtime_request_timeout", options.realtime_request_timeout},
      {"disconnected_retry_timeout", options.disconnected_retry_timeout},
      {"suspended_retry_timeout", options.suspended_retry_timeout},
      {"channel_retry_timeout", options.channel_retry_timeout},
      {"connection_state_ttl", options.connection_state_ttl}};
  for (const auto& [name, duration] : durations) {
    if (duration.count() <= 0 || duration > kLongest) {
      return absl::InvalidArgumentError(
          absl::StrCat(AbslView(name), " of ", duration.count(), " ms is out of range"));
    }
  }
  if ((options.channel.modes & ~kFlagModes) != 0) {
    return absl::InvalidArgumentError("modes that are no modes");
  }
  return absl::OkStatus();
}

ClientSession::ClientSession(const Options& options)
    : options_(options),
      state_ttl_(options.connection_state_ttl),
      tokens_(options.can_renew_token),
      jitter_(options.seed) {
  PRESENCE_CHECK(Validate(options).ok());
  ConnectionUpdate nothing;
  nothing.state = ConnectionState::kDisconnected;
  ledger_.Apply(nothing);
}

ClientSession::~ClientSession() = default;

// --- Inputs ---

absl::Status ClientSession::Apply(Timestamp now, const SessionInput& input,
                                  SessionEffects& effects) {
  effects.Clear();
  now_ = std::max(now_, now);
  effects_ = &effects;
  absl::Status status =
      std::visit([this](const auto& alternative) { return On(alternative); }, input);
  effects_ = nullptr;
  return status;
}

void ClientSession::AdvanceTo(Timestamp now, SessionEffects& effects) {
  effects.Clear();
  now_ = std::max(now_, now);
  effects_ = &effects;
  for (const ConnectionTimer timer : ConnectionTimers::kAll) {
    if (!timers_.TakeDue(timer, now_)) continue;
    switch (timer) {
      case ConnectionTimer::kStateTtl:
        Suspend();
        break;
      case ConnectionTimer::kAttempt:
        OnUnanswered();
        break;
      case ConnectionTimer::kIdle:
        DropTransport();
        Lost(TransportError("nothing was heard for too long"));
        break;
      case ConnectionTimer::kRetry:
        if (next_is_immediate_) immediate_try_ = now_;
        BeginTry();
        break;
    }
  }
  // What a timer starts is due later, so that each channel has its say once.
  while (const std::optional<size_t> due = channel_timers_.TakeDue(now_)) {
    OnChannelTimer(*channels_[*due]);
  }
  effects_ = nullptr;
}

std::optional<Timestamp> ClientSession::NextDeadline() const {
  const std::optional<Timestamp> connection = timers_.Next();
  const std::optional<Timestamp> channel = channel_timers_.Next();
  if (!connection.has_value() || !channel.has_value()) {
    return connection.has_value() ? connection : channel;
  }
  return std::min(*connection, *channel);
}

// --- connect and close ---

absl::Status ClientSession::On(const ConnectCall&) {
  switch (state_) {
    case SessionState::kConnecting:
    case SessionState::kConnected:
      break;
    case SessionState::kDisconnected:
    case SessionState::kSuspended:  // RTN11c
      BeginTry();
      break;
    case SessionState::kInitialized:
      timers_.Set(ConnectionTimer::kStateTtl, Later(now_, state_ttl_));
      BeginTry();
      break;
    case SessionState::kClosing:  // RTN11b
      DropTransport();
      [[fallthrough]];
    case SessionState::kClosed:
    case SessionState::kFailed:  // RTN11d
      ForgetConnection();
      timers_.Set(ConnectionTimer::kStateTtl, Later(now_, state_ttl_));
      SetState(SessionState::kConnecting, nullptr);
      InitializeChannels();
      BeginTry();
      break;
  }
  return absl::OkStatus();
}

absl::Status ClientSession::On(const CloseCall&) {
  switch (state_) {
    case SessionState::kConnected:  // RTN12a
      key_.clear();
      StopTimers();
      SetState(SessionState::kClosing, nullptr);
      SendClose();
      break;
    case SessionState::kConnecting:  // RTN12f
      if (transport_ == 0) {
        Close(nullptr);
        break;
      }
      key_.clear();
      timers_.Stop(ConnectionTimer::kStateTtl);  // the attempt's goes on
      SetState(SessionState::kClosing, nullptr);
      break;
    case SessionState::kInitialized:
    case SessionState::kDisconnected:
    case SessionState::kSuspended:  // RTN12d
      Close(nullptr);
      break;
    case SessionState::kClosing:
    case SessionState::kClosed:
    case SessionState::kFailed:
      break;
  }
  return absl::OkStatus();
}

// --- Transports ---

absl::Status ClientSession::On(const TransportOpened& opened) {
  if (IsCurrent(opened.transport)) Heard();
  return absl::OkStatus();
}

absl::Status ClientSession::On(const TransportFailed& failed) {
  if (IsCurrent(failed.transport)) {
    TransportIsGone("the transport could not be opened", failed.error);
  }
  return absl::OkStatus();
}

absl::Status ClientSession::On(const TransportClosed& closed) {
  if (IsCurrent(closed.transport)) TransportIsGone("the transport was lost", closed.error);
  return absl::OkStatus();
}

absl::Status ClientSession::On(const TransportActive& active) {
  if (IsCurrent(active.transport)) Heard();
  return absl::OkStatus();
}

absl::Status ClientSession::On(const TransportReceived& received) {
  if (!IsCurrent(received.transport)) return absl::OkStatus();
  Heard();
  const absl::StatusOr<wire::Frame> frame = reader_.Read(received.bytes);
  if (!frame.ok()) {
    ++stats_.frames_malformed;
    return frame.status();
  }
  ++stats_.frames;
  OnFrame(*frame, received.bytes);
  return absl::OkStatus();
}

// The other end lives (RTN23a).
void ClientSession::Heard() {
  if (state_ != SessionState::kConnected) return;
  if (max_idle_interval_.count() == 0) {
    timers_.Stop(ConnectionTimer::kIdle);
  } else {
    timers_.Set(ConnectionTimer::kIdle,
                Later(now_, max_idle_interval_ + options_.realtime_request_timeout));
  }
}

void ClientSession::TransportIsGone(std::string_view how, const ErrorInfo* error) {
  transport_ = 0;
  transport_connected_ = false;
  EndTransport(TransportError(std::string(how), ShareError(error)));
}

// The transport is of no use any more, or gone.
void ClientSession::EndTransport(const SharedError& reason) {
  DropTransport();
  switch (state_) {
    case SessionState::kConnected:
      return Lost(reason);
    case SessionState::kConnecting:
      return AttemptFailed(reason);
    default:  // RTN12c, RTN12f
      return Close(nullptr);
  }
}

void ClientSession::DropTransport() {
  if (transport_ == 0) return;
  effects_->Add(CloseTransport{transport_});
  transport_ = 0;
  transport_connected_ = false;
}

// --- Trying to connect ---

void ClientSession::BeginTry() {
  timers_.Stop(ConnectionTimer::kRetry);
  next_is_immediate_ = false;
  if (state_ != SessionState::kConnecting) SetState(SessionState::kConnecting, nullptr);
  if (tokens_.refused()) return AskForToken(failure_);
  Open();
}

void ClientSession::Open() {
  transport_ = next_transport_++;
  transport_connected_ = false;
  timers_.Set(ConnectionTimer::kAttempt, Later(now_, options_.realtime_request_timeout));
  effects_->Add(OpenTransport{transport_, effects_->Keep(key_)});
}

void ClientSession::AskForToken(const SharedError& reason) {
  tokens_.Asked();
  timers_.Set(ConnectionTimer::kAttempt, Later(now_, options_.realtime_request_timeout));
  effects_->Add(TokenNeeded{effects_->Keep(reason)});
}

// The transport is lost, and was connected (RTN15).
void ClientSession::Lost(const SharedError& reason) {
  failure_ = reason;
  tokens_.Failed();  // whoever was to get one may be asked again
  timers_.Stop(ConnectionTimer::kIdle);
  timers_.Set(ConnectionTimer::kStateTtl, Later(now_, state_ttl_));
  const Timestamp next_try =
      immediate_try_.has_value() ? std::max(now_, Later(*immediate_try_, kImmediateTries)) : now_;
  const bool at_once = next_try == now_;
  SetState(SessionState::kDisconnected, reason, next_try);
  if (at_once) {  // RTN15a, RTN15h3
    immediate_try_ = now_;
    return BeginTry();
  }
  next_is_immediate_ = true;
  timers_.Set(ConnectionTimer::kRetry, next_try);
}

void ClientSession::AttemptFailed(const SharedError& reason) {
  failure_ = reason;
  DropTransport();
  timers_.Stop(ConnectionTimer::kAttempt);
  std::chrono::milliseconds wait = options_.suspended_retry_timeout;  // RTN14f
  if (!gave_up_) {                                                    // RTN14d
    wait = RetryDelay(options_.disconnected_retry_timeout, ++retries_, jitter_);
  }
  const Timestamp next_try = Later(now_, wait);
  timers_.Set(ConnectionTimer::kRetry, next_try);
  SetState(gave_up_ ? SessionState::kSuspended : SessionState::kDisconnected, reason, next_try);
}

void ClientSession::OnUnanswered() {
  if (state_ == SessionState::kClosing) return Close(nullptr);  // RTN12b
  if (transport_ == 0) {
    return AttemptFailed(ShareError(MakeError(kNoToken, "no token was got in time")));
  }
  AttemptFailed(TransportError("the attempt to connect was not answered"));  // RTN14c
}

// No connection within the ttl (RTN14e).
void ClientSession::Suspend() {
  DropTransport();
  timers_.Stop(ConnectionTimer::kAttempt);
  gave_up_ = true;
  next_is_immediate_ = false;
  const Timestamp next_try = Later(now_, options_.suspended_retry_timeout);
  timers_.Set(ConnectionTimer::kRetry, next_try);
  SetState(SessionState::kSuspended,
           ShareError(MakeError(kConnectionSuspended, "no connection could be made for too long",
                                failure_)),
           next_try);
}

// --- The end ---

void ClientSession::SendClose() {
  timers_.Set(ConnectionTimer::kAttempt, Later(now_, options_.realtime_request_timeout));
  wire::AppendClose(scratch_);
  SendScratch();
}

void ClientSession::Close(const SharedError& reason) {
  DropTransport();
  StopTimers();
  key_.clear();
  SetState(SessionState::kClosed, reason);
}

void ClientSession::Fail(const SharedError& reason) {
  DropTransport();
  StopTimers();
  key_.clear();
  SetState(SessionState::kFailed, reason);
}

void ClientSession::ForgetConnection() {
  ledger_.Forget();
  state_ttl_ = options_.connection_state_ttl;
  tokens_.Forget();
  ForgetFailures();
}

void ClientSession::ForgetFailures() {
  failure_ = nullptr;
  retries_ = 0;
  gave_up_ = false;
}

void ClientSession::StopTimers() {
  timers_.StopAll();
  next_is_immediate_ = false;
}

void ClientSession::SetState(SessionState state, const SharedError& reason,
                             std::optional<Timestamp> next_try) {
  const SessionState previous = std::exchange(state_, state);
  reason_ = reason;
  effects_->Add(ConnectionChanged{previous, state, effects_->Keep(reason), next_try});
  if (state == SessionState::kConnected) return;  // who moves there knows what to tell
  channel_timers_.StopAll();                      // RTL13c
  const ConnectionState told = ToldIn(state);
  if (told == ledger_.connection().state()) return;
  ConnectionUpdate update = ledger_.Current();
  update.state = told;
  update.reason = reason;
  TellChannels(update);
}

// --- Tokens ---

absl::Status ClientSession::On(const TokenRenewed& renewed) {
  if (renewed.token.empty()) return absl::InvalidArgumentError("a token of no characters");
  tokens_.Renewed();
  if (state_ == SessionState::kConnected) {  // RTC8a
    wire::AppendAuth(renewed.token, scratch_);
    SendScratch();
  } else if (state_ == SessionState::kConnecting && transport_ == 0) {
    Open();
  }
  return absl::OkStatus();
}

absl::Status ClientSession::On(const TokenFailed& failed) {
  const bool waiting = state_ == SessionState::kConnecting && transport_ == 0;
  const bool connected = state_ == SessionState::kConnected;
  tokens_.Failed();
  if (!waiting && !connected) return absl::OkStatus();
  const SharedError reason =
      ShareError(MakeError(kNoToken, "no token could be got", ShareError(failed.error)));
  constexpr int64_t kForbidden = 403;
  if (failed.error != nullptr && failed.error->status_code == kForbidden) {  // RSA4d
    Fail(reason);
  } else if (waiting) {  // RSA4c2
    AttemptFailed(reason);
  } else {  // RSA4c3
    SetState(SessionState::kConnected, reason);
  }
  return absl::OkStatus();
}

// The server says that the token is of no use (RTN14b, RTN15h).
void ClientSession::TokenRefused(const SharedError& reason) {
  if (state_ == SessionState::kClosing) return Close(nullptr);
  switch (tokens_.Refused()) {
    case Tokens::Refusal::kNoWay:  // RTN15h1, RSA4a2
      return Fail(ShareError(
          MakeError(kCannotRenewToken, "the token was refused and cannot be renewed", reason)));
    case Tokens::Refusal::kRenew:
      DropTransport();
      // Connected, it is a loss, and the try after it begins with the token.
      if (state_ == SessionState::kConnected) return Lost(reason);
      failure_ = reason;
      return AskForToken(reason);
    case Tokens::Refusal::kGiveUp:
      return EndTransport(reason);
  }
}

// --- Frames of the connection ---

void ClientSession::OnFrame(const wire::Frame& frame, std::string_view bytes) {
  switch (frame.action) {
    case wire::kHeartbeat:
      return;
    case wire::kConnected:
      return OnConnected(frame);
    case wire::kDisconnected: {
      SharedError reason = CopyOf(frame.error);
      if (reason == nullptr) reason = TransportError("the server disconnected");
      if (IsTokenError(reason->code)) return TokenRefused(reason);
      return EndTransport(reason);
    }
    case wire::kClosed:
      return Close(CopyOf(frame.error));
    case wire::kError:
      if (frame.channel.empty()) return OnError(frame);
      break;
    case wire::kAuth:
      return OnAuth();
    default:
      break;
  }
  // Until it has said CONNECTED, a transport does not speak for the connection; and once that is
  // closing, nobody waits for what it says of channels, which could not answer.
  if (!transport_connected_ || state_ == SessionState::kClosing) {
    ++stats_.frames_ignored;
  } else if (frame.action == wire::kAck || frame.action == wire::kNack) {
    Settle(frame);
  } else {
    OnChannelFrame(frame, bytes);
  }
}

void ClientSession::OnConnected(const wire::Frame& frame) {
  const bool again = std::exchange(transport_connected_, true);
  if (state_ == SessionState::kClosing) {
    if (again) {
      ++stats_.frames_ignored;
      return;
    }
    return SendClose();  // RTN12f
  }
  const std::string_view key = frame.details_connection_key;
  key_ = key.size() <= kMaxKeptBytes ? key : std::string_view();
  max_idle_interval_ = DurationOf(frame.details_max_idle_interval);
  state_ttl_ = DurationOf(frame.details_connection_state_ttl);
  if (state_ttl_.count() == 0) state_ttl_ = options_.connection_state_ttl;
  ForgetFailures();
  tokens_.Accepted();
  timers_.Stop(ConnectionTimer::kAttempt);
  timers_.Stop(ConnectionTimer::kStateTtl);
  SetState(SessionState::kConnected, CopyOf(frame.error));
  Heard();
  ConnectionUpdate update = *wire::ConnectionUpdateOf(frame, ledger_.Current());
  update.reason = reason_;
  // RTN15c6, RTN15c7: what is sent again follows the ATTACH frames (RTN19a).
  if (TellChannels(update).reconnected) SendAgain();
}

void ClientSession::OnError(const wire::Frame& frame) {
  SharedError reason = CopyOf(frame.error);
  if (reason == nullptr) {
    reason = ShareError(MakeError(kConnectionFailed, "the server gave no reason"));
  }
  if (IsTokenError(reason->code)) return TokenRefused(reason);
  if (state_ == SessionState::kClosing) return Close(nullptr);
  Fail(reason);  // RTN14g, RTN15j
}

// RTN22.
void ClientSession::OnAuth() {
  if (state_ != SessionState::kConnected || !tokens_.renewable() || tokens_.asked()) {
    ++stats_.frames_ignored;
    return;
  }
  tokens_.Asked();
  effects_->Add(TokenNeeded{});
}

void ClientSession::SendScratch() {
  effects_->Add(SendBytes{transport_, effects_->Keep(scratch_)});
  if (SparesTooMuch(scratch_.capacity(), scratch_.size())) std::string().swap(scratch_);
  scratch_.clear();
}

}  // namespace presence
