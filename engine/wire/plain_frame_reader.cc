#include "engine/wire/plain_frame_reader.h"

#include "engine/base/bytes.h"
#include "presence/client/channel_input.h"
#include "presence/message.h"

namespace presence::wire {
namespace {

// Compared one after the other, with names that the compiler knows, keys are told apart faster than
// by a table.
template <FrameField field>
bool Is(std::string_view key) {
  constexpr std::string_view kName = kFrameKeys.name(field);
  return EqualBytes(key, kName);
}
template <ItemField field>
bool Is(std::string_view key) {
  constexpr std::string_view kName = kItemKeys.name(field);
  return EqualBytes(key, kName);
}

// What takes the fields of an item.
class ItemFields {
 public:
  explicit ItemFields(IncomingItem& item) : item_(item) {}

  bool operator()(std::string_view key, std::string_view text) const {
    if (Is<kItemClientId>(key)) {
      item_.client_id = text;
    } else if (Is<kItemData>(key)) {
      item_.payload.data_kind = DataKind::kString;
      item_.payload.data = text;
    } else if (Is<kItemId>(key)) {
      item_.id = text;
    } else if (Is<kItemConnectionId>(key)) {
      item_.connection_id = text;
    } else if (Is<kItemEncoding>(key)) {
      item_.payload.encoding = text;
    } else {
      return false;
    }
    return true;
  }
  bool operator()(std::string_view key, int64_t number) const {
    if (Is<kItemAction>(key)) {
      item_.action = number;
    } else if (Is<kItemTimestamp>(key)) {
      item_.timestamp = TimestampFromMs(number);
    } else {
      return false;
    }
    return true;
  }
  bool operator()(std::string_view, json::PlainJson::Array&) const { return false; }
  bool operator()(std::string_view, json::PlainJson::Object&) const { return false; }

 private:
  IncomingItem& item_;
};

}  // namespace

bool PlainFrameReader::Read(std::string_view text, Frame& frame) {
  return json_.Read(text,
                    [&](json::PlainJson::Object& object) { return ReadObject(object, frame); });
}

bool PlainFrameReader::ReadObject(json::PlainJson::Object& object, Frame& frame) {
  Start(frame);
  const auto take = [&](std::string_view key, auto& value) { return Take(key, value, frame); };
  return json_.Fields(object, take) && Finish(frame);
}

bool PlainFrameReader::Take(std::string_view key, std::string_view text, Frame& frame) {
  if (Is<kFrameId>(key)) {
    frame.id = text;
  } else if (Is<kFrameChannel>(key)) {
    frame.channel = text;
  } else if (Is<kFrameConnectionId>(key)) {
    frame.connection_id = text;
  } else if (Is<kFrameChannelSerial>(key)) {
    frame.channel_serial = text;
  } else {
    return false;
  }
  return true;
}

bool PlainFrameReader::Take(std::string_view key, int64_t number, Frame& frame) {
  if (Is<kFrameAction>(key)) {
    frame.action = number;
  } else if (Is<kFrameTimestamp>(key)) {
    frame.timestamp = number;
  } else if (Is<kFrameMsgSerial>(key)) {
    frame.msg_serial = number;
  } else if (Is<kFrameCount>(key)) {
    frame.count = number;
  } else if (Is<kFrameFlags>(key)) {
    frame.flags = number;
  } else {
    return false;
  }
  return true;
}

bool PlainFrameReader::Take(std::string_view key, json::PlainJson::Array& array, Frame& frame) {
  if (!Is<kFramePresence>(key)) return false;
  items_.Clear();
  const bool plain = json_.Elements(array, [this](json::PlainJson::Object& object) {
    return json_.Fields(object, ItemFields(items_.Add()));
  });
  frame.presence = items_.all();
  return plain;
}

}  // namespace presence::wire
