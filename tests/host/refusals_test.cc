#include "presence/host/internal/refusals.h"

#include <string>

#include "gtest/gtest.h"

namespace presence {

// Reaches what it needs to break.
struct RefusalsTestPeer {
  static size_t& BytesOf(Refusals& refusals) { return refusals.bytes_; }
};

namespace {

ErrorInfo Named(std::string message) { return MakeError(kNotPermitted, std::move(message)); }

TEST(Refusals, AreFoundByTheirSerials) {
  Refusals refusals;
  for (const int64_t serial : {3, 5, 9}) {
    refusals.Remember(serial, Named(std::to_string(serial)), {10, 100});
  }
  EXPECT_EQ(refusals.Find(5)->message, "5");
  for (const int64_t serial : {-1, 0, 4, 10}) EXPECT_EQ(refusals.Find(serial), nullptr);
  EXPECT_EQ(refusals.CheckInvariants(9), "");
  EXPECT_NE(refusals.CheckInvariants(8), "");
  refusals.Forget(4);
  refusals.Forget(5);
  EXPECT_EQ(refusals.Find(5), nullptr);
  EXPECT_EQ(refusals.all().size(), 2u);
  refusals.Remember(4, Named("four"), {10, 100});
  refusals.Remember(9, Named("nine"), {10, 100});
  EXPECT_EQ(refusals.Find(4)->message, "four");
  EXPECT_EQ(refusals.Find(9)->message, "nine");
  EXPECT_EQ(refusals.all().size(), 3u);
  EXPECT_EQ(refusals.CheckInvariants(9), "");
}

TEST(Refusals, TheOldestIsForgottenFirstByNumberAndByBytesAndTheLatestNever) {
  Refusals refusals;
  for (int64_t serial = 0; serial < 1'000; ++serial) {
    refusals.Remember(serial, Named("1234"), {3, 100});
    ASSERT_EQ(refusals.CheckInvariants(serial), "");
    ASSERT_LE(refusals.all().size(), 3u);
  }
  EXPECT_EQ(refusals.all().front().msg_serial, 997);
  refusals.Remember(1'000, Named("1234"), {100, 8});
  EXPECT_EQ(refusals.all().size(), 2u);
  refusals.Remember(1'001, Named("123456789"), {100, 8});
  EXPECT_EQ(refusals.all().size(), 1u);
  EXPECT_NE(refusals.Find(1'001), nullptr);
  refusals.Remember(1'002, Named(""), {0, 8});
  EXPECT_EQ(refusals.Find(1'002), nullptr) << "none at all";
}

TEST(Refusals, TextsOfCausesCount) {
  Refusals refusals;
  const ErrorInfo error = MakeError(kNotPermitted, "1234", ShareError(Named("5678")));
  refusals.Remember(0, error, {10, 8});
  refusals.Remember(1, error, {10, 8});
  EXPECT_EQ(refusals.all().size(), 1u);
}

TEST(Refusals, AreTakenAsTheyWereExported) {
  Refusals refusals;
  refusals.Remember(1, Named("a"), {10, 100});
  refusals.Remember(2, Named("b"), {10, 100});
  Refusals restored;
  restored.Assign(refusals.all());
  EXPECT_EQ(restored.CheckInvariants(2), "");
  EXPECT_EQ(restored.Find(2)->message, "b");
}

TEST(Refusals, BytesThatAreMiscountedAreSeen) {
  Refusals refusals;
  refusals.Remember(1, Named("why"), {10, 100});
  ASSERT_EQ(refusals.CheckInvariants(1), "");
  ++RefusalsTestPeer::BytesOf(refusals);
  EXPECT_EQ(refusals.CheckInvariants(1), "the texts of refusals are miscounted");
}

}  // namespace
}  // namespace presence
