#ifndef ENGINE_JSON_WHOLE_TEXT_H_
#define ENGINE_JSON_WHOLE_TEXT_H_

// What is done to a text as a whole, with the widest instructions that the machine has.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

// Whether `text` is UTF-8, of which JSON texts are made.
bool IsUtf8(std::string_view text);

// A JSON text without the white space between its tokens. REQUIRES: a text, or a part of one, that
// Parser accepted.
std::string Compact(std::string_view text);

// Finds where the tokens of a text begin: braces, brackets, colons, commas, strings, and scalars,
// which are whatever else stands between white space and those. One thread at a time.
class TokenFinder {
 public:
  TokenFinder();
  TokenFinder(const TokenFinder&) = delete;
  TokenFinder& operator=(const TokenFinder&) = delete;
  ~TokenFinder();

  // Checks all that is to be checked of a text apart from its tokens, too: UTF-8, and that strings
  // are closed and without control characters. False: not so, or not worth it. Of `text` the
  // kPadding bytes after its end may be read.
  bool Find(std::string_view text);
  // Before a text of so many bytes is read, by this or otherwise: gives back buffers that are much
  // larger than it needs. What was found last does not hold any more.
  void Trim(size_t text_bytes);

  // The places in the text, in order; they hold until the next Find.
  const uint32_t* begin() const { return begin_; }
  const uint32_t* end() const { return end_; }

 private:
  struct Buffers;

  std::unique_ptr<Buffers> buffers_;
  size_t capacity_ = 0;  // of buffers_, for texts of so many bytes
  const uint32_t* begin_ = nullptr;
  const uint32_t* end_ = nullptr;
};

}  // namespace presence::json

#endif  // ENGINE_JSON_WHOLE_TEXT_H_
