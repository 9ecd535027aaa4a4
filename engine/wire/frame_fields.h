#ifndef ENGINE_WIRE_FRAME_FIELDS_H_
#define ENGINE_WIRE_FRAME_FIELDS_H_

// What the readers of frames share: the names of fields, and empty frames and items to read into.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/json/key_table.h"
#include "presence/base/internal/spare.h"
#include "presence/client/channel_input.h"
#include "presence/message.h"
#include "presence/wire/frame.h"

namespace presence::wire {

enum FrameField : size_t {
  kFrameAction,
  kFrameChannel,
  kFrameChannelSerial,
  kFrameId,
  kFrameConnectionId,
  kFrameTimestamp,
  kFrameMsgSerial,
  kFrameCount,
  kFrameFlags,
  kFrameError,
  kFrameDetails,
  kFramePresence,
  kFrameAuth,
  kFrameFieldCount,
};
inline constexpr json::KeyTable<kFrameFieldCount> kFrameKeys(
    {"action", "channel", "channelSerial", "id", "connectionId", "timestamp", "msgSerial", "count",
     "flags", "error", "connectionDetails", "presence", "auth"});

enum ItemField : size_t {
  kItemAction,
  kItemId,
  kItemClientId,
  kItemConnectionId,
  kItemTimestamp,
  kItemData,
  kItemEncoding,
  kItemExtras,
  kItemFieldCount,
};
inline constexpr json::KeyTable<kItemFieldCount> kItemKeys({"action", "id", "clientId",
                                                            "connectionId", "timestamp", "data",
                                                            "encoding", "extras"});

// Of connectionDetails.
enum DetailsField : size_t {
  kDetailsClientId,
  kDetailsConnectionKey,
  kDetailsMaxMessageSize,
  kDetailsMaxIdleInterval,
  kDetailsConnectionStateTtl,
  kDetailsFieldCount,
};
inline constexpr json::KeyTable<kDetailsFieldCount> kDetailsKeys(
    {"clientId", "connectionKey", "maxMessageSize", "maxIdleInterval", "connectionStateTtl"});

// Field by field: compilers clear a large struct at once, by an instruction that takes as long as
// reading the frame does.
inline void ClearDetails(Frame& frame) {
  frame.details_client_id = {};
  frame.details_connection_key = {};
  frame.details_max_message_size.reset();
  frame.details_max_idle_interval.reset();
  frame.details_connection_state_ttl.reset();
}
inline void Clear(Frame& frame) {
  frame.channel = {};
  frame.channel_serial = {};
  frame.id = {};
  frame.connection_id = {};
  frame.timestamp.reset();
  frame.msg_serial.reset();
  frame.count.reset();
  frame.flags.reset();
  frame.error.reset();
  ClearDetails(frame);
  frame.auth_access_token = {};
  frame.presence = {};
}
inline void Clear(IncomingItem& item) {
  item.action.reset();
  item.id = {};
  item.client_id = {};
  item.connection_id = {};
  item.timestamp.reset();
  item.payload.data_kind = DataKind::kNone;
  item.payload.data = {};
  item.payload.encoding.reset();
  item.payload.extras.reset();
  item.malformed = {};
}

// The items of one frame after the other, with one set of buffers.
class Items {
 public:
  // Forgets them: a text of `text_bytes` bytes is read next. Gives their memory back if it is much
  // more than the items of such a text need; those of a frame as users have them take about twice
  // as many bytes as its text.
  void Trim(size_t text_bytes) {
    count_ = 0;
    const size_t capacity = items_.capacity() * sizeof(IncomingItem);
    if (capacity > std::max(kSpareBytes / 2, 4 * text_bytes)) items_ = std::vector<IncomingItem>();
  }
  void Clear() { count_ = 0; }
  // One more item, empty.
  IncomingItem& Add() {
    if (count_ == items_.size()) items_.emplace_back();
    IncomingItem& item = items_[count_++];
    wire::Clear(item);
    return item;
  }
  std::span<IncomingItem> all() { return std::span(items_).first(count_); }

 private:
  std::vector<IncomingItem> items_;  // of the frame, and unused ones of longer ones before
  size_t count_ = 0;
};

}  // namespace presence::wire

#endif  // ENGINE_WIRE_FRAME_FIELDS_H_
