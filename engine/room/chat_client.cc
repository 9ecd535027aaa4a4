#include "presence/room/chat_client.h"

#include <utility>

#include "engine/room/client_core.h"

namespace presence {

ChatClient::ChatClient(const ClientSession::Options& options, ClientEnvironment& environment)
    : core_(std::make_shared<ClientCore>(options, environment)) {}
ChatClient::~ChatClient() { core_->Destroy(); }

void ChatClient::Connect() { core_->Call(ConnectCall{}); }
void ChatClient::Close() { core_->Call(CloseCall{}); }
SessionState ChatClient::state() const { return core_->session().state(); }
Subscription ChatClient::OnStateChange(ConnectionListener listener) {
  return core_->OnStateChange(std::move(listener));
}
Room& ChatClient::room(std::string_view name, const RoomOptions& options) {
  return core_->room(name, options);
}
void ChatClient::ReleaseRoom(std::string_view name) { core_->ReleaseRoom(name); }

absl::Status ChatClient::Apply(const ClientInput& input) { return core_->Apply(input); }
void ChatClient::AdvanceTo(Timestamp now) { core_->AdvanceTo(now); }
std::optional<Timestamp> ChatClient::NextDeadline() const { return session().NextDeadline(); }
const ClientSession& ChatClient::session() const { return core_->session(); }

}  // namespace presence
