#include "sim/explain/block_builder.h"

#include <algorithm>

#include "sim/base/controls.h"

namespace presence::sim {

void BlockBuilder::Begin(uint64_t line) {
  line_ = line;
  items_.clear();
  causes_.clear();
  texts_.Clear();
}

StoryItem& BlockBuilder::Add(StoryKind kind, std::string words) {
  EscapeControls(words);
  StoryItem& item = items_.emplace_back();
  causes_.emplace_back();
  item.number = next_number_++;
  item.line = line_;
  item.kind = kind;
  item.words = Keep(words);
  return item;
}

void BlockBuilder::Because(uint64_t number) {
  std::vector<uint64_t>& causes = causes_.back();
  if (std::find(causes.begin(), causes.end(), number) == causes.end()) causes.push_back(number);
}

Message BlockBuilder::Keep(const Message& message) {
  Message kept;
  kept.client_id = Keep(message.client_id);
  kept.connection_id = Keep(message.connection_id);
  kept.id = Keep(message.id);
  kept.timestamp = message.timestamp;
  kept.payload.data_kind = message.payload.data_kind;
  kept.payload.data = Keep(message.payload.data);
  return kept;
}

void BlockBuilder::WriteTo(StorySink& sink) {
  for (size_t i = 0; i < items_.size(); ++i) {
    if (causes_[i].empty() && i > 0) causes_[i].push_back(items_.front().number);
    items_[i].t = t_;
    items_[i].causes = causes_[i];
  }
  StoryBlock block;
  block.line = line_;
  block.t = t_;
  block.items = items_;
  sink.WriteBlock(block);
}

void BlockBuilder::Abandon() {
  next_number_ -= items_.size();
  items_.clear();
  causes_.clear();
}

}  // namespace presence::sim
