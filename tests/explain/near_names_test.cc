#include "sim/explain/near_names.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Near(std::string asked, const std::vector<std::string>& seen) {
  NearNames names(asked);
  for (const std::string& name : seen) names.See(name);
  return names.Nearest();
}

TEST(NearNames, TheNearestComeFirstInTheOrderSeenAndFarOnesNotAtAll) {
  EXPECT_THAT(Near("fran", {"erin", "bob", "frank", "Fran", "frnak", "fran-2"}),
              ElementsAre("frank", "Fran", "fran-2"));
  EXPECT_THAT(Near("fran", {"erin", "bob", "zoe", ""}), IsEmpty());
  EXPECT_THAT(Near("An", {"ann", "bo"}), ElementsAre("ann"));
}

TEST(NearNames, EachIsToldOnceHoweverOftenItIsSeen) {
  EXPECT_THAT(Near("ann", {"anne", "anna", "anne", "anne", "anna"}), ElementsAre("anne", "anna"));
}

TEST(NearNames, LongNamesAreComparedByTheirBeginnings) {
  const std::string tail(1'000, 'x');
  EXPECT_THAT(Near("customer-17" + tail, {"customer-18" + tail}),
              ElementsAre("customer-18" + tail));
  EXPECT_THAT(Near("a", {std::string(1 << 20, 'a')}), IsEmpty());
}

}  // namespace
}  // namespace presence::sim
