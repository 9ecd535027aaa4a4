#ifndef SIM_TIMELINE_TIMELINE_H_
#define SIM_TIMELINE_TIMELINE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/explain/story.h"

namespace presence::sim {

// Gathers the story of a session for the page that draws it (timeline_page.h), as compact JSON:
//
//   Timeline timeline({});
//   Explainer explainer(timeline);
//   for each line, until full():  explainer.Apply(number, line)
//   explainer.Finish();
//   std::string page = TimelinePage(timeline.Data({.trace = "session.jsonl"}));
//
// The same story gives the same bytes. Memory: the JSON, which has its bound, and the ids of the
// members. One thread at a time.
class Timeline : public StorySink {
 public:
  // What a page can hold and still be moved about in.
  static constexpr size_t kMaxItems = 250'000;
  static constexpr size_t kMaxBytes = size_t{64} << 20;

  struct Options {
    // Only what concerns this channel, and what is about the connection.
    std::optional<std::string> channel = {};
    // Of items, and bytes of what is said of them. What would go beyond either is left out, and so
    // is all that follows, but for the end.
    size_t max_items = kMaxItems;
    size_t max_bytes = kMaxBytes;
  };

  explicit Timeline(Options options) : options_(std::move(options)) {}

  void WriteBlock(const StoryBlock& block) override;
  void WriteEnd(const StoryState& state) override;

  // A block was left out, because there is no room.
  bool full() const { return full_; }
  // The line of the last block that is in.
  uint64_t last_line() const { return last_line_; }
  size_t items() const { return items_count_; }

  // What the page says of where it is from.
  struct About {
    std::string_view trace = {};  // what to call the trace
    std::string_view made = {};   // the program, with its version
    std::string_view cut = {};    // why it does not go on to the end of the trace; empty: it does
  };
  // The page's data, one JSON object:
  //   format    1
  //   made, trace, cut (or null)   as in `about`
  //   only      the channel asked for, or null
  //   kinds     names of story kinds, and in items their numbers
  //   rules     [rule, point of the specification]
  //   channels  names; null: no line has named it
  //   members   [client, connection]; own: which of them are of the own connection
  //   lines     [number in the trace, t in ms]: those that did something
  //   items     [line, kind, channel, member, words, rule, [causes], {the rest, by name}]: numbers
  //             are places in the lists above and in this one, -1 is none
  //   ends      {channel, state, members}, of each channel
  std::string Data(const About& about) const;

 private:
  // Pairs of texts, numbered in the order in which they came.
  class Pairs {
   public:
    int64_t Add(std::string_view one, std::string_view other);
    size_t size() const { return size_; }
    // Without the brackets around all.
    const std::string& json() const { return json_; }

   private:
    // By their bytes: what is no UTF-8 may look the same as something else in the JSON.
    absl::flat_hash_map<std::pair<std::string, std::string>, int64_t> numbers_;
    std::string json_;
    size_t size_ = 0;
  };

  bool Wants(const StoryItem& item) const;
  int64_t ChannelOf(const StoryItem& item);
  int64_t AddChannel(std::optional<std::string_view> name);
  int64_t MemberOf(std::string_view client_id, std::string_view connection_id);
  void AppendItem(const StoryItem& item, std::string& out);

  const Options options_;
  bool full_ = false;
  uint64_t last_line_ = 0;
  size_t items_count_ = 0;

  std::vector<std::optional<std::string>> channels_;
  absl::flat_hash_map<std::string, int64_t> channel_numbers_;
  Pairs members_;  // client and connection
  Pairs rules_;    // the rule, and its point in the specification
  std::vector<bool> own_;
  std::vector<int64_t> places_;  // of the story's items, by number: their place here, or -1
  std::string lines_;            // JSON, without the brackets
  size_t lines_count_ = 0;
  std::string items_;
  std::string ends_;
  std::string scratch_;
};

}  // namespace presence::sim

#endif  // SIM_TIMELINE_TIMELINE_H_
