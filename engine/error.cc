#include "presence/error.h"

#include <array>
#include <utility>

namespace presence {
namespace {

int64_t StatusOf(ErrorCode code) {
  switch (code) {
    case kOtherIdentity:
    case kTokenExpired:
    case kNotPermitted:
      return 401;
    case kNoAnswer:
      return 408;
    case kTooManyRequests:
      return 429;
    case kConnectionDisconnected:
      return 503;
    default:
      return 400;
  }
}

}  // namespace

ErrorInfo MakeError(ErrorCode code, std::string message, SharedError cause) {
  ErrorInfo error;
  error.code = code;
  error.status_code = StatusOf(code);
  error.message = std::move(message);
  error.cause = std::move(cause);
  return WithCausesCut(std::move(error));
}

std::string ErrorText(const ErrorInfo& error) {
  std::string text;
  for (const ErrorInfo* one = &error; one != nullptr; one = one->cause.get()) {
    if (one != &error) text += ", because ";
    text += std::to_string(one->code);
    if (!one->message.empty()) text += " " + one->message;
  }
  return text;
}

ErrorInfo WithCausesCut(ErrorInfo error) {
  // Shared errors are never written again: if there are too many, those that stay are copied.
  std::array<const ErrorInfo*, kMaxCauses> kept;
  size_t count = 0;
  const ErrorInfo* next = error.cause.get();
  for (; next != nullptr && count < kept.size(); next = next->cause.get()) kept[count++] = next;
  if (next == nullptr) return error;
  SharedError cause;
  while (count > 0) {
    const ErrorInfo& one = *kept[--count];
    cause = std::make_shared<const ErrorInfo>(
        ErrorInfo{one.code, one.status_code, one.message, std::move(cause)});
  }
  error.cause = std::move(cause);
  return error;
}

SharedError ShareError(ErrorInfo error) {
  return std::make_shared<const ErrorInfo>(WithCausesCut(std::move(error)));
}

SharedError ShareError(const ErrorInfo* error) {
  return error == nullptr ? nullptr : ShareError(*error);
}

}  // namespace presence
