#include "tools/serve/service.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>
#include <variant>

#include "presence/wire/frame.h"
#include "tools/serve/capability.h"
#include "tools/serve/event_text.h"

namespace presence::serve {
namespace {

// What nobody can guess, and what never comes twice.
constexpr size_t kKeyCharacters = 32;
constexpr size_t kIdCharacters = 16;

std::string ErrorFrame(const ErrorInfo& error) {
  wire::Frame frame;
  frame.action = wire::kError;
  frame.error = error;
  std::string text;
  wire::AppendFrame(frame, text);
  return text;
}

// How long members stay when their connection is lost; nullopt: the client does not say, or not a
// number. The server knows what is too long.
std::optional<std::chrono::milliseconds> GraceOf(const RequestTarget& target) {
  const std::string_view text = target.Parameter("remainPresentFor");
  uint32_t ms = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (text.empty() || at != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::chrono::milliseconds(UINT32_MAX);
  return error == std::errc() ? std::optional(std::chrono::milliseconds(ms)) : std::nullopt;
}

// The parameters are alike; clients send the one or the other.
std::string_view ResumeKeyOf(const RequestTarget& target) {
  const std::string_view resume = target.Parameter("resume");
  return resume.empty() ? target.Parameter("recover") : resume;
}

}  // namespace

Service::Service(Parts parts, KeptState state, StateStore* store)
    : parts_(std::move(parts)),
      kept_({.now = parts_.now,
             .jump = parts_.jump,
             .store = store,
             .carry_out = [this](const ServerEffects& effects) { CarryOut(effects); },
             .refused = [this](const ServerInput& input,
                               const absl::Status& status) { OnRefused(input, status); },
             .log = parts_.tell},
            state.server != nullptr ? std::move(state)
                                    : KeptState{std::make_unique<Server>(parts_.server)}),
      reader_(parts_.server.max_frame_size) {}

void Service::Start() { parts_.wake_at(NextDeadline()); }

bool Service::WantsHeartbeats(const RequestTarget& target) {
  return target.Parameter("heartbeats") == "true";
}

wire::Format Service::FormatOf(const RequestTarget& target) {
  return target.Parameter("format") == "msgpack" ? wire::Format::kMessagePack : wire::Format::kJson;
}

TransportHandle Service::NewTransport() {
  return parts_.recorder != nullptr ? parts_.recorder->NewTransport() : ++last_transport_;
}

bool Service::IsAccepted(TransportHandle transport) const {
  const auto client = sockets_.find(transport);
  return client != sockets_.end() && client->second.is_accepted;
}

TransportHandle Service::Connect(ClientSocket& socket, const RequestTarget& target) {
  const TransportHandle transport = NewTransport();
  const wire::Format format = FormatOf(target);
  const Presented presented = Presented::By(target);
  Client& client = sockets_[transport];
  client.socket = &socket;
  client.format = format;
  client.named = presented.client_id;
  const auto judged = CheckCredentials(parts_.keys, presented, now());
  if (const auto* const error = std::get_if<ErrorInfo>(&judged)) {
    Refuse(socket, format, *error);
    return transport;
  }
  Accept(transport, std::get<Credentials>(judged), target);
  return transport;
}

TransportHandle Service::ConnectOwn(ClientSocket& socket) {
  const TransportHandle transport = NewTransport();
  Client& client = sockets_[transport];
  client.socket = &socket;
  client.is_own = true;
  Accept(transport, {"*", Capability::All(), std::nullopt, {}}, {});
  return transport;
}

void Service::Accept(TransportHandle transport, const Credentials& credentials,
                     const RequestTarget& target) {
  Client& client = sockets_[transport];
  client.is_accepted = true;
  const std::vector<Permission> permissions = credentials.capability.Permissions();
  const std::string id = parts_.make_id(kIdCharacters);
  const std::string key = parts_.make_id(kKeyCharacters);
  TransportAccepted accepted;
  accepted.transport = transport;
  accepted.connection_id = id;
  accepted.connection_key = key;
  accepted.client_id = credentials.client_id;
  accepted.permissions = permissions;
  accepted.format = client.format;
  accepted.heartbeats = WantsHeartbeats(target);
  accepted.resume_key = ResumeKeyOf(target);
  accepted.grace_period = GraceOf(target);
  Remember(transport, credentials);
  Apply(accepted);
}

void Service::Receive(TransportHandle transport, std::string_view message) {
  if (!IsAccepted(transport)) return;
  const Client& client = sockets_.find(transport)->second;
  ServerInput input = reader_.Read(transport, message, client.format);
  auto* const received = std::get_if<FrameReceived>(&input);
  if (received != nullptr && parts_.recorder != nullptr) {
    parts_.recorder->Received(transport, now(), client.format, message);
  }
  if (received == nullptr || received->frame->action != wire::kPresence) return Apply(input);
  const wire::Frame frame = user_claims_.Put(*received->frame, client.room_claims);
  received->frame = &frame;
  Apply(input);
}

void Service::ReceiveRefused(TransportHandle transport, std::string_view message,
                             const ErrorInfo& error) {
  if (!IsAccepted(transport)) return;
  Apply(RefuseOperations{&error});
  Receive(transport, message);
  Apply(RefuseOperations{nullptr});
}

void Service::CloseConnection(std::string_view connection_id) {
  Apply(presence::CloseConnection{connection_id, nullptr});
}

void Service::Detach(TransportHandle transport, std::string_view channel) {
  if (!IsAccepted(transport)) return;
  wire::Frame frame;
  frame.action = wire::kDetach;
  frame.channel = channel;
  Apply(FrameReceived{transport, &frame, 0});
}

void Service::ReceiveTooLarge(TransportHandle transport, size_t bytes) {
  if (!IsAccepted(transport)) return;
  Apply(FrameUnreadable{transport, "the frame is too large",
                        std::max(bytes, server().options().max_frame_size + 1)});
}

void Service::Taken(TransportHandle transport, size_t bytes) {
  if (IsAccepted(transport)) Apply(BytesTaken{transport, bytes});
}

void Service::Gone(TransportHandle transport) {
  Remember(transport, {});
  const bool was_accepted = IsAccepted(transport);
  sockets_.erase(transport);
  if (!was_accepted) return parts_.wake_at(NextDeadline());  // there is one socket less
  if (parts_.recorder != nullptr) parts_.recorder->Gone(transport, now());
  Apply(TransportGone{transport});
}

void Service::Wake() {
  EndExpired();
  kept_.Advance();
}

void Service::ShutDown() { Apply(presence::ShutDown{}); }

void Service::OnRefused(const ServerInput& input, const absl::Status& status) {
  const std::string why(status.message().data(), status.message().size());
  if (const auto* const accepted = std::get_if<TransportAccepted>(&input)) {
    const auto client = sockets_.find(accepted->transport);
    if (client == sockets_.end()) return;
    Remember(accepted->transport, {});
    client->second.is_accepted = false;
    // What remains to be wrong is what the client asked for, such as a name too long.
    return Refuse(*client->second.socket, client->second.format,
                  {kMalformedRequest, 400, why, nullptr});
  }
  if (const auto* const granted = std::get_if<CredentialsGranted>(&input)) {
    return Apply(CredentialsRefused{granted->transport, nullptr});
  }
  Log("an input was refused: " + why);
}

void Service::CarryOut(const ServerEffects& effects) {
  for (const ServerEffect& effect : effects) {
    if (const auto* send = std::get_if<SendFrame>(&effect)) {
      if (parts_.recorder != nullptr) Record(*send);
      const auto message = std::make_shared<const std::string>(send->bytes);
      for (const TransportHandle to : send->to) {
        if (ClientSocket* const socket = Find(to)) socket->Send(message);
      }
    } else if (const auto* end = std::get_if<EndTransport>(&effect)) {
      if (ClientSocket* const socket = Find(end->transport)) socket->Close();
    } else if (const auto* drop = std::get_if<DropTransport>(&effect)) {
      if (ClientSocket* const socket = Find(drop->transport)) socket->Drop();
    } else if (const auto* offered = std::get_if<CredentialsOffered>(&effect)) {
      offers_.emplace_back(offered->transport, offered->token);
    } else if (parts_.log != nullptr) {
      parts_.log(TextOf(effect));
    }
  }
  AnswerOffers();
  parts_.wake_at(NextDeadline());
}

// As clients see it: nothing comes to who has gone before it was written down.
void Service::Record(const SendFrame& send) {
  std::vector<TransportHandle> clients;
  for (const TransportHandle to : send.to) {
    const auto client = sockets_.find(to);
    if (client != sockets_.end() && !client->second.is_own) clients.push_back(to);
  }
  if (!clients.empty()) parts_.recorder->Sent(clients, now(), send.format, send.bytes);
}

void Service::AnswerOffers() {
  while (!offers_.empty()) {
    const auto [transport, token] = std::move(offers_.back());
    offers_.pop_back();
    AnswerOffer(transport, token);
  }
}

void Service::AnswerOffer(TransportHandle transport, const std::string& token) {
  const auto client = sockets_.find(transport);
  if (client == sockets_.end()) return;
  const auto judged = CheckCredentials(parts_.keys, {"", token, client->second.named}, now());
  if (const auto* const error = std::get_if<ErrorInfo>(&judged)) {
    Log("refused a token: " + error->message);
    return Apply(CredentialsRefused{transport, error});
  }
  const auto& credentials = std::get<Credentials>(judged);
  const std::vector<Permission> permissions = credentials.capability.Permissions();
  Remember(transport, credentials);
  Apply(CredentialsGranted{transport, credentials.client_id, permissions});
}

void Service::Remember(TransportHandle transport, const Credentials& credentials) {
  const auto found = sockets_.find(transport);
  if (found == sockets_.end()) return;
  Client& client = found->second;
  if (client.expires.has_value()) expiries_.erase({*client.expires, transport});
  client.expires = credentials.expires;
  client.room_claims = credentials.room_claims;
  if (client.expires.has_value()) expiries_.emplace(*client.expires, transport);
}

void Service::EndExpired() {
  while (!expiries_.empty() && expiries_.begin()->first <= now()) {
    const TransportHandle transport = expiries_.begin()->second;
    Remember(transport, {});
    Apply(CredentialsEnded{transport});
  }
}

std::optional<Timestamp> Service::NextDeadline() const {
  std::optional<Timestamp> next = kept_.NextDeadline();
  if (!expiries_.empty()) {
    const Timestamp expiry = expiries_.begin()->first;
    next = next.has_value() ? std::min(*next, expiry) : expiry;
  }
  return next;
}

void Service::Refuse(ClientSocket& socket, wire::Format format, const ErrorInfo& error) {
  Log("refused a client: " + error.message);
  std::string frame = ErrorFrame(error);
  if (format == wire::Format::kMessagePack) {
    std::string packed;
    if (packer_.Append(frame, packed).ok()) frame = std::move(packed);
  }
  socket.Send(std::make_shared<const std::string>(std::move(frame)));
  socket.Close();
}

ClientSocket* Service::Find(TransportHandle transport) const {
  const auto found = sockets_.find(transport);
  return found == sockets_.end() ? nullptr : found->second.socket;
}

void Service::Log(const std::string& line) const {
  if (parts_.log != nullptr) parts_.log(line);
}

}  // namespace presence::serve
