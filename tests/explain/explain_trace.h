#ifndef TESTS_EXPLAIN_EXPLAIN_TRACE_H_
#define TESTS_EXPLAIN_EXPLAIN_TRACE_H_

#include <string>
#include <string_view>
#include <vector>

#include "sim/explain/story.h"

namespace presence::testing {

// Tells the story of a trace into `sink`; returns the line that stopped it and why, or nothing.
std::string Explain(std::string_view trace, sim::StorySink& sink);

// The story of a trace as `presence explain` writes it, a line each; what stopped it is the last.
std::vector<std::string> StoryOf(std::string_view trace);

}  // namespace presence::testing

#endif  // TESTS_EXPLAIN_EXPLAIN_TRACE_H_
