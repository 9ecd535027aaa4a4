#ifndef TESTS_TRACE_GZIP_FILE_H_
#define TESTS_TRACE_GZIP_FILE_H_

#include <string>
#include <string_view>

namespace presence::testing {

// Writes `content`, compressed, to a file.
void WriteGzip(const std::string& path, std::string_view content);

}  // namespace presence::testing

#endif  // TESTS_TRACE_GZIP_FILE_H_
