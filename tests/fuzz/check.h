#ifndef TESTS_FUZZ_CHECK_H_
#define TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace presence {

// Ends a fuzz run in a way that the fuzzer records, saying what went wrong.
inline void FuzzCheck(bool condition, std::string_view what, const std::string& details = {}) {
  if (condition) return;
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(), details.c_str());
  std::abort();
}

}  // namespace presence

#endif  // TESTS_FUZZ_CHECK_H_
