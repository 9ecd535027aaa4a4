#ifndef TESTS_TRACE_LINE_AGREEMENT_H_
#define TESTS_TRACE_LINE_AGREEMENT_H_

// Lines of a trace that are plain frames are read in one pass, those that look like the one before
// without even looking for tokens, and all others by way of a tree. They must never be told apart.

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/json/padded_text.h"

namespace presence::testing {

// A line in memory as LineReader gives it: with padding after it that may be read.
class PaddedLine {
 public:
  explicit PaddedLine(std::string_view text) : text_(text), size_(text.size()) {
    text_.append(json::kPadding, '}');  // what must not matter
  }
  std::string_view view() const { return std::string_view(text_).substr(0, size_); }

 private:
  std::string text_;
  const size_t size_;
};

// In what a line is read as something else, or refused in another way, than with a field more that
// nobody knows; empty if in nothing, or if the line does not begin with '{'.
std::string LineDisagreement(std::string_view text);
// The same, when the reader has read `before` first, whatever that is.
std::string LineDisagreementAfter(std::string_view before, std::string_view text);

}  // namespace presence::testing

#endif  // TESTS_TRACE_LINE_AGREEMENT_H_
