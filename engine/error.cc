#include "engine/error.h"

#include <utility>

namespace presence {

ErrorInfo MakeError(ErrorCode code, std::string message, const ErrorInfo* cause) {
  ErrorInfo error;
  error.code = code;
  error.status_code = code == kTooManyRequests ? 429 : 400;
  error.message = std::move(message);
  if (cause != nullptr) error.cause = std::make_shared<ErrorInfo>(*cause);
  return error;
}

}  // namespace presence
