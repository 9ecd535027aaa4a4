#include "tests/trace/gzip_file.h"

#include <zlib.h>

#include "gtest/gtest.h"

namespace presence::testing {

void WriteGzip(const std::string& path, std::string_view content) {
  const gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr) << path;
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  EXPECT_EQ(gzclose(file), Z_OK) << path;
}

}  // namespace presence::testing
