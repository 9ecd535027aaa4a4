#include "presence/client/outbox.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace presence {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

template <typename Entries>
std::string Text(const Entries& entries) {
  std::string text;
  for (const Outbox::Entry& entry : entries) {
    text += (text.empty() ? "" : " ") + std::to_string(entry.msg_serial) + "=" +
            std::to_string(entry.channel) + "#" + std::to_string(entry.token);
  }
  return text;
}

TEST(Outbox, RTN7bSerialsCountTheFramesOfAllChannelsFrom0) {
  Outbox outbox;
  EXPECT_EQ(outbox.Send(1, 10), 0);
  EXPECT_EQ(outbox.Send(2, 10), 1);
  EXPECT_EQ(outbox.Send(1, 11), 2);
  EXPECT_EQ(Text(outbox.unacknowledged()), "0=1#10 1=2#10 2=1#11");
}

TEST(Outbox, RTN7bSerialsGoOnAfterWhatElseTheOwnerSends) {
  Outbox outbox;
  outbox.Skip(0);
  EXPECT_EQ(outbox.Send(1, 10), 1);
  outbox.Skip(7);
  EXPECT_EQ(outbox.Send(1, 11), 8);
  outbox.Skip(3);
  EXPECT_EQ(outbox.Send(1, 12), 9);
  outbox.Skip(-1);
  EXPECT_EQ(outbox.Send(1, 13), 10);
}

TEST(Outbox, AcknowledgingCompletesExactlyWhatIsCovered) {
  Outbox outbox;
  for (OperationToken token = 0; token < 5; ++token) outbox.Send(1, token);
  EXPECT_EQ(Text(outbox.Acknowledge(1, 2)), "1=1#1 2=1#2");
  EXPECT_EQ(Text(outbox.unacknowledged()), "0=1#0 3=1#3 4=1#4");
  EXPECT_EQ(Text(outbox.Acknowledge(0, 1)), "0=1#0");
  EXPECT_EQ(outbox.unknown_acknowledged(), 0u);
  EXPECT_EQ(Text(outbox.Acknowledge(0, 10)), "3=1#3 4=1#4");
  EXPECT_EQ(outbox.unknown_acknowledged(), 8u);
}

TEST(Outbox, UnknownSerialsAreCountedAndIgnored) {
  Outbox outbox;
  outbox.Send(1, 10);
  EXPECT_EQ(Text(outbox.Acknowledge(5, 1)), "");
  EXPECT_EQ(outbox.unknown_acknowledged(), 1u);
  outbox.Acknowledge(0, 1);
  EXPECT_EQ(Text(outbox.Acknowledge(0, 1)), "") << "acknowledged before";
  EXPECT_EQ(outbox.unknown_acknowledged(), 2u);
}

TEST(Outbox, ACountThatIsNotPositiveCoversNothing) {
  Outbox outbox;
  outbox.Send(1, 10);
  EXPECT_EQ(Text(outbox.Acknowledge(0, 0)), "");
  EXPECT_EQ(Text(outbox.Acknowledge(0, -1)), "");
  EXPECT_EQ(outbox.unknown_acknowledged(), 0u);
  EXPECT_EQ(Text(outbox.unacknowledged()), "0=1#10");
}

TEST(Outbox, SerialsAtTheEndsOfTheirRangeDoNoHarm) {
  Outbox outbox;
  outbox.Send(1, 10);
  EXPECT_EQ(Text(outbox.Acknowledge(kMax, kMax)), "");
  EXPECT_EQ(Text(outbox.Acknowledge(std::numeric_limits<int64_t>::min(), kMax)), "");
  EXPECT_EQ(Text(outbox.Acknowledge(-1, 1)), "");
  EXPECT_EQ(Text(outbox.Acknowledge(-1, 2)), "0=1#10");
  outbox.Skip(kMax - 1);
  EXPECT_EQ(outbox.Send(1, 11), kMax);
  EXPECT_EQ(outbox.Send(1, 12), kMax) << "no serial overflows";
  outbox.Skip(kMax);
  EXPECT_EQ(outbox.Send(1, 13), kMax);
  EXPECT_EQ(outbox.Acknowledge(kMax, 1).size(), 3u);
}

TEST(Outbox, RTN7eWhatIsForgottenIsUnknownAndTheSerialsGoOn) {
  Outbox outbox;
  outbox.Send(1, 10);
  outbox.Send(2, 10);
  outbox.Send(1, 11);
  outbox.ForgetIf([](const Outbox::Entry& entry) { return entry.channel == 1; });
  EXPECT_EQ(Text(outbox.unacknowledged()), "1=2#10");
  EXPECT_EQ(Text(outbox.Acknowledge(0, 3)), "1=2#10");
  EXPECT_EQ(outbox.unknown_acknowledged(), 2u);
  EXPECT_EQ(outbox.Send(1, 12), 3);
}

TEST(Outbox, ANewConnectionBeginsAt0) {
  Outbox outbox;
  outbox.Send(1, 10);
  outbox.Send(1, 11);
  outbox.Restart();
  EXPECT_TRUE(outbox.unacknowledged().empty());
  EXPECT_EQ(outbox.Send(1, 12), 0);
}

}  // namespace
}  // namespace presence
