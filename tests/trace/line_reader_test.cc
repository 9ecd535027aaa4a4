#include "sim/trace/line_reader.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/json/padded_text.h"
#include "gtest/gtest.h"
#include "tests/trace/gzip_file.h"

namespace presence::sim {
namespace {

// Hands out given chunks, one a read, then an error if there is one.
class ChunkSource : public ByteSource {
 public:
  explicit ChunkSource(std::vector<std::string> chunks, absl::Status error = absl::OkStatus())
      : chunks_(chunks.begin(), chunks.end()), error_(std::move(error)) {}
  absl::StatusOr<size_t> Read(char* to, size_t size) override {
    if (chunks_.empty()) {
      if (!error_.ok()) return std::exchange(error_, absl::OkStatus());
      return size_t{0};
    }
    std::string& chunk = chunks_.front();
    const size_t count = std::min(size, chunk.size());
    std::memcpy(to, chunk.data(), count);
    chunk.erase(0, count);
    if (chunk.empty()) chunks_.pop_front();
    return count;
  }

 private:
  std::deque<std::string> chunks_;
  absl::Status error_;
};

// Endless copies of one byte, as many as wanted, then a tail.
class LongSource : public ByteSource {
 public:
  LongSource(uint64_t bytes, std::string tail) : left_(bytes), tail_(std::move(tail)) {}
  absl::StatusOr<size_t> Read(char* to, size_t size) override {
    if (left_ > 0) {
      const size_t count = static_cast<size_t>(std::min<uint64_t>(size, left_));
      std::memset(to, 'x', count);
      left_ -= count;
      return count;
    }
    const size_t count = std::min(size, tail_.size());
    std::memcpy(to, tail_.data(), count);
    tail_.erase(0, count);
    return count;
  }

 private:
  uint64_t left_;
  std::string tail_;
};

std::vector<std::string> ReadAll(LineReader& reader) {
  std::vector<std::string> lines;
  std::string_view line;
  for (;;) {
    const absl::StatusOr<bool> more = reader.Next(line);
    if (!more.ok()) {
      lines.push_back("error: " + std::string(more.status().message()));
      if (!absl::IsResourceExhausted(more.status())) return lines;
      continue;
    }
    if (!*more) return lines;
    // The padding may be read; what it holds does not matter.
    volatile char last = line.data()[line.size() + json::kPadding - 1];
    static_cast<void>(last);
    lines.emplace_back(line);
  }
}

std::vector<std::string> LinesOf(std::string_view text) {
  LineReader reader(ReadMemory(text));
  return ReadAll(reader);
}

using Lines = std::vector<std::string>;

TEST(LineReaderTest, SplitsAtLineFeedsOnly) {
  EXPECT_EQ(LinesOf(""), Lines{});
  EXPECT_EQ(LinesOf("\n"), (Lines{""}));
  EXPECT_EQ(LinesOf("a\n\nb\n"), (Lines{"a", "", "b"}));
  EXPECT_EQ(LinesOf("a\r\nb\rc\n"), (Lines{"a\r", "b\rc"}));
  EXPECT_EQ(LinesOf(std::string_view("a\0b\n", 4)), (Lines{std::string("a\0b", 3)}));
}

TEST(LineReaderTest, ALastLineWithoutLineFeedCounts) {
  EXPECT_EQ(LinesOf("a\nb"), (Lines{"a", "b"}));
  EXPECT_EQ(LinesOf("a"), (Lines{"a"}));
  EXPECT_EQ(LinesOf("\r"), (Lines{"\r"}));
}

TEST(LineReaderTest, LinesMayBeSplitAcrossReadsAnywhere) {
  const std::string text = "first\nsecond, longer\n\nlast";
  for (size_t a = 0; a <= text.size(); ++a) {
    for (size_t b = a; b <= text.size(); ++b) {
      std::vector<std::string> chunks;
      for (const std::string& chunk : {text.substr(0, a), text.substr(a, b - a), text.substr(b)}) {
        if (!chunk.empty()) chunks.push_back(chunk);  // an empty read is the end
      }
      LineReader reader(std::make_unique<ChunkSource>(chunks));
      EXPECT_EQ(ReadAll(reader), (Lines{"first", "second, longer", "", "last"})) << a << " " << b;
    }
  }
}

TEST(LineReaderTest, LinesLongerThanTheBufferAreWhole) {
  const std::string large(1'000'000, 'a');
  const std::string larger(3'000'001, 'b');
  EXPECT_EQ(LinesOf("x\n" + large + "\n" + larger + "\ny\n" + large),
            (Lines{"x", large, larger, "y", large}));
}

TEST(LineReaderTest, NumbersLinesAndCountsBytes) {
  LineReader reader(ReadMemory("ab\n\ncd"));
  std::string_view line;
  EXPECT_EQ(reader.line_number(), 0u);
  ASSERT_TRUE(reader.Next(line).value());
  EXPECT_EQ(reader.line_number(), 1u);
  EXPECT_EQ(reader.bytes(), 3u);
  ASSERT_TRUE(reader.Next(line).value());
  ASSERT_TRUE(reader.Next(line).value());
  EXPECT_EQ(reader.line_number(), 3u);
  EXPECT_EQ(reader.bytes(), 6u);
  EXPECT_FALSE(reader.Next(line).value());
  EXPECT_FALSE(reader.Next(line).value());
  EXPECT_EQ(reader.line_number(), 3u);
}

TEST(LineReaderTest, TheLineAheadIsTheNextOneIfItHasBeenRead) {
  LineReader reader(
      std::make_unique<ChunkSource>(std::vector<std::string>{"a\nbc\nd", "e\n", "f"}));
  std::string_view line;
  EXPECT_EQ(reader.Ahead(), std::nullopt);
  for (const std::optional<std::string_view> ahead :
       {std::optional<std::string_view>("bc"), std::optional<std::string_view>(),
        std::optional<std::string_view>(), std::optional<std::string_view>()}) {
    ASSERT_TRUE(*reader.Next(line));
    const std::string kept(line);
    EXPECT_EQ(reader.Ahead(), ahead);
    EXPECT_EQ(reader.Ahead(), ahead) << "asked again";
    EXPECT_EQ(line, kept);
  }
  EXPECT_EQ(line, "f");
  EXPECT_EQ(reader.line_number(), 4u);
  EXPECT_EQ(reader.bytes(), 9u);
  EXPECT_FALSE(*reader.Next(line));
  EXPECT_EQ(reader.Ahead(), std::nullopt);
}

TEST(LineReaderTest, AskedBeforeEveryRead) {
  LineReader reader(std::make_unique<ChunkSource>(std::vector<std::string>{"a\nb\n", "c\n"}));
  int reads = 0;
  reader.OnRead([&reads] { ++reads; });
  std::string_view line;
  ASSERT_TRUE(reader.Next(line).value());
  EXPECT_EQ(reads, 1);
  ASSERT_TRUE(reader.Next(line).value());
  EXPECT_EQ(reads, 1);  // it was there already
  ASSERT_TRUE(reader.Next(line).value());
  EXPECT_EQ(reads, 2);
}

TEST(LineReaderTest, ALineOfTheLargestSizeIsReadAndALongerOneSkipped) {
  const std::string refused = "error: the line is longer than 64 MiB";
  {
    LineReader reader(std::make_unique<LongSource>(LineReader::kMaxLineBytes, "\nnext\n"));
    std::string_view line;
    ASSERT_TRUE(reader.Next(line).value());
    EXPECT_EQ(line.size(), LineReader::kMaxLineBytes);
    ASSERT_TRUE(reader.Next(line).value());
    EXPECT_EQ(line, "next");
  }
  LineReader reader(std::make_unique<LongSource>(LineReader::kMaxLineBytes + 1, "\nnext\n"));
  EXPECT_EQ(ReadAll(reader), (Lines{refused, "next"}));
  EXPECT_EQ(reader.line_number(), 2u);
  EXPECT_EQ(reader.bytes(), LineReader::kMaxLineBytes + 1 + 6);
  // Beyond what fits into the buffer, too, and as the last line.
  LineReader last(std::make_unique<LongSource>(2 * LineReader::kMaxLineBytes + 1, ""));
  EXPECT_EQ(ReadAll(last), (Lines{refused}));
}

TEST(LineReaderTest, AReadErrorEndsTheLinesButAnInterruptDoesNot) {
  LineReader broken(std::make_unique<ChunkSource>(std::vector<std::string>{"a\nhalf"},
                                                  absl::UnavailableError("cannot read: gone")));
  EXPECT_EQ(ReadAll(broken), (Lines{"a", "error: cannot read: gone"}));

  LineReader interrupted(std::make_unique<ChunkSource>(std::vector<std::string>{"a\nhalf"},
                                                       absl::CancelledError("interrupted")));
  std::string_view line;
  ASSERT_TRUE(interrupted.Next(line).value());
  EXPECT_TRUE(absl::IsCancelled(interrupted.Next(line).status()));
  ASSERT_TRUE(interrupted.Next(line).value());
  EXPECT_EQ(line, "half");
}

// --- Files ---

class OpenFileTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) {
    const char* const folder = std::getenv("TEST_TMPDIR");
    return (std::filesystem::path(folder != nullptr ? folder : "/tmp") / name).string();
  }
  std::string Write(const std::string& name, const std::string& content) {
    std::ofstream(Path(name), std::ios::binary) << content;
    return Path(name);
  }
  std::string WriteGzip(const std::string& name, const std::string& content) {
    testing::WriteGzip(Path(name), content);
    return Path(name);
  }
  Lines LinesOfFile(const std::string& path) {
    absl::StatusOr<std::unique_ptr<ByteSource>> source = OpenFile(path);
    if (!source.ok()) return {std::string(source.status().message())};
    LineReader reader(*std::move(source));
    return ReadAll(reader);
  }
};

TEST_F(OpenFileTest, PlainAndCompressed) {
  EXPECT_EQ(LinesOfFile(Write("plain.jsonl", "a\nb\n")), (Lines{"a", "b"}));
  EXPECT_EQ(LinesOfFile(WriteGzip("packed.jsonl.gz", "a\nb\n")), (Lines{"a", "b"}));
  // The name decides whether to decompress; what is not compressed is then taken as it is.
  EXPECT_EQ(LinesOfFile(Write("plain.jsonl.gz", "a\nb\n")), (Lines{"a", "b"}));
  EXPECT_EQ(LinesOfFile(Write("empty.jsonl", "")), Lines{});
  EXPECT_EQ(LinesOfFile(Write("empty.jsonl.gz", "")), Lines{});
}

TEST_F(OpenFileTest, PositionAndSize) {
  const std::string path = Write("sized.jsonl", "a\nbc\n");
  std::unique_ptr<ByteSource> source = OpenFile(path).value();
  EXPECT_EQ(source->total(), 5u);
  EXPECT_EQ(source->position(), 0u);
  char buffer[16];
  EXPECT_EQ(source->Read(buffer, sizeof buffer).value(), 5u);
  EXPECT_EQ(source->position(), 5u);
  EXPECT_EQ(ReadMemory("abc")->total(), 0u);
}

TEST_F(OpenFileTest, OfATruncatedFileWhatIsThereIsRead) {
  std::string content;
  for (int i = 0; i < 100'000; ++i) content += "line " + std::to_string(i * 7919 % 100'003) + "\n";
  const std::string path = WriteGzip("truncated.jsonl.gz", content);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  Lines lines = LinesOfFile(path);
  ASSERT_GT(lines.size(), 10'000u);
  EXPECT_EQ(lines.back(), "error: cannot decompress: unexpected end of file");
  lines.pop_back();
  for (size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(lines[i], "line " + std::to_string(i * 7919 % 100'003));
  }
}

TEST_F(OpenFileTest, DamagedCompressionIsAnError) {
  const std::string path = WriteGzip("damaged.jsonl.gz", std::string(1000, 'a') + "\n");
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(12);
    file << "\xFF\xFF\xFF\xFF";
  }
  const Lines lines = LinesOfFile(path);
  ASSERT_FALSE(lines.empty());
  EXPECT_TRUE(lines.back().starts_with("error: cannot decompress: ")) << lines.back();
}

TEST_F(OpenFileTest, WhatCannotBeOpenedIsNamed) {
  EXPECT_EQ(LinesOfFile(Path("missing")),
            (Lines{"cannot open " + Path("missing") + ": No such file or directory"}));
  EXPECT_EQ(LinesOfFile(Path("")), (Lines{"cannot open " + Path("") + ": Is a directory"}));
}

}  // namespace
}  // namespace presence::sim
