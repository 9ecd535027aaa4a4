#ifndef SIM_EXPLAIN_BLOCK_BUILDER_H_
#define SIM_EXPLAIN_BLOCK_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/effects.h"
#include "sim/explain/story.h"

namespace presence::sim {

// Makes the block of one line, item by item, and keeps what its items view until it is written. Its
// memory is that of the largest block.
class BlockBuilder {
 public:
  BlockBuilder() = default;
  BlockBuilder(const BlockBuilder&) = delete;
  BlockBuilder& operator=(const BlockBuilder&) = delete;

  void Begin(uint64_t line);
  // Adds an item with the next number; control characters in its words are escaped. It may be
  // filled until the next Add.
  StoryItem& Add(StoryKind kind, std::string words);
  // One more cause of the item added last.
  void Because(uint64_t number);
  // Copies, until the next Begin. Of a payload, data only.
  std::string_view Keep(std::string_view text) { return texts_.Keep(text, {}); }
  Message Keep(const Message& message);

  StoryItem& front() { return items_.front(); }
  size_t size() const { return items_.size(); }
  // Of the item added last.
  uint64_t last_number() const { return next_number_ - 1; }

  // The line's time, for all items.
  void SetTime(int64_t t) { t_ = t; }
  void WriteTo(StorySink& sink);
  // The line came to nothing: its items' numbers are used again.
  void Abandon();

 private:
  uint64_t line_ = 0;
  int64_t t_ = 0;
  uint64_t next_number_ = 1;
  std::vector<StoryItem> items_;
  std::vector<std::vector<uint64_t>> causes_;  // of each item
  KeptText texts_;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_BLOCK_BUILDER_H_
