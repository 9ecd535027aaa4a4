#ifndef TESTS_REPLAY_KEPT_OUTPUTS_H_
#define TESTS_REPLAY_KEPT_OUTPUTS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace presence::testing {

// What comes of a trace, the content of a file NAME.jsonl: lines without their ends. It runs within
// a test, which it may let fail.
using OutputOfTrace = std::function<std::vector<std::string>(const std::string& trace)>;

// The main function of a program of tests, one for each trace NAME.jsonl of a folder: what comes of
// it is compared, line by line, with the kept NAME`suffix`. The arguments are the folder of what is
// kept and that of the traces, which may be left out if it is the same, as seen from the top of the
// sources. With --rewrite what is kept is written anew, to be read and reviewed as a diff. A kept
// file that belongs to no trace is an error.
int RunKeptOutputs(int argc, char** argv, std::string_view suite, std::string_view suffix,
                   const OutputOfTrace& output_of);

}  // namespace presence::testing

#endif  // TESTS_REPLAY_KEPT_OUTPUTS_H_
