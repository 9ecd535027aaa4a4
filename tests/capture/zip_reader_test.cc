#include "sim/capture/zip_reader.h"

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/capture/make_zip.h"

namespace presence::sim {
namespace {

using ::testing::ElementsAre;

TEST(ZipReaderTest, ReadsStoredAndDeflatedFiles) {
  for (const bool deflated : {false, true}) {
    const std::string zip = testing::MakeZip(
        {{"har.har", "{}"}, {"a.jsonl", std::string(100'000, 'x')}, {"empty", ""}}, deflated);
    const absl::StatusOr<ZipReader> reader = ZipReader::Open(zip);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_THAT(reader->names(), ElementsAre("har.har", "a.jsonl", "empty"));
    EXPECT_EQ(reader->Read("har.har").value(), "{}");
    EXPECT_EQ(reader->Read("a.jsonl").value(), std::string(100'000, 'x'));
    EXPECT_EQ(reader->Read("empty").value(), "");
    EXPECT_TRUE(absl::IsNotFound(reader->Read("b").status()));
  }
}

// No byte that is changed or missing makes another content, or a crash.
TEST(ZipReaderTest, WhatIsBrokenIsRefused) {
  for (const bool deflated : {false, true}) {
    const std::string zip =
        testing::MakeZip({{"har.har", "{\"log\":{}}"}, {"a.jsonl", "yyyyyyyy"}}, deflated);
    const auto try_it = [](const std::string& broken) {
      const absl::StatusOr<ZipReader> reader = ZipReader::Open(broken);
      if (!reader.ok()) return;
      for (const std::string& name : reader->names()) {
        const absl::StatusOr<std::string> content = reader->Read(name);
        if (!content.ok()) continue;
        EXPECT_TRUE(*content == "{\"log\":{}}" || *content == "yyyyyyyy") << *content;
      }
    };
    for (size_t at = 0; at < zip.size(); ++at) {
      try_it(zip.substr(0, at));
      for (const int change : {0x01, 0x80, 0xFF}) {
        std::string broken = zip;
        broken[at] = static_cast<char>(broken[at] ^ change);
        try_it(broken);
      }
    }
  }
  EXPECT_FALSE(ZipReader::Open("").ok());
  EXPECT_FALSE(ZipReader::Open("PK\x05\x06").ok());
}

}  // namespace
}  // namespace presence::sim
