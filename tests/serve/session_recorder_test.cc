// Sessions as files: whose they are, what their names may be, and that they are never too many.

#include "tools/serve/session_recorder.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class SessionRecorderTest : public ::testing::Test {
 protected:
  SessionRecorderTest() {
    static int count = 0;
    options_.folder =
        ::testing::TempDir() + "/record" + std::to_string(getpid()) + "-" + std::to_string(++count);
    options_.tell = [this](const std::string& line) { told_.push_back(line); };
  }
  void Open() {
    recorder_ = nullptr;
    auto opened = SessionRecorder::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    recorder_ = *std::move(opened);
  }
  void Connected(TransportHandle to, const std::string& id, const std::string& client = "alice") {
    Sent(to, R"({"action":4,"connectionId":")" + id + R"(","connectionDetails":{"clientId":")" +
                 client + "\"}}");
  }
  void Sent(TransportHandle to, const std::string& frame) {
    recorder_->Sent({&to, 1}, TimestampFromMs(++now_ms_), wire::Format::kJson, frame);
  }
  void Received(TransportHandle from, const std::string& frame) {
    recorder_->Received(from, TimestampFromMs(++now_ms_), wire::Format::kJson, frame);
  }
  void Gone(TransportHandle transport) { recorder_->Gone(transport, TimestampFromMs(++now_ms_)); }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    DIR* const folder = opendir(options_.folder.c_str());
    while (const dirent* const entry = readdir(folder)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    closedir(folder);
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string Text(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(options_.folder + "/" + name).rdbuf();
    return text.str();
  }
  uint64_t BytesThere() const {
    uint64_t bytes = 0;
    for (const std::string& name : Names()) bytes += Text(name).size();
    return bytes;
  }

  int64_t now_ms_ = 1'700'000'000'000;
  SessionRecorder::Options options_;
  std::vector<std::string> told_;
  std::unique_ptr<SessionRecorder> recorder_;
};

TEST_F(SessionRecorderTest, ASessionIsAFileThatGoesOnWhenItsConnectionIsResumed) {
  Open();
  Received(1, R"({"action":10,"channel":"too early"})");
  Connected(1, "c1");
  Received(1, "{\"action\":10,\n \"channel\":\"room\"}");
  Connected(2, "c2", "bob");
  Gone(1);
  Sent(1, R"({"action":0})");
  Connected(3, "c1");
  Sent(3, R"({"action":8})");
  Gone(3);
  const std::vector<std::string> names = Names();
  ASSERT_THAT(names, SizeIs(2));
  EXPECT_EQ(
      Text(names[0]),
      R"({"t":1700000000002,"recv":{"action":4,"connectionId":"c1","connectionDetails":{"clientId":"alice"}}})"
      "\n"
      R"({"t":1700000000003,"send":{"action":10,  "channel":"room"}})"
      "\n"
      R"({"t":1700000000005,"connection":{"state":"disconnected"}})"
      "\n"
      R"({"t":1700000000007,"recv":{"action":4,"connectionId":"c1","connectionDetails":{"clientId":"alice"}}})"
      "\n"
      R"({"t":1700000000008,"recv":{"action":8}})"
      "\n");
  struct stat about {};
  ASSERT_EQ(stat((options_.folder + "/" + names[0]).c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u) << "it has keys";
  ASSERT_EQ(stat(options_.folder.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u) << "names have clients' ids";
}

TEST_F(SessionRecorderTest, WhoTakesAConnectionOverEndsItsOldTransport) {
  Open();
  Connected(1, "c1");
  Connected(2, "c1");
  Gone(1);
  Sent(2, R"({"action":0})");
  ASSERT_THAT(Names(), SizeIs(1));
  EXPECT_THAT(Text(Names()[0]), HasSubstr(R"("state":"disconnected"}})"));
  EXPECT_THAT(Text(Names()[0]), HasSubstr(R"("recv":{"action":0}})"));
}

TEST_F(SessionRecorderTest, WhatSomebodyCallsHimselfIsNoPath) {
  Open();
  Connected(1, "c1", "../../etc/passwd");
  Connected(2, "c2", std::string(500, 'x'));
  Connected(3, "c3", "");
  Connected(4, "c4", "a\\u0000b\\n\xC3\xA9");
  EXPECT_THAT(Names(), SizeIs(4));
  EXPECT_THAT(Names()[0], HasSubstr("-______etc_passwd-c1.jsonl"));
  EXPECT_LT(Names()[1].size(), 100u);
  EXPECT_THAT(Names()[2], HasSubstr("-nobody-c3.jsonl"));
}

TEST_F(SessionRecorderTest, MessagePackIsWrittenAsItsJson) {
  using namespace std::string_literals;
  Open();
  Connected(1, "c1");
  recorder_->Received(1, TimestampFromMs(1), wire::Format::kMessagePack,
                      "\x82\xA6"
                      "action\0\xA2id\xA1h"s);
  EXPECT_THAT(Text(Names()[0]), HasSubstr(R"({"t":1,"send":{"action":0,"id":"h"}})"));
}

TEST_F(SessionRecorderTest, OfTooManyFilesTheOldestWhoseClientIsGoneMakesRoom) {
  options_.max_files = 3;
  Open();
  for (TransportHandle i = 1; i <= 3; ++i) Connected(i, "c" + std::to_string(i));
  Connected(4, "c4");
  EXPECT_EQ(recorder_->stats().skipped, 1u) << "all are connected";
  Gone(2);
  Gone(3);
  Connected(5, "c5");
  EXPECT_THAT(Names(), ElementsAre(HasSubstr("-c1."), HasSubstr("-c3."), HasSubstr("-c5.")));
  // The next process keeps to it, too, and leaves alone what is not its own.
  std::ofstream(options_.folder + "/notes.jsonl") << "mine";
  options_.max_files = 1;
  Open();
  EXPECT_THAT(Names(), ElementsAre(HasSubstr("-c5."), "notes.jsonl"));
  EXPECT_EQ(recorder_->files(), 1u);
}

TEST_F(SessionRecorderTest, BytesHaveABoundOfOneAndOfAll) {
  options_.max_file_bytes = 2'000;
  options_.max_bytes = 5'000;
  Open();
  const std::string frame = R"({"action":0,"id":")" + std::string(200, 'x') + "\"}";
  for (TransportHandle i = 1; i <= 10; ++i) {
    Connected(i, "c" + std::to_string(i));
    for (int k = 0; k < 20; ++k) Sent(i, frame);
    EXPECT_LE(BytesThere(), 5'000u);
    EXPECT_EQ(BytesThere(), recorder_->bytes());
    for (const std::string& name : Names()) {
      EXPECT_LE(Text(name).size(), 2'000u);
      EXPECT_EQ(Text(name).back(), '\n');
    }
    Gone(i);
  }
  EXPECT_EQ(recorder_->stats().cut, 10u);
  EXPECT_GT(recorder_->stats().removed, 5u);
  // A session that was cut begins anew when it connects again.
  const size_t sessions = recorder_->stats().sessions;
  Connected(11, "c10");
  EXPECT_EQ(recorder_->stats().sessions, sessions + 1);
}

TEST_F(SessionRecorderTest, AFullDiskEndsItWithAWordAndWholeLines) {
  Open();
  Connected(1, "c1");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 1'000;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string frame = R"({"action":0,"id":")" + std::string(300, 'x') + "\"}";
  for (int i = 0; i < 10; ++i) Sent(1, frame);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(recorder_->has_ended());
  EXPECT_THAT(told_, ElementsAre(HasSubstr("no sessions are recorded any more")));
  Sent(1, frame);
  Received(1, frame);
  Connected(2, "c2");
  Gone(1);
  ASSERT_THAT(Names(), SizeIs(1));
  EXPECT_EQ(Text(Names()[0]).back(), '\n');
  EXPECT_LT(Text(Names()[0]).size(), 1'000u);
}

TEST_F(SessionRecorderTest, AFolderThatCannotBeWrittenIsSaid) {
  options_.folder = "/no/such/place";
  EXPECT_THAT(SessionRecorder::Open(options_).status().ToString(),
              HasSubstr("cannot make the folder /no/such/place: No such file"));
  options_.folder = ::testing::TempDir() + "/no_folder";
  std::ofstream(options_.folder) << "a letter";
  EXPECT_THAT(SessionRecorder::Open(options_).status().ToString(),
              HasSubstr("it is a file, where a folder is to be"));
}

}  // namespace
}  // namespace presence::serve
