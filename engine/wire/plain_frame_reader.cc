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
template <DetailsField field>
bool Is(std::string_view key) {
  constexpr std::string_view kName = kDetailsKeys.name(field);
  return EqualBytes(key, kName);
}

// What takes the fields of an item.
class ItemFields {
 public:
  ItemFields(json::PlainJson& json, IncomingItem& item) : json_(json), item_(item) {}

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
  bool operator()(std::string_view key, json::PlainJson::Object& object) const {
    if (Is<kItemExtras>(key)) return json_.TextOf(object, item_.payload.extras.emplace());
    if (!Is<kItemData>(key)) return false;
    item_.payload.data_kind = DataKind::kJson;
    return json_.TextOf(object, item_.payload.data);
  }

 private:
  json::PlainJson& json_;
  IncomingItem& item_;
};

// What takes the fields of connectionDetails.
class DetailsFields {
 public:
  explicit DetailsFields(Frame& frame) : frame_(frame) {}

  bool operator()(std::string_view key, std::string_view text) const {
    if (Is<kDetailsClientId>(key)) {
      frame_.details_client_id = text;
    } else if (Is<kDetailsConnectionKey>(key)) {
      frame_.details_connection_key = text;
    } else {
      return IsUnknown(key);
    }
    return true;
  }
  bool operator()(std::string_view key, int64_t number) const {
    if (Is<kDetailsMaxMessageSize>(key)) {
      frame_.details_max_message_size = number;
    } else if (Is<kDetailsMaxIdleInterval>(key)) {
      frame_.details_max_idle_interval = number;
    } else if (Is<kDetailsConnectionStateTtl>(key)) {
      frame_.details_connection_state_ttl = number;
    } else {
      return IsUnknown(key);
    }
    return true;
  }
  bool operator()(std::string_view, json::PlainJson::Array&) const { return false; }
  bool operator()(std::string_view, json::PlainJson::Object&) const { return false; }

 private:
  // So that its value may be anything. A key with escapes may be one that is known.
  static bool IsUnknown(std::string_view key) {
    return kDetailsKeys.Find(key) == kDetailsFieldCount && key.find('\\') == key.npos;
  }

  Frame& frame_;
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
    return json_.Fields(object, ItemFields(json_, items_.Add()));
  });
  frame.presence = items_.all();
  return plain;
}

bool PlainFrameReader::Take(std::string_view key, json::PlainJson::Object& object, Frame& frame) {
  if (!Is<kFrameDetails>(key)) return false;
  ClearDetails(frame);
  return json_.Fields(object, DetailsFields(frame));
}

}  // namespace presence::wire
