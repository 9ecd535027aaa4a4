#include "engine/wire/frame_shape.h"

#include <algorithm>

#include "engine/json/raw_text.h"

namespace presence::wire {

// Goes through a text that was read already, so that all fields are known and of the right types.
class FrameShape::Learner {
 public:
  explicit Learner(FrameShape& learned) : learned_(learned) {}

  // False: there is something in the text that no shape has.
  bool Learn(std::string_view text) {
    json::RawScanner scanner(text);
    learned_.shape_.Begin(text);
    learned_.places_.clear();
    learned_.item_count_ = 0;
    learned_.wrapped_ = false;
    scanner.Fields([&](std::string_view key) { Top(NameOf(key), scanner); });
    return can_ && learned_.shape_.End();
  }

 private:
  static std::string_view NameOf(std::string_view key) { return key.substr(1, key.size() - 2); }

  void Top(std::string_view name, json::RawScanner& scanner) {
    const Around& around = learned_.around_;
    if (!around.number.empty() && name == around.number && !scanner.Sees('"')) {
      return Add(kAround, scanner.Value());
    }
    if (around.frame.empty() || name != around.frame) return Field(name, scanner);
    // Of two the last counts, which begins anew.
    can_ = can_ && !learned_.wrapped_;
    learned_.wrapped_ = true;
    scanner.Fields([&](std::string_view key) { Field(NameOf(key), scanner); });
  }
  void Field(std::string_view name, json::RawScanner& scanner) {
    const size_t field = kFrameKeys.Find(name);
    if (field != kFramePresence) {
      return Add(field, scanner.Value());
    }
    can_ = can_ && !has_items_;  // of two the last counts
    has_items_ = true;
    scanner.Elements([&] {
      can_ = can_ && learned_.item_count_ < json::Shape::kMaxValues;
      scanner.Fields([&](std::string_view key) {
        const size_t item_field = kItemKeys.Find(NameOf(key));
        Add(kFirstItemField + item_field, scanner.Value());
      });
      ++learned_.item_count_;
    });
  }
  void Add(size_t what, std::string_view value) {
    // Objects are read by others.
    can_ = can_ && !value.empty() && value.front() != '{' && value.front() != '[' &&
           learned_.places_.size() < json::Shape::kMaxValues;
    if (!can_) return;
    learned_.places_.push_back(
        {static_cast<uint8_t>(what), static_cast<uint8_t>(learned_.item_count_)});
    learned_.shape_.Add(value);
  }

  FrameShape& learned_;
  bool can_ = true;
  bool has_items_ = false;
};

void FrameShape::Learn(std::string_view text) {
  constexpr uint32_t kMaxWait = 63;
  if (wait_ > 0) {
    --wait_;
    return;
  }
  wait_ = next_wait_;
  next_wait_ = std::min(2 * next_wait_ + 1, kMaxWait);
  if (text.size() > json::Shape::kMaxBytes || !Learner(*this).Learn(text)) shape_.Forget();
}

bool FrameShape::Read(std::string_view text, Frame& frame, std::optional<int64_t>& number) {
  if (!shape_.Match(text)) return false;
  wait_ = next_wait_ = 0;
  constexpr int64_t kNoAction = -1;
  Clear(frame);
  frame.action = kNoAction;
  items_.Clear();
  for (size_t i = 0; i < item_count_; ++i) items_.Add();
  frame.presence = items_.all();
  number.reset();
  const json::Shape::Value* value = shape_.values().data();
  IncomingItem* const items = items_.all().data();
  for (const Place& place : places_) {
    IncomingItem* const item = items + place.item;  // that is there if the value is one's
    const std::string_view words = value->text;
    const int64_t integer = value->number;
    ++value;
    switch (place.what) {
      case kFrameAction:
        frame.action = integer;
        break;
      case kFrameChannel:
        frame.channel = words;
        break;
      case kFrameChannelSerial:
        frame.channel_serial = words;
        break;
      case kFrameId:
        frame.id = words;
        break;
      case kFrameConnectionId:
        frame.connection_id = words;
        break;
      case kFrameTimestamp:
        frame.timestamp = integer;
        break;
      case kFrameMsgSerial:
        frame.msg_serial = integer;
        break;
      case kFrameCount:
        frame.count = integer;
        break;
      case kFrameFlags:
        frame.flags = integer;
        break;
      case kFirstItemField + kItemAction:
        item->action = integer;
        break;
      case kFirstItemField + kItemId:
        item->id = words;
        break;
      case kFirstItemField + kItemClientId:
        item->client_id = words;
        break;
      case kFirstItemField + kItemConnectionId:
        item->connection_id = words;
        break;
      case kFirstItemField + kItemTimestamp:
        item->timestamp = TimestampFromMs(integer);
        break;
      case kFirstItemField + kItemData:
        item->payload.data_kind = DataKind::kString;
        item->payload.data = words;
        break;
      case kFirstItemField + kItemEncoding:
        item->payload.encoding = words;
        break;
      case kAround:
        number = integer;
        break;
      default:
        break;
    }
  }
  return frame.action != kNoAction;
}

}  // namespace presence::wire
