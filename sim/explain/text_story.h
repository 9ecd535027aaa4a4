#ifndef SIM_EXPLAIN_TEXT_STORY_H_
#define SIM_EXPLAIN_TEXT_STORY_H_

#include <string>
#include <string_view>

#include "sim/explain/story.h"
#include "sim/replay/line_sink.h"

namespace presence::sim {

// A story as lines for a terminal: of each block what the line is, with its number, time and
// channel; below it, indented, an item each with the rule behind it. Nothing in a trace can reach
// the terminal as a control character.
class TextStory : public StorySink {
 public:
  enum class Colours : bool { kNo, kYes };

  // `lines` must outlive this.
  TextStory(LineSink& lines, Colours colours) : lines_(lines), colours_(colours == Colours::kYes) {}

  void WriteBlock(const StoryBlock& block) override;
  void WriteEnd(const StoryState& state) override;

 private:
  void Paint(std::string_view colour, std::string_view text);

  LineSink& lines_;
  const bool colours_;
  std::string text_;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_TEXT_STORY_H_
