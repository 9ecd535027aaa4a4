#include "presence/members/internal/sync_tracker.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace presence {
namespace {

// Takes a page and says what it did, as the channel would carry it out.
std::string Do(SyncTracker& sync, std::string_view channel_serial) {
  const SyncTracker::Page page = sync.OnPage(channel_serial);
  std::string text;
  if (page.late) text += "late ";
  if (page.discards) text += "discards ";
  if (page.starts) text += "starts ";
  if (page.ends) {
    text += "ends ";
    sync.Complete();
  }
  if (!text.empty()) text.pop_back();
  return text;
}

TEST(SyncTracker, NothingRunsAtFirst) {
  const SyncTracker sync;
  EXPECT_FALSE(sync.running());
  EXPECT_EQ(sync.id(), "");
}

TEST(SyncTracker, RTP18aAPageStartsASyncIfNoneRuns) {
  SyncTracker sync;
  EXPECT_EQ(Do(sync, "s1:x"), "starts");
  EXPECT_TRUE(sync.running());
  EXPECT_EQ(sync.id(), "s1");
  EXPECT_EQ(Do(sync, "s1:y"), "");
}

TEST(SyncTracker, RTP18bAnEmptyCursorIsTheLastPage) {
  SyncTracker sync;
  Do(sync, "s1:x");
  EXPECT_EQ(Do(sync, "s1:"), "ends");
  EXPECT_FALSE(sync.running());
  EXPECT_EQ(sync.id(), "");
}

TEST(SyncTracker, NoColonIsTheLastPage) {
  SyncTracker sync;
  Do(sync, "s1:x");
  EXPECT_EQ(Do(sync, "s1"), "ends");
  EXPECT_EQ(Do(sync, "s2"), "starts ends");
}

TEST(SyncTracker, RTP18cNoSerialIsACompleteSync) {
  SyncTracker sync;
  EXPECT_EQ(Do(sync, ""), "starts ends");
  EXPECT_EQ(Do(sync, ""), "starts ends");
}

TEST(SyncTracker, RTP18cNoSerialWhileOneWithAnIdRunsIsASyncOfItsOwn) {
  SyncTracker sync;
  Do(sync, "s1:x");
  EXPECT_EQ(Do(sync, ""), "discards starts ends");
  EXPECT_EQ(Do(sync, "s1:y"), "late");
  EXPECT_FALSE(sync.running());
}

TEST(SyncTracker, TheSerialIsSplitAtTheFirstColon) {
  SyncTracker sync;
  EXPECT_EQ(Do(sync, "s1:a:b:"), "starts");
  EXPECT_EQ(sync.id(), "s1");
  EXPECT_EQ(Do(sync, "s1:::"), "");
  EXPECT_EQ(Do(sync, "s1:"), "ends");
}

TEST(SyncTracker, IdsMayHoldAnyOtherByte) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view id : {"a-b"sv, "s.1="sv, "s 1"sv, "s/+_"sv, "s\0t"sv, "\xff"sv}) {
    SyncTracker sync;
    const std::string first = std::string(id) + ":x";
    EXPECT_EQ(Do(sync, first), "starts");
    EXPECT_EQ(sync.id(), id);
    EXPECT_EQ(Do(sync, std::string(id) + ":y"), "");
    EXPECT_EQ(Do(sync, std::string(id) + ":"), "ends");
  }
}

TEST(SyncTracker, RTP18aAnotherIdDiscardsTheRunningSync) {
  SyncTracker sync;
  Do(sync, "s1:x");
  EXPECT_EQ(Do(sync, "s2:x"), "discards starts");
  EXPECT_EQ(sync.id(), "s2");
  EXPECT_EQ(Do(sync, "s3:"), "discards starts ends");
}

TEST(SyncTracker, AnAnnouncedSyncAdoptsTheIdOfItsFirstPage) {
  SyncTracker sync;
  sync.Announce();
  EXPECT_TRUE(sync.running());
  EXPECT_EQ(sync.id(), "");
  EXPECT_EQ(Do(sync, "s1:x"), "");
  EXPECT_EQ(sync.id(), "s1");
  EXPECT_EQ(Do(sync, "s2:x"), "discards starts");
}

TEST(SyncTracker, AnAnnouncedSyncMayEndWithItsFirstPage) {
  SyncTracker sync;
  sync.Announce();
  EXPECT_EQ(Do(sync, "s1:"), "ends");
  sync.Announce();
  EXPECT_EQ(Do(sync, ""), "ends");
}

TEST(SyncTracker, APageOfTheSyncThatCompletedLastIsLate) {
  SyncTracker sync;
  Do(sync, "s1:");
  EXPECT_EQ(Do(sync, "s1:x"), "late");
  EXPECT_EQ(Do(sync, "s1:"), "late");
  EXPECT_FALSE(sync.running());
  Do(sync, "s2:x");
  EXPECT_EQ(Do(sync, "s1:"), "late");
  EXPECT_EQ(sync.id(), "s2");
  Do(sync, "s2:");
  EXPECT_EQ(Do(sync, "s2:"), "late");
  EXPECT_EQ(Do(sync, "s1:"), "starts ends") << "only the last one is remembered";
}

TEST(SyncTracker, APageOfTheSyncThatWasDiscardedLastIsLate) {
  SyncTracker sync;
  Do(sync, "s1:x");
  Do(sync, "s2:x");
  EXPECT_EQ(Do(sync, "s1:y"), "late");
  EXPECT_EQ(Do(sync, "s1:"), "late");
  EXPECT_EQ(sync.id(), "s2");
  Do(sync, "s3:x");
  EXPECT_EQ(Do(sync, "s2:"), "late");
  EXPECT_EQ(Do(sync, "s1:x"), "discards starts") << "only the last one is remembered";
}

TEST(SyncTracker, ACompletedAndADiscardedSyncAreRememberedAtOnce) {
  SyncTracker sync;
  Do(sync, "s1:");
  Do(sync, "s2:x");
  Do(sync, "s3:x");
  EXPECT_EQ(Do(sync, "s1:"), "late");
  EXPECT_EQ(Do(sync, "s2:"), "late");
  EXPECT_EQ(Do(sync, "s3:"), "ends");
}

TEST(SyncTracker, ATruncatedIdIsAnotherId) {
  SyncTracker sync;
  Do(sync, "s12:x");
  EXPECT_EQ(Do(sync, "s1:x"), "discards starts");
}

TEST(SyncTracker, AnAnnouncementForgetsTheIdsThatMakeAPageLate) {
  SyncTracker sync;
  Do(sync, "s1:");
  Do(sync, "s2:x");
  Do(sync, "s3:x");
  sync.Announce();
  EXPECT_EQ(sync.id(), "");
  EXPECT_EQ(Do(sync, "s1:x"), "");
  sync.Announce();
  EXPECT_EQ(Do(sync, "s2:x"), "");
  EXPECT_EQ(sync.id(), "s2");
}

TEST(SyncTracker, AResetForgetsEverything) {
  SyncTracker sync;
  Do(sync, "s1:");
  Do(sync, "s2:x");
  Do(sync, "s3:x");
  sync.Reset();
  EXPECT_FALSE(sync.running());
  EXPECT_EQ(sync.id(), "");
  EXPECT_EQ(Do(sync, "s3:x"), "starts");
  sync.Reset();
  EXPECT_EQ(Do(sync, "s1:x"), "starts");
  sync.Reset();
  EXPECT_EQ(Do(sync, "s2:x"), "starts");
}

TEST(SyncTrackerDeathTest, OnlyARunningSyncCanComplete) {
  SyncTracker sync;
  EXPECT_DEATH(sync.Complete(), "check failed");
}

}  // namespace
}  // namespace presence
