#ifndef ENGINE_WIRE_TUPLE_TEXT_H_
#define ENGINE_WIRE_TUPLE_TEXT_H_

// What snapshots are written in: JSON arrays as tuples, in an object with a version and a checksum.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/json/element.h"
#include "presence/message.h"

namespace presence::wire {

// --- Writing ---

// Strings are JSON strings, or, if they are no UTF-8, arrays of one string of hexadecimal digits.
void AppendBytes(std::string_view bytes, std::string& out);
void AppendOptional(const std::optional<std::string>& bytes, std::string& out);
// Numbers up to 2^63-1, as JSON's readers know them; larger ones do not come up.
void AppendNumber(uint64_t number, std::string& out);
void AppendTime(Timestamp time, std::string& out);

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

// --- Reading ---

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
  std::string BytesOf(json::Element element);

  std::optional<json::Array::Iterator> next_;  // there, unless something is wrong
  std::optional<json::Array::Iterator> end_;
  bool ok_ = true;
};

// --- Around it ---

// What kind of thing a text holds: its name is the format, "presence-NAME", and the key of what is
// written.
struct SnapshotKind {
  std::string_view name;
  std::string_view version;
  std::string_view older_version;  // that is read, too
};

// Appends {"format", "version", "checksum", NAME: body}.
void AppendSealed(const SnapshotKind& kind, std::string_view body, std::string& out);
// The body of what AppendSealed wrote. InvalidArgument: damage of any kind, another version,
// another kind.
absl::StatusOr<std::string_view> OpenSealed(const SnapshotKind& kind, std::string_view text);

// A snapshot that is refused, for people.
absl::Status WrongSnapshot(std::string_view what);

}  // namespace presence::wire

#endif  // ENGINE_WIRE_TUPLE_TEXT_H_
