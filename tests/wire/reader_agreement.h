#ifndef TESTS_WIRE_READER_AGREEMENT_H_
#define TESTS_WIRE_READER_AGREEMENT_H_

// Plain frames are read in one pass, those that look like the one before without even looking for
// tokens, and everything else by way of a tree: readers that must never be told apart.

#include <string>
#include <string_view>

namespace presence::wire {

// The same object with one field more in front, null, that nobody knows: no longer plain, and
// otherwise the same frame or trace line. REQUIRES: `text` begins with '{'.
std::string WithUnknownField(std::string_view text);

// In what FrameReader reads the text as another frame, or refuses it in another way, than with an
// unknown field; empty if in nothing, or if the text does not begin with '{'.
std::string ReaderDisagreement(std::string_view text);
// The same, when the FrameReader has read `before` first, whatever that is.
std::string ReaderDisagreementAfter(std::string_view before, std::string_view text);

}  // namespace presence::wire

#endif  // TESTS_WIRE_READER_AGREEMENT_H_
