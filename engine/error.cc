#include "engine/error.h"

#include <utility>

namespace presence {

ErrorInfo MakeError(ErrorCode code, std::string message, SharedError cause) {
  ErrorInfo error;
  error.code = code;
  error.status_code = code == kTooManyRequests ? 429 : 400;
  error.message = std::move(message);
  error.cause = std::move(cause);
  return error;
}

SharedError ShareError(ErrorInfo error) {
  return std::make_shared<const ErrorInfo>(std::move(error));
}

SharedError ShareError(const ErrorInfo* error) {
  return error == nullptr ? nullptr : ShareError(*error);
}

}  // namespace presence
