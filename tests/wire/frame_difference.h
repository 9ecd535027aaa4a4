#ifndef TESTS_WIRE_FRAME_DIFFERENCE_H_
#define TESTS_WIRE_FRAME_DIFFERENCE_H_

#include <string>

#include "presence/wire/frame.h"

namespace presence::wire {

// The name of the first field in which the frames differ, with both values; empty if they say the
// same. Items that `expected` marks as malformed are not compared: they have no text of their own
// that a writer could give back.
std::string Difference(const Frame& expected, const Frame& actual);

}  // namespace presence::wire

#endif  // TESTS_WIRE_FRAME_DIFFERENCE_H_
