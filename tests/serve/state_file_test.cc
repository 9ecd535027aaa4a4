// What is kept on disk: read again as it was, and refused where it is not.

#include "tools/serve/state_file.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

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

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kPage = 4096;

std::string Slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}
void Spill(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}
bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

struct Contents {
  absl::Status status;
  StateFile::Kept kept;
  std::vector<InputRecord> inputs;
};
Contents ReadAll(StateFile& file) {
  Contents contents;
  contents.status = file.Read(
      [&](const StateFile::Kept& kept) {
        contents.kept = kept;
        return absl::OkStatus();
      },
      [&](const InputRecord& input) {
        contents.inputs.push_back(input);
        return absl::OkStatus();
      });
  return contents;
}

std::vector<InputRecord> Inputs(int count, size_t bytes = 20) {
  std::vector<InputRecord> inputs;
  for (int i = 0; i < count; ++i) {
    inputs.push_back({TimestampFromMs(1'000 + i), "frame", static_cast<TransportHandle>(i),
                      std::to_string(i) + std::string(bytes, static_cast<char>('a' + i % 26))});
  }
  return inputs;
}

class StateFileTest : public ::testing::Test {
 protected:
  StateFileTest() {
    static int count = 0;
    path_ = ::testing::TempDir() + "/state" + std::to_string(getpid()) + "-" +
            std::to_string(++count) + ".db";
  }
  std::unique_ptr<StateFile> Open() {
    auto file = StateFile::Open(path_);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : nullptr;
  }
  // What opening or reading it says.
  absl::Status Check() {
    auto file = StateFile::Open(path_);
    return file.ok() ? ReadAll(**file).status : file.status();
  }
  void Sql(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  // A file with an export of several pieces and some inputs, closed.
  void Fill() {
    const auto file = Open();
    ASSERT_TRUE(file->Write({"options", std::string(3 << 20, 's'), Inputs(3)}).ok());
    ASSERT_TRUE(file->Write({"", "", Inputs(5)}).ok());
  }

  std::string path_;
};

TEST_F(StateFileTest, WhatWasWrittenIsReadAgain) {
  std::vector<InputRecord> all = Inputs(3);
  all[1].body = std::string("\0\xff'", 3);
  all[2].transport = ~TransportHandle{0};
  all[2].body = "";
  {
    const auto file = Open();
    EXPECT_EQ(ReadAll(*file).kept.snapshot, "");
    ASSERT_TRUE(file->Write({"options", "snapshot", {}}).ok());
    ASSERT_TRUE(file->Write({"", "", {all[0]}}).ok());
    ASSERT_TRUE(file->Write({"", "", {all[1], all[2]}}).ok());
  }
  const auto file = Open();
  const Contents contents = ReadAll(*file);
  ASSERT_TRUE(contents.status.ok()) << contents.status;
  EXPECT_EQ(contents.kept.options, "options");
  EXPECT_EQ(contents.kept.snapshot, "snapshot");
  EXPECT_EQ(contents.inputs, all);
}

TEST_F(StateFileTest, AnExportTakesThePlaceOfAllBeforeIt) {
  {
    const auto file = Open();
    ASSERT_TRUE(file->Write({"options", "first", Inputs(9)}).ok());
    ASSERT_TRUE(file->Write({"options", std::string(5'000'000, 'x'), Inputs(2)}).ok());
    ASSERT_TRUE(file->Write({"", "", Inputs(1)}).ok());
  }
  const Contents contents = ReadAll(*Open());
  ASSERT_TRUE(contents.status.ok()) << contents.status;
  EXPECT_EQ(contents.kept.snapshot, std::string(5'000'000, 'x'));
  EXPECT_EQ(contents.inputs.size(), 3u);
}

TEST_F(StateFileTest, NobodyElseMayReadIt) {
  const auto file = Open();
  ASSERT_TRUE(file->Write({"options", "snapshot", Inputs(1)}).ok());
  for (const char* suffix : {"", "-wal", "-count"}) {
    struct stat about {};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &about), 0) << suffix;
    EXPECT_EQ(about.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(StateFileTest, ACopyThatOthersMayReadIsClosedToThem) {
  ASSERT_TRUE(Open()->Write({"options", "snapshot", Inputs(1)}).ok());
  Spill(path_ + "-count", "");
  for (const char* suffix : {"", "-count"}) {
    ASSERT_EQ(chmod((path_ + suffix).c_str(), 0644), 0) << suffix;
  }
  const auto file = Open();
  ASSERT_TRUE(ReadAll(*file).status.ok());
  ASSERT_TRUE(file->Write({"", "", Inputs(1)}).ok());
  for (const char* suffix : {"", "-wal", "-count"}) {
    struct stat about {};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &about), 0) << suffix;
    EXPECT_EQ(about.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(StateFileTest, IsWrittenThroughToTheDiskAndAsALogInFront) {
  // Of a crash of the machine nothing can be seen here; what SQLite was asked for can.
  const auto file = Open();
  ASSERT_TRUE(file->Write({"options", "snapshot", Inputs(1)}).ok());
  EXPECT_TRUE(Exists(path_ + "-wal"));
  EXPECT_EQ(file->synchronous(), 2) << "FULL";
}

// The log as it is when the server is killed after `transactions`, each with its size from there.
class StateLogTest : public StateFileTest {
 protected:
  StateLogTest() {
    const auto file = Open();
    EXPECT_TRUE(file->Write({"options", "snapshot", {}}).ok());
    first_count_ = Slurp(path_ + "-count");
    for (int i = 0; i < 5; ++i) {
      ends_.push_back(Slurp(path_ + "-wal").size());
      EXPECT_TRUE(file->Write({"", "", Inputs(2, 3'000)}).ok());
    }
    database_ = Slurp(path_);
    log_ = Slurp(path_ + "-wal");
  }
  // Without a count unless given, as after the death of a machine.
  absl::Status CheckWith(const std::string& log, const std::string& count = "") {
    unlink((path_ + "-shm").c_str());
    unlink((path_ + "-count").c_str());
    if (!count.empty()) Spill(path_ + "-count", count);
    Spill(path_, database_);
    Spill(path_ + "-wal", log);
    return Check();
  }

  static constexpr size_t kHead = 32;
  static constexpr size_t kFrame = 24 + kPage;
  std::string database_;
  std::string log_;
  std::string first_count_;   // before the first transaction
  std::vector<size_t> ends_;  // of the log before each transaction but the first
};

TEST_F(StateLogTest, DamageBeforeTheLastTransactionIsRefused) {
  ASSERT_TRUE(CheckWith(log_).ok());
  // Of the commit before the last transaction only the page is known to be damaged.
  for (size_t frame = kHead; frame < ends_.back(); frame += kFrame) {
    const bool is_at_end = frame + kFrame == ends_.back();
    for (const size_t at : {size_t{0}, size_t{9}, size_t{17}, size_t{24}, kFrame - 1}) {
      if (is_at_end && at > 0 && at < 24) continue;
      std::string damaged = log_;
      damaged[frame + at] = static_cast<char>(damaged[frame + at] ^ 0x20);
      const absl::Status status = CheckWith(damaged);
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << frame << " " << at << status;
      EXPECT_THAT(std::string(status.message()),
                  AllOf(HasSubstr("is damaged (its log, at frame"), HasSubstr("-wal file beside")));
      ASSERT_EQ(Slurp(path_ + "-wal"), damaged) << "it is left as it was";
    }
  }
}

TEST_F(StateLogTest, ADamagedHeadIsRefused) {
  for (size_t at = 0; at < kHead; ++at) {
    std::string damaged = log_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_THAT(std::string(CheckWith(damaged).message()), HasSubstr("the head of its log")) << at;
  }
}

TEST_F(StateLogTest, AnEndThatWasCutIsNoDamage) {
  for (size_t size = 0; size <= log_.size(); size += kFrame / 3) {
    const absl::Status status = CheckWith(log_.substr(0, size));
    // Before the first transaction is whole the file is a new one.
    EXPECT_TRUE(status.ok()) << size << status;
  }
  // A machine that dies writes what it has in any order: of the last transaction, this is there.
  for (size_t frame = ends_.back(); frame < log_.size(); frame += kFrame) {
    std::string cut = log_;
    cut.replace(frame, kFrame, kFrame, '\0');
    EXPECT_TRUE(CheckWith(cut).ok()) << frame;
  }
}

TEST_F(StateLogTest, WhatAnEarlierLogHasLeftIsNoDamage) {
  // Once a log is long all of it is put into the database, and the next transaction is written from
  // its start on: over the first of what it was, which has another salt.
  {
    const auto file = Open();
    ASSERT_TRUE(ReadAll(*file).status.ok());
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(file->Write({"", "", Inputs(300, 5'000)}).ok());
    const size_t long_log = Slurp(path_ + "-wal").size();
    ASSERT_TRUE(file->Write({"", "", Inputs(2)}).ok());
    database_ = Slurp(path_);
    log_ = Slurp(path_ + "-wal");
    ASSERT_EQ(log_.size(), long_log) << "it has begun anew";
  }
  const auto salt = [&](size_t frame) { return log_.substr(kHead + frame * kFrame + 8, 8); };
  const size_t frames = (log_.size() - kHead) / kFrame;
  ASSERT_EQ(salt(0), log_.substr(16, 8));
  ASSERT_NE(salt(frames - 1), salt(0));
  EXPECT_TRUE(CheckWith(log_).ok()) << CheckWith(log_);
}

// Whatever SQLite takes for the end of its log: more than that was on the disk.
TEST_F(StateLogTest, WhatTheLogLacksAtItsEndIsMissedByTheCount) {
  const std::string count = Slurp(path_ + "-count");
  ASSERT_TRUE(CheckWith(log_, count).ok()) << CheckWith(log_, count);
  std::string damaged = log_;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  ASSERT_TRUE(CheckWith(damaged).ok());
  for (const std::string& log : {damaged, log_.substr(0, log_.size() - kFrame),
                                 log_.substr(0, ends_.back()), log_.substr(0, ends_[2])}) {
    const absl::Status status = CheckWith(log, count);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << log.size();
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(log.size() == ends_[2] ? "its last 6 inputs" : "its last 2 inputs"),
                      HasSubstr("-count: restore a copy")));
  }
  // A count that is behind, or is none, says nothing.
  for (const std::string& other :
       {first_count_, std::string(), count.substr(0, 10), std::string(count.size(), '\0'),
        count.substr(0, 10) + '9' + count.substr(11)}) {
    EXPECT_TRUE(CheckWith(log_.substr(0, ends_.back()), other).ok()) << other;
  }
}

TEST_F(StateFileTest, ACountIsNotOfTheDatabaseThatCameBefore) {
  Fill();
  ASSERT_TRUE(Exists(path_ + "-count"));
  unlink(path_.c_str());
  {
    const auto file = Open();
    ASSERT_TRUE(ReadAll(*file).status.ok());
    ASSERT_TRUE(file->Write({"options", "snapshot", Inputs(1)}).ok());
  }
  EXPECT_TRUE(Check().ok()) << Check();
  // One that goes on has the count go on.
  ASSERT_TRUE(ReadAll(*Open()).status.ok());
  {
    const auto file = Open();
    ASSERT_TRUE(ReadAll(*file).status.ok());
    ASSERT_TRUE(file->Write({"options", "snapshot", Inputs(2)}).ok());
  }
  EXPECT_THAT(Slurp(path_ + "-count"), HasSubstr("003 "));
}

TEST_F(StateFileTest, ASecondServerIsRefused) {
  const auto file = Open();
  EXPECT_THAT(StateFile::Open(path_).status().ToString(),
              AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("another server has it open")));
  ASSERT_TRUE(file->Write({"options", "snapshot", Inputs(1)}).ok());
  EXPECT_EQ(StateFile::Open(path_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(StateFileTest, WhatIsNoDatabaseIsRefusedAndLeftAsItIs) {
  const std::string text =
      "A letter to somebody, which is longer than the head of a database: " + std::string(200, '.');
  Spill(path_, text);
  EXPECT_THAT(Check().ToString(), AllOf(HasSubstr("DATA_LOSS"), HasSubstr("is no database")));
  EXPECT_EQ(Slurp(path_), text);
}

TEST_F(StateFileTest, AnotherProgramsDatabaseIsRefusedAndLeftAsItIs) {
  Sql("CREATE TABLE letters(text)");
  const std::string before = Slurp(path_);
  EXPECT_THAT(Check().ToString(), HasSubstr("is another program's database"));
  Sql("PRAGMA application_id=7");
  EXPECT_THAT(Check().ToString(), HasSubstr("is another program's database"));
  Sql("PRAGMA application_id=0");
  EXPECT_EQ(Slurp(path_).size(), before.size());
}

TEST_F(StateFileTest, ANewerVersionIsRefused) {
  Fill();
  Sql("PRAGMA user_version=2");
  EXPECT_THAT(Check().ToString(), HasSubstr("has version 2, and this server knows 1"));
}

TEST_F(StateFileTest, PathsThatCannotBeWrittenAreSaid) {
  path_ = ::testing::TempDir() + "/no/such/folder.db";
  EXPECT_THAT(Check().ToString(), AllOf(HasSubstr("folder.db to write: No such file")));
  path_ = ::testing::TempDir();
  EXPECT_THAT(Check().ToString(), HasSubstr("to write: Is a directory"));
  path_ = "/proc/version";
  EXPECT_FALSE(Check().ok());
}

// Pages of the database, one after the other, each with one bit of it turned.
TEST_F(StateFileTest, DamageIsNeverTakenForWhatWasWritten) {
  Fill();
  ASSERT_FALSE(Exists(path_ + "-wal")) << "all is in the database once it is closed";
  const std::string good = Slurp(path_);
  const Contents expected = ReadAll(*Open());
  ASSERT_TRUE(expected.status.ok()) << expected.status;
  ASSERT_GT(good.size(), 20 * kPage);
  int refused = 0;
  int harmless = 0;
  for (size_t page = 0; page < good.size(); page += (page < 8 * kPage ? kPage : 97 * kPage)) {
    for (size_t at = 1; at < kPage; at += 101) {
      std::string damaged = good;
      damaged[page + at] = static_cast<char>(damaged[page + at] ^ (1 << (at % 8)));
      Spill(path_, damaged);
      auto file = StateFile::Open(path_);
      if (!file.ok()) {
        ++refused;
        continue;
      }
      const Contents contents = ReadAll(**file);
      if (contents.status.ok()) {
        // A bit that nobody reads.
        ++harmless;
        EXPECT_EQ(contents.inputs, expected.inputs) << page << ' ' << at;
        EXPECT_EQ(contents.kept.snapshot, expected.kept.snapshot) << page << ' ' << at;
        EXPECT_EQ(contents.kept.options, expected.kept.options) << page << ' ' << at;
      } else {
        ++refused;
        EXPECT_THAT(contents.status.ToString(), HasSubstr(path_));
      }
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(harmless, 0);
}

TEST_F(StateFileTest, ATruncatedFileIsRefusedWithWhatToDo) {
  Fill();
  const std::string good = Slurp(path_);
  for (const size_t pages : {size_t{1}, size_t{3}, good.size() / kPage - 1}) {
    Spill(path_, good.substr(0, pages * kPage));
    EXPECT_THAT(Check().ToString(), AllOf(HasSubstr("damaged"), HasSubstr("restore a copy of it")))
        << pages;
  }
  Spill(path_, good.substr(0, 50));
  EXPECT_FALSE(Check().ok());
}

TEST_F(StateFileTest, InputsThatAreMissingOrChangedAreNoticed) {
  Fill();
  const std::string good = Slurp(path_);
  for (const char* sql : {
           "DELETE FROM input WHERE number=2",
           "UPDATE input SET body='x' WHERE number=3",
           "UPDATE input SET time=time+1 WHERE number=3",
           "UPDATE input SET kind='gone' WHERE number=3",
           "UPDATE input SET transport=9 WHERE number=3",
           "DELETE FROM export WHERE piece=2",
           "DELETE FROM export WHERE piece>0",
           "UPDATE export SET text='7' WHERE piece=0",
       }) {
    Spill(path_, good);
    Sql(sql);
    EXPECT_EQ(Check().code(), absl::StatusCode::kDataLoss) << sql;
  }
}

TEST_F(StateFileTest, AFullDiskIsSaidAndNothingOfTheTransactionIsThere) {
  const auto file = Open();
  ASSERT_TRUE(file->Write({"options", "snapshot", Inputs(2)}).ok());
  file->LimitPages(20);
  const absl::Status full = file->Write({"", "", Inputs(100, 10'000)});
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
  EXPECT_THAT(full.ToString(), HasSubstr("no room"));
  // Also of an export, which begins with deleting what there was.
  EXPECT_EQ(file->Write({"options", std::string(1 << 20, 's'), {}}).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadAll(*file).inputs.size(), 2u);
  file->LimitPages(1'000'000);
  ASSERT_TRUE(file->Write({"", "", Inputs(3)}).ok());
  const Contents contents = ReadAll(*file);
  EXPECT_TRUE(contents.status.ok()) << contents.status;
  EXPECT_EQ(contents.inputs.size(), 5u);
  EXPECT_EQ(contents.kept.snapshot, "snapshot");
}

}  // namespace
}  // namespace presence::serve
