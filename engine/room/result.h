#ifndef PRESENCE_ROOM_RESULT_H_
#define PRESENCE_ROOM_RESULT_H_

#include <optional>
#include <utility>
#include <variant>

#include "absl/base/attributes.h"
#include "presence/base/internal/check.h"
#include "presence/error.h"

namespace presence {

// What a call of the room gave: a value, or the reason why there is none.
//
//   if (members.ok()) Show(*members); else Complain(members.error().message);
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : result_(std::move(value)) {}          // NOLINT: returning a value reads well
  Result(ErrorInfo error) : result_(std::move(error)) {}  // NOLINT: as does returning an error

  bool ok() const { return std::holds_alternative<T>(result_); }
  // REQUIRES: ok().
  const T& value() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    PRESENCE_CHECK(ok());
    return *std::get_if<T>(&result_);
  }
  T& value() ABSL_ATTRIBUTE_LIFETIME_BOUND {
    PRESENCE_CHECK(ok());
    return *std::get_if<T>(&result_);
  }
  const T& operator*() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return value(); }
  T& operator*() ABSL_ATTRIBUTE_LIFETIME_BOUND { return value(); }
  const T* operator->() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return &value(); }
  T* operator->() ABSL_ATTRIBUTE_LIFETIME_BOUND { return &value(); }
  // REQUIRES: !ok().
  const ErrorInfo& error() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    PRESENCE_CHECK(!ok());
    return *std::get_if<ErrorInfo>(&result_);
  }

 private:
  std::variant<T, ErrorInfo> result_;
};

// The same for calls that give nothing but their success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;                                    // success
  Result(ErrorInfo error) : error_(std::move(error)) {}  // NOLINT: returning an error reads well

  bool ok() const { return !error_.has_value(); }
  // REQUIRES: !ok().
  const ErrorInfo& error() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    PRESENCE_CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<ErrorInfo> error_;
};

}  // namespace presence

#endif  // PRESENCE_ROOM_RESULT_H_
