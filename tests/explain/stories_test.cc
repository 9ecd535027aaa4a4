// Tells the story of each NAME.jsonl of a folder of traces, the second argument, and compares it
// with the kept NAME.txt of a folder of stories, the first. After a change on purpose:
//
//   tools/bazel run //tests/explain:museum_stories_test -- --rewrite

#include "tests/explain/explain_trace.h"
#include "tests/replay/kept_outputs.h"

int main(int argc, char** argv) {
  return presence::testing::RunKeptOutputs(argc, argv, "Stories", ".txt",
                                           presence::testing::StoryOf);
}
