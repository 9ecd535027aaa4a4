#ifndef ENGINE_WIRE_FRAME_H_
#define ENGINE_WIRE_FRAME_H_

// Frames of the Ably realtime protocol in their JSON form: text to structs and back.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/channel_input.h"
#include "engine/effects.h"
#include "engine/error.h"
#include "engine/wire/json.h"

namespace presence::wire {

// The actions that the engine knows (TR2).
enum FrameAction : int64_t {
  kAck = 1,
  kNack = 2,
  kConnected = 4,
  kDisconnected = 6,
  kClosed = 8,
  kError = 9,
  kAttach = 10,
  kAttached = 11,
  kDetach = 12,
  kDetached = 13,
  kPresence = 14,
  kMessage = 15,
  kSync = 16,
};

// What a frame says, whatever its action. Absent, null and empty fields are alike: empty or
// nullopt. Views hold as long as the reader that made them says.
struct Frame {
  int64_t action = 0;  // a FrameAction, or a number of no use to us
  std::string_view channel;
  std::string_view channel_serial;
  std::string_view id;
  std::string_view connection_id;
  std::optional<int64_t> timestamp;  // ms since the epoch
  std::optional<int64_t> msg_serial;
  std::optional<int64_t> count;
  std::optional<int64_t> flags;
  std::optional<ErrorInfo> error;
  // connectionDetails, as far as we use them.
  std::string_view details_client_id;
  std::optional<int64_t> details_max_message_size;
  std::span<const IncomingItem> presence;
};

// What the frame means to the channel it names: ATTACHED, DETACHED, ERROR, PRESENCE and SYNC; for all
// other frames an OtherFrame. The input views the frame.
ChannelInput ChannelInputOf(const Frame& frame);

// Whether a frame says something of the connection, and so ConnectionUpdateOf has an update.
inline bool SpeaksOfConnection(const Frame& frame) {
  return frame.action == kConnected || frame.action == kDisconnected || frame.action == kClosed ||
         (frame.action == kError && frame.channel.empty());
}

// What a frame says of the connection: CONNECTED (whole: what it lacks is none), DISCONNECTED, CLOSED,
// and ERROR without a channel, which keep what `current` says of ids and limits; nullopt for all other
// frames. The update views the frame and what `current` views.
std::optional<ConnectionUpdate> ConnectionUpdateOf(const Frame& frame,
                                                   const ConnectionUpdate& current);

// Reads frames, one after the other, with one set of buffers. One thread at a time.
class FrameReader {
 public:
  FrameReader() = default;
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  // Reads one frame. It views the reader's buffers and `json`, until the next Read. Unknown fields
  // are skipped; of duplicate keys the last counts. An item that cannot be read is marked as
  // malformed and does not spoil its frame. Fails with InvalidArgument and a message for people:
  // not JSON, not an object, no integer action, or a field of the wrong type.
  absl::StatusOr<Frame> Read(std::string_view json);

  // The same for an object that is parsed already, into `frame`, whatever it held; if it fails,
  // `frame` is not meaningful. `text` gives what the object was parsed from, padded as RawJson
  // wants it; it is asked for only where a part of the frame is kept byte for byte. Both must hold
  // as long as the frame is used.
  absl::Status ReadObject(simdjson::dom::object object, absl::FunctionRef<std::string_view()> text,
                          Frame& frame);

  // The same in two steps, for who does not know yet whether the object is a frame: Start walks it,
  // and gives what is no field of a frame to `other`; Finish, if it is wanted, reads the rest of
  // the frame, or fails as ReadObject does.
  void Start(simdjson::dom::object object, Frame& frame,
             absl::FunctionRef<void(const simdjson::dom::key_value_pair&)> other);
  // Whether what was started has an action that is a number, if not an integer.
  bool started_with_number() const { return started_.numeric_action; }
  absl::Status Finish(absl::FunctionRef<std::string_view()> text, Frame& frame);

 private:
  std::span<const IncomingItem> ReadItems(simdjson::dom::array array,
                                          absl::FunctionRef<std::string_view()> text);
  bool ReadItem(simdjson::dom::object object, IncomingItem& item);
  void ReadRawPayloads(std::string_view frame_text, std::span<IncomingItem> items);

  // What Start leaves to Finish.
  struct Started {
    void Clear() {
      has_action = numeric_action = false;
      wrong = {};
      error.reset();
      details.reset();
      presence.reset();
    }

    bool has_action = false;
    bool numeric_action = false;
    WrongFields wrong;
    std::optional<simdjson::dom::element> error;
    std::optional<simdjson::dom::element> details;
    std::optional<simdjson::dom::element> presence;
  };

  Started started_;
  PaddedText padded_;
  JsonParser parser_;
  RawJson raw_;
  std::vector<IncomingItem> items_;  // of the frame and of longer ones before
  std::vector<std::string_view> item_texts_;
};

// The error in the protocol's form: {"code", "statusCode", "message", "cause"?}.
absl::StatusOr<ErrorInfo> ReadError(simdjson::dom::element element, std::string_view field);
void AppendError(const ErrorInfo& error, std::string& out);

// Appends ,"data":… ,"encoding":… ,"extras":… as far as they are there.
void AppendPayload(const Payload& payload, std::string& out);

// Appends the frame as one JSON object, without a line end.
void AppendFrame(const Frame& frame, std::string& out);
// The frames that a channel asks to send.
void AppendAttach(std::string_view channel, std::string& out);
void AppendDetach(std::string_view channel, std::string& out);
void AppendPresence(std::string_view channel, int64_t msg_serial, const OutgoingItem& item,
                    std::string& out);

}  // namespace presence::wire

#endif  // ENGINE_WIRE_FRAME_H_
