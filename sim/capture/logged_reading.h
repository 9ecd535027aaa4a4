#ifndef SIM_CAPTURE_LOGGED_READING_H_
#define SIM_CAPTURE_LOGGED_READING_H_

// How a frame that ably-js logged can be read: "[ProtocolMessage; action=SYNC; channel=room; ...]",
// in which nothing is escaped.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"

namespace presence::sim {

// What the value of a key is, and so where it ends.
enum class ValueKind : uint8_t {
  kAction,  // the name of an action
  kInt,
  kWord,     // of the service's making: no space, semicolon or bracket
  kText,     // of somebody's choosing: anything
  kPayload,  // text, or JSON
  kBytes,    // base64
  kJson,
  kItems,
  kError,
  kFlags,
  kParameters,
};

struct Key {
  std::string_view logged;  // as in "; logged="
  std::string_view json;    // the field's name
  ValueKind kind;
};

// The place of an item's key among all that items have; below kItemKeyCount.
inline constexpr size_t kItemKeyCount = 32;
size_t ItemKeyIndex(const Key& key);

// The number of an action by its name in capitals; nullopt: there is none.
std::optional<int64_t> ActionNumber(std::string_view name);

// What values consist of.
size_t NameLength(std::string_view text);  // of letters, digits, _ and $
size_t WordLength(std::string_view text);  // of anything but spaces, semicolons, ] and line ends
bool IsInteger(std::string_view text);
bool IsJsonText(std::string_view text);
bool IsBase64Text(std::string_view text);

// Part of a reading, in the order of the text.
struct Token {
  enum class Kind : uint8_t { kTop, kItemsBegin, kItemBegin, kItem, kItemEnd, kItemsEnd };
  Kind kind = Kind::kTop;
  const Key* key = nullptr;  // of kTop, kItemsBegin, kItem
  std::string_view value;    // of kTop, kItem
};
using Reading = std::vector<Token>;

// A place in the text from which a reading goes on, in one way after the other.
struct ReadingStep {
  size_t at = 0;
  bool in_item = false;
  const Key* items = nullptr;  // in_item: what the item is one of
  uint32_t seen_top = 0;       // the keys that were read, by their bits
  uint32_t seen_item = 0;
  size_t tokens = 0;  // of the reading, before this
  bool begun = false;
  const Key* key = nullptr;  // of a value with several ends
  size_t value = 0;
  size_t next_end = 0;  // where to look for the next
  size_t json_end = 0;  // the one that was tried first; 0: none was
};

// Finds the readings of a logged frame one after the other: that first in which each value is as
// short as it can be.
class Readings {
 public:
  Readings(std::string_view text, bool received)
      : text_(text), received_(received), budget_(4 * text.size() + (size_t{1} << 16)) {}

  // Calls `take` with each, until it says that this is enough. False: there are more than can be
  // looked for.
  bool ForEach(absl::FunctionRef<bool(const Reading&)> take);

  // Whether one was given up at some point, so that those after it are not the shortest.
  bool turned_back() const { return turned_back_; }
  // The id of the client's connection at the end.
  std::string_view connection() const { return connection_; }
  // Whether the frame has an end at all.
  bool HasEnd() {
    return std::any_of(text_.begin(), text_.end(), [](char c) { return c == ']'; }) &&
           EndLooksRight();
  }

 private:
  bool EndLooksRight() const;
  char At(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  // Whether the frame ends at `at`.
  bool EndsAt(size_t at);
  // The length of what closes an item at `at`, or 0: ", [Class" if another follows, " ]" if not.
  size_t ItemCloses(size_t at, bool& another) const;
  const Key* KeyAt(size_t at, bool in_item, size_t& value) const;
  bool CanEndAt(size_t at, bool in_item);
  // The next place from `at` on where a text can end; npos: none.
  size_t FindEnd(size_t at, bool in_item);
  bool Spend(size_t work);
  void Begin(ReadingStep& step, absl::FunctionRef<bool(const Reading&)> take, bool& enough);
  bool Advance(ReadingStep& step);
  void ReadValue(ReadingStep& step, const Key& key, size_t value);
  bool ItemIsWhole(bool of_presence) const;
  // Another step after `step`, at `at`.
  ReadingStep& GoOn(const ReadingStep& step, size_t at, bool in_item) {
    ReadingStep& next = next_.emplace();
    next.at = at;
    next.in_item = in_item;
    next.items = step.items;
    next.seen_top = step.seen_top;
    next.tokens = reading_.size();
    return next;
  }
  void GoOnAfter(const ReadingStep& step, const Key& key, size_t value, size_t end) {
    reading_.push_back({step.in_item ? Token::Kind::kItem : Token::Kind::kTop, &key,
                        text_.substr(value, end - value)});
    GoOn(step, end, step.in_item).seen_item = step.seen_item;
  }

  const std::string_view text_;
  const bool received_;
  size_t budget_;
  bool exhausted_ = false;
  bool turned_back_ = false;
  std::string_view connection_;
  Reading reading_;
  std::optional<ReadingStep> next_;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_LOGGED_READING_H_
