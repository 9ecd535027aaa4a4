#include "presence/wire/snapshot.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/element.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "engine/json/writer.h"

namespace presence::wire {
namespace {

// The text is kHead, the version, kChecksum, 16 hexadecimal digits, kRoom, the room, kTail.
constexpr std::string_view kHead = "{\"format\":\"presence-room\",\"version\":";
constexpr std::string_view kVersion = "2";
constexpr std::string_view kChecksum = ",\"checksum\":\"";
constexpr size_t kChecksumDigits = 16;
constexpr std::string_view kRoom = "\",\"room\":";
constexpr std::string_view kTail = "}";

// FNV-1a of 64 bits over what stands before and after the checksum: each step is a bijection of
// the state, so a change of a single byte never goes unnoticed.
uint64_t ChecksumOf(std::string_view before, std::string_view after) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (const std::string_view part : {before, after}) {
    for (const char c : part) {
      sum ^= static_cast<unsigned char>(c);
      sum *= 0x100000001b3u;
    }
  }
  return sum;
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string HexOf(uint64_t number) {
  std::string text(kChecksumDigits, '0');
  for (size_t i = kChecksumDigits; i > 0; --i, number >>= 4) text[i - 1] = kHexDigits[number & 15];
  return text;
}

// --- Writing ---

// Strings are JSON strings, or, if they are no UTF-8, arrays of one string of hexadecimal digits.
void AppendBytes(std::string_view bytes, std::string& out) {
  if (json::IsUtf8(bytes)) return json::AppendString(bytes, out);
  out += "[\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  out += "\"]";
}

void AppendOptional(const std::optional<std::string>& bytes, std::string& out) {
  bytes.has_value() ? AppendBytes(*bytes, out) : static_cast<void>(out += "null");
}

// Numbers up to 2^63-1, as JSON's readers know them; larger ones do not come up.
void AppendNumber(uint64_t number, std::string& out) {
  json::AppendInt(static_cast<int64_t>(number), out);
}

void AppendTime(Timestamp time, std::string& out) { json::AppendInt(ToMs(time), out); }

template <typename T, typename F>
void AppendList(const T& list, std::string& out, F append) {
  out += '[';
  bool first = true;
  for (const auto& one : list) {
    if (!first) out += ',';
    first = false;
    append(one);
  }
  out += ']';
}

// Tuples, written as arrays: [action or joining number, clientId, connectionId, id, timestamp, kind
// of data, data, encoding, extras].
void AppendMessage(int64_t number, const OwnedMessage& message, std::string& out) {
  out += '[';
  json::AppendInt(number, out);
  for (const std::string* text : {&message.client_id, &message.connection_id, &message.id}) {
    out += ',';
    AppendBytes(*text, out);
  }
  out += ',';
  AppendTime(message.timestamp, out);
  out += ',';
  json::AppendInt(static_cast<int64_t>(message.data_kind), out);
  out += ',';
  AppendBytes(message.data, out);
  out += ',';
  AppendOptional(message.encoding, out);
  out += ',';
  AppendOptional(message.extras, out);
  out += ']';
}

// [msgSerial, error, its cause, the cause's cause, and so on], each error [code, status, message].
void AppendRefusal(const RoomSnapshot::Refusal& refusal, std::string& out) {
  out += '[';
  json::AppendInt(refusal.msg_serial, out);
  for (const ErrorInfo* error = &refusal.error; error != nullptr; error = error->cause.get()) {
    out += ",[";
    json::AppendInt(error->code, out);
    out += ',';
    json::AppendInt(error->status_code, out);
    out += ',';
    AppendBytes(error->message, out);
    out += ']';
  }
  out += ']';
}

// [handle, id, clientId, last serial, lost or null, attachment or null, 1 or 0: was attached,
// time of the next page, refusals]
void AppendConnection(const RoomSnapshot::Connection& connection, std::string& out) {
  out += '[';
  json::AppendInt(static_cast<int64_t>(connection.handle), out);
  out += ',';
  AppendBytes(connection.id, out);
  out += ',';
  AppendBytes(connection.client_id, out);
  out += ',';
  json::AppendInt(connection.last_serial, out);
  out += ',';
  if (const auto& lost = connection.lost; lost.has_value()) {  // [deadline, order]
    out += '[';
    AppendTime(lost->deadline, out);
    out += ',';
    AppendNumber(lost->order, out);
    out += ']';
  } else {
    out += "null";
  }
  out += ',';
  if (const auto& attachment = connection.attachment; attachment.has_value()) {
    out += '[';  // [order, modes, sync or null]
    AppendNumber(attachment->order, out);
    out += ',';
    AppendNumber(attachment->modes, out);
    out += ',';
    if (const auto& sync = attachment->sync; sync.has_value()) {  // [id, after, until]
      out += '[';
      AppendBytes(sync->id, out);
      out += ',';
      AppendNumber(sync->after, out);
      out += ',';
      AppendNumber(sync->until, out);
      out += ']';
    } else {
      out += "null";
    }
    out += ']';
  } else {
    out += "null";
  }
  out += connection.was_attached ? ",1," : ",0,";
  AppendTime(connection.next_page, out);
  out += ',';
  AppendList(connection.refusals, out, [&](const auto& refusal) { AppendRefusal(refusal, out); });
  out += ']';
}

// --- Reading ---

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("snapshot: ", AbslView(what)));
}

int HexValue(char c) {
  const size_t at = kHexDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Reads the elements of an array one after the other. Once something is wrong, all further reads
// fail too, so that it is enough to look at the end.
class TupleReader {
 public:
  // Nothing to read is wrong, as anything but an array is.
  explicit TupleReader(std::optional<json::Element> element) {
    json::Array array;
    if (!element.has_value() || !element->Get(array)) {
      ok_ = false;
    } else {
      next_.emplace(array.begin());
      end_.emplace(array.end());
    }
  }

  bool Has() const { return ok_ && *next_ != *end_; }
  std::optional<json::Element> Next() {
    if (!Has()) {
      ok_ = false;
      return std::nullopt;
    }
    const json::Element element = **next_;
    ++*next_;
    return element;
  }
  // Nothing was wrong, and nothing is left.
  bool Finished() const { return ok_ && *next_ == *end_; }

  // Each reads one element.
  int64_t Int() {
    const std::optional<json::Element> element = Next();
    int64_t number = 0;
    if (ok_ && !element->Get(number)) ok_ = false;
    return number;
  }
  uint64_t Number() {
    const int64_t number = Int();
    if (number < 0) ok_ = false;
    return static_cast<uint64_t>(number);
  }
  Timestamp Time() { return TimestampFromMs(Int()); }
  std::string Bytes() {
    const std::optional<json::Element> element = Next();
    return ok_ ? BytesOf(*element) : std::string();
  }
  std::optional<std::string> OptionalBytes() {
    const std::optional<json::Element> element = Next();
    if (!ok_ || element->is_null()) return std::nullopt;
    return BytesOf(*element);
  }
  // One that may be null: then there is nothing to read.
  std::optional<TupleReader> OptionalTuple() {
    const std::optional<json::Element> element = Next();
    if (!ok_ || element->is_null()) return std::nullopt;
    return TupleReader(element);
  }
  // A part was read by a reader of its own.
  void Require(bool condition) { ok_ = ok_ && condition; }

 private:
  std::string BytesOf(json::Element element) {
    std::string_view text;
    if (element.Get(text)) return std::string(text);
    std::string bytes;
    TupleReader hex(element);
    const std::optional<json::Element> digits = hex.Next();
    if (!hex.Finished() || !digits->Get(text) || text.size() % 2 != 0) {
      ok_ = false;
      return bytes;
    }
    for (size_t i = 0; i < text.size(); i += 2) {
      const int high = HexValue(text[i]);
      const int low = HexValue(text[i + 1]);
      if (high < 0 || low < 0) ok_ = false;
      bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
  }

  std::optional<json::Array::Iterator> next_;  // there, unless something is wrong
  std::optional<json::Array::Iterator> end_;
  bool ok_ = true;
};

bool ReadMessage(std::optional<json::Element> element, int64_t& number, OwnedMessage& message) {
  TupleReader tuple(element);
  number = tuple.Int();
  message.client_id = tuple.Bytes();
  message.connection_id = tuple.Bytes();
  message.id = tuple.Bytes();
  message.timestamp = tuple.Time();
  const int64_t kind = tuple.Int();
  tuple.Require(kind >= 0 && kind <= static_cast<int64_t>(DataKind::kJson));
  message.data_kind = static_cast<DataKind>(kind);
  message.data = tuple.Bytes();
  message.encoding = tuple.OptionalBytes();
  message.extras = tuple.OptionalBytes();
  return tuple.Finished();
}

// What is told of a room that cannot be read.
constexpr std::string_view kWrongForm = "the room lacks something, or has it in a wrong form";
constexpr std::string_view kTooManyCauses = "an error in it has more causes than any can have";

bool ReadRefusal(std::optional<json::Element> element, RoomSnapshot::Refusal& refusal,
                 std::string_view& wrong) {
  TupleReader tuple(element);
  refusal.msg_serial = tuple.Int();
  std::vector<ErrorInfo> chain;
  do {
    if (chain.size() > kMaxCauses) {
      wrong = kTooManyCauses;
      return false;
    }
    TupleReader of_error(tuple.Next());
    ErrorInfo& error = chain.emplace_back();
    error.code = of_error.Int();
    error.status_code = of_error.Int();
    error.message = of_error.Bytes();
    tuple.Require(of_error.Finished());
  } while (tuple.Has());
  for (size_t i = chain.size() - 1; i > 0; --i) {
    chain[i - 1].cause = std::make_shared<ErrorInfo>(std::move(chain[i]));
  }
  refusal.error = std::move(chain.front());
  return tuple.Finished();
}

bool ReadConnection(std::optional<json::Element> element, RoomSnapshot::Connection& connection,
                    std::string_view& wrong) {
  TupleReader tuple(element);
  connection.handle = static_cast<uint64_t>(tuple.Int());
  connection.id = tuple.Bytes();
  connection.client_id = tuple.Bytes();
  connection.last_serial = tuple.Int();
  if (std::optional<TupleReader> of_lost = tuple.OptionalTuple()) {
    RoomSnapshot::Lost lost;
    lost.deadline = of_lost->Time();
    lost.order = of_lost->Number();
    tuple.Require(of_lost->Finished());
    connection.lost = lost;
  }
  if (std::optional<TupleReader> of_attachment = tuple.OptionalTuple()) {
    RoomSnapshot::Attachment attachment;
    attachment.order = of_attachment->Number();
    attachment.modes = of_attachment->Number();
    if (std::optional<TupleReader> of_sync = of_attachment->OptionalTuple()) {
      RoomSnapshot::Sync sync;
      sync.id = of_sync->Bytes();
      sync.after = of_sync->Number();
      sync.until = of_sync->Number();
      tuple.Require(of_sync->Finished());
      attachment.sync = std::move(sync);
    }
    tuple.Require(of_attachment->Finished());
    connection.attachment = std::move(attachment);
  }
  const int64_t was_attached = tuple.Int();
  tuple.Require(was_attached == 0 || was_attached == 1);
  connection.was_attached = was_attached == 1;
  connection.next_page = tuple.Time();
  TupleReader refusals(tuple.Next());
  while (refusals.Has()) {
    refusals.Require(ReadRefusal(refusals.Next(), connection.refusals.emplace_back(), wrong));
  }
  tuple.Require(refusals.Finished());
  return tuple.Finished();
}

// [room time, joins, syncs, leaves, orders, due of the batch or null, members, connections,
// pending]
bool ReadRoom(std::optional<json::Element> element, RoomSnapshot& room, std::string_view& wrong) {
  TupleReader tuple(element);
  room.room_time = tuple.Time();
  room.last_joined = tuple.Number();
  room.last_sync = tuple.Number();
  room.last_leave = tuple.Number();
  room.last_order = tuple.Number();
  if (std::optional<TupleReader> due = tuple.OptionalTuple()) {
    room.batch_due = due->Time();
    tuple.Require(due->Finished());
  }
  TupleReader members(tuple.Next());
  while (members.Has()) {
    int64_t joined = 0;
    members.Require(ReadMessage(members.Next(), joined, room.members.emplace_back().message));
    members.Require(joined >= 0);
    room.members.back().joined = static_cast<uint64_t>(joined);
  }
  tuple.Require(members.Finished());
  TupleReader connections(tuple.Next());
  while (connections.Has()) {
    connections.Require(ReadConnection(connections.Next(), room.connections.emplace_back(), wrong));
  }
  tuple.Require(connections.Finished());
  TupleReader pending(tuple.Next());
  while (pending.Has()) {
    int64_t action = 0;
    pending.Require(ReadMessage(pending.Next(), action, room.pending.emplace_back().message));
    room.pending.back().action = static_cast<PresenceAction>(action);
  }
  tuple.Require(pending.Finished());
  return tuple.Finished();
}

// Takes `part` off the front of `text`; false if it is not there.
bool Consume(std::string_view& text, std::string_view part) {
  if (!text.starts_with(part)) return false;
  text.remove_prefix(part.size());
  return true;
}

}  // namespace

void AppendSnapshot(const RoomSnapshot& snapshot, std::string& out) {
  std::string room(kRoom);
  room += '[';
  AppendTime(snapshot.room_time, room);
  for (const uint64_t number :
       {snapshot.last_joined, snapshot.last_sync, snapshot.last_leave, snapshot.last_order}) {
    room += ',';
    AppendNumber(number, room);
  }
  room += ',';
  if (snapshot.batch_due.has_value()) {
    room += '[';
    AppendTime(*snapshot.batch_due, room);
    room += ']';
  } else {
    room += "null";
  }
  room += ',';
  AppendList(snapshot.members, room, [&](const RoomSnapshot::Member& member) {
    AppendMessage(static_cast<int64_t>(member.joined), member.message, room);
  });
  room += ',';
  AppendList(snapshot.connections, room,
             [&](const auto& connection) { AppendConnection(connection, room); });
  room += ',';
  AppendList(snapshot.pending, room, [&](const RoomSnapshot::PendingItem& item) {
    AppendMessage(static_cast<int64_t>(item.action), item.message, room);
  });
  room += ']';
  room += kTail;

  std::string head(kHead);
  head += kVersion;
  head += kChecksum;
  out += head;
  out += HexOf(ChecksumOf(head, room));
  out += room;
}

absl::StatusOr<RoomSnapshot> ParseSnapshot(std::string_view text) {
  std::string_view rest = text;
  if (!Consume(rest, kHead)) return Wrong("not a snapshot of a room");
  const std::string_view version = rest.substr(0, rest.find(','));
  if (version != kVersion) {
    constexpr size_t kShown = 20;
    return Wrong(version.size() > kShown ? "it has no version"
                                         : absl::StrCat("its version is not ", AbslView(kVersion)));
  }
  rest.remove_prefix(version.size());
  if (!Consume(rest, kChecksum)) return Wrong("it has no checksum");
  const std::string_view before = text.substr(0, text.size() - rest.size());
  const std::string_view sum = rest.substr(0, kChecksumDigits);
  rest.remove_prefix(sum.size());
  if (sum != HexOf(ChecksumOf(before, rest))) return Wrong("the checksum is wrong: it is damaged");
  if (!Consume(rest, kRoom) || !rest.ends_with(kTail)) return Wrong("it has no room");
  rest.remove_suffix(kTail.size());

  json::PaddedText padded;
  json::Parser parser;
  const absl::StatusOr<json::Element> element = parser.Parse(padded.Assign(rest));
  if (!element.ok()) return Wrong(std::string(element.status().message()));
  RoomSnapshot room;
  std::string_view wrong = kWrongForm;
  if (!ReadRoom(*element, room, wrong)) return Wrong(wrong);
  return room;
}

}  // namespace presence::wire
