#include "engine/room/owned_client_input.h"

#include <variant>

namespace presence {

OwnedClientInput::OwnedClientInput(const ClientInput& input) : input_(input) {
  if (auto* failed = std::get_if<TransportFailed>(&input_)) {
    error_ = ShareError(failed->error);
    failed->error = error_.get();
  } else if (auto* closed = std::get_if<TransportClosed>(&input_)) {
    error_ = ShareError(closed->error);
    closed->error = error_.get();
  } else if (auto* received = std::get_if<TransportReceived>(&input_)) {
    bytes_ = received->bytes;
    received->bytes = bytes_;
  } else if (auto* renewed = std::get_if<TokenRenewed>(&input_)) {
    bytes_ = renewed->token;
    renewed->token = bytes_;
  } else if (auto* no_token = std::get_if<TokenFailed>(&input_)) {
    error_ = ShareError(no_token->error);
    no_token->error = error_.get();
  }
}

}  // namespace presence
