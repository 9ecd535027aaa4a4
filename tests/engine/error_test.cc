#include "presence/error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace presence {
namespace {

// An error with so many causes; they are called "1" to `causes`, the deepest last.
ErrorInfo WithCauses(size_t causes) {
  SharedError cause;
  for (size_t i = causes; i > 0; --i) {
    cause = std::make_shared<const ErrorInfo>(
        ErrorInfo{static_cast<int64_t>(i), 400, std::to_string(i), std::move(cause)});
  }
  return ErrorInfo{-1, 500, "the error", std::move(cause)};
}

TEST(Error, TextHasTheCauses) {
  EXPECT_EQ(ErrorText(MakeError(kSetFull, "full")), "91003 full");
  EXPECT_EQ(ErrorText(WithCauses(2)), "-1 the error, because 1 1, because 2 2");
  EXPECT_EQ(ErrorText(ErrorInfo{50000, 500, "", nullptr}), "50000");
}

size_t CausesOf(const ErrorInfo& error) {
  size_t count = 0;
  for (const ErrorInfo* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) {
    ++count;
    EXPECT_EQ(cause->code, static_cast<int64_t>(count));
    EXPECT_EQ(cause->status_code, 400);
    EXPECT_EQ(cause->message, std::to_string(count));
  }
  return count;
}

TEST(Error, OfTheEnginesOwnHasItsStatus) {
  EXPECT_EQ(MakeError(kChannelState, "m").status_code, 400);
  EXPECT_EQ(MakeError(kTooManyRequests, "m").status_code, 429);
  EXPECT_EQ(MakeError(kNotPermitted, "m").status_code, 401);
  EXPECT_EQ(MakeError(kOtherIdentity, "m").status_code, 401);
  EXPECT_EQ(MakeError(kTokenExpired, "m").status_code, 401);
  EXPECT_EQ(MakeError(kNoAnswer, "m").status_code, 408);
  EXPECT_EQ(MakeError(kConnectionDisconnected, "m").status_code, 503);
}

TEST(Error, CausesAreCutWhereAnErrorIsMadeOrShared) {
  for (const size_t causes : {size_t{0}, size_t{1}, kMaxCauses, kMaxCauses + 1, size_t{1000}}) {
    const size_t kept = std::min(causes, kMaxCauses);
    const ErrorInfo error = WithCauses(causes);
    const ErrorInfo cut = WithCausesCut(error);
    EXPECT_EQ(CausesOf(cut), kept);
    EXPECT_EQ(cut.code, -1);
    EXPECT_EQ(cut.status_code, 500);
    EXPECT_EQ(cut.message, "the error");
    EXPECT_EQ(CausesOf(*ShareError(error)), kept);
    EXPECT_EQ(CausesOf(*ShareError(&error)), kept);
    EXPECT_EQ(CausesOf(MakeError(kReentryFailed, "m", error.cause)), kept);
    EXPECT_EQ(CausesOf(error), causes);  // shared errors are never written
  }
}

TEST(Error, CausesThatAreNotTooManyAreSharedAndNotCopied) {
  const ErrorInfo error = WithCauses(kMaxCauses);
  EXPECT_EQ(WithCausesCut(error).cause, error.cause);
  EXPECT_EQ(MakeError(kReentryFailed, "m", error.cause).cause, error.cause);
}

TEST(Error, OfAnErrorOfAnErrorAndSoOnAtMostTheLatestAreKept) {
  ErrorInfo error = MakeError(kRefused, "0");
  for (int i = 1; i <= 10'000; ++i) {
    error = MakeError(kReentryFailed, std::to_string(i), ShareError(std::move(error)));
  }
  size_t causes = 0;
  const ErrorInfo* deepest = &error;
  for (; deepest->cause != nullptr; deepest = deepest->cause.get()) ++causes;
  EXPECT_EQ(causes, kMaxCauses);
  EXPECT_EQ(deepest->message, std::to_string(10'000 - kMaxCauses));
}

}  // namespace
}  // namespace presence
