#ifndef SIM_TRACE_TRACE_LINE_H_
#define SIM_TRACE_TRACE_LINE_H_

// One line of a trace, in plain structs. Views hold as long as the reader that made them says.

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "presence/client/channel_input.h"
#include "presence/json/json_value.h"
#include "presence/wire/frame.h"

namespace presence::sim {

// A frame that the server sent, or one that the client sent.
struct ReceivedLine {
  wire::Frame frame;
};
struct SentLine {
  wire::Frame frame;
};

// A local call. Ids are JSON text, a string or a number, in a form that compares equal for equal
// values.
struct CallLine {
  enum class Name : uint8_t { kOperation, kGet, kIsUserPresent, kSubscribe, kUnsubscribe };
  Name name = Name::kGet;
  std::string_view channel;
  std::optional<std::string_view> id;  // nullopt: the line number
  // kOperation; client_id is set, perhaps empty, in the forms for a client.
  PresenceAction action = PresenceAction::kEnter;
  std::optional<std::string_view> client_id;  // also kIsUserPresent
  Payload payload;
  // kGet.
  std::string_view filter_client_id;
  std::string_view filter_connection_id;
  bool wait_for_sync = true;
  // kSubscribe.
  EventMask events = kAllEvents;
  // kUnsubscribe: the id of a subscribe call; nullopt: all.
  std::optional<std::string_view> of;
};

// The owner moves a channel.
struct StateLine {
  std::string_view channel;
  ChannelState state = ChannelState::kAttaching;
  std::optional<ErrorInfo> reason;
};

// The owner's connection. An id or client id that is absent keeps its old value; an empty one is
// none.
struct ConnectionLine {
  ConnectionState state = ConnectionState::kConnected;
  std::optional<std::string_view> id;
  std::optional<std::string_view> client_id;
  std::optional<ErrorInfo> reason;
  // After closed or failed, another connection begins: what was known of the last one is forgotten,
  // and channels are initialized (RTN11d).
  bool anew = false;
};

// Options of all channels; those not named keep their values.
struct OptionsLine {
  std::optional<bool> strict_mode;
  std::optional<bool> queue_messages;
  std::optional<bool> attach_on_subscribe;
  std::optional<int64_t> max_message_size;  // none of the numbers is negative
  std::optional<int64_t> max_queued;
  std::optional<int64_t> max_in_flight;
  std::optional<int64_t> max_tombstones;
  std::optional<int64_t> max_queued_bytes;
  std::optional<int64_t> max_in_flight_bytes;
  std::optional<int64_t> max_members;
};

// What the trace should have come to, for those who check: not an input.
struct CheckLine {
  // The visible members of the frame's channel are those that the frame, like a page, lists: their
  // keys, ids and payloads; their times may differ.
  wire::Frame frame;
  // Instead: every call on the frame's channel, of which it has nothing else, has been answered,
  // and the channel is neither attaching nor detaching nor in a sync.
  bool settled = false;
  // Instead: whoever goes through the channel's room has asked for this and was told this since the
  // last such line of the channel, in that order. Each is an object of one of the forms of
  // sim/trace/room_entry.h.
  std::optional<JsonArray> room = {};
};

struct NoteLine {
  std::string_view text;
};

struct TraceLine {
  std::optional<int64_t> t;  // ms since the epoch; nullopt: at the time of the line before
  std::variant<NoteLine, ReceivedLine, SentLine, CallLine, StateLine, ConnectionLine, OptionsLine,
               CheckLine>
      content;
};

}  // namespace presence::sim

#endif  // SIM_TRACE_TRACE_LINE_H_
