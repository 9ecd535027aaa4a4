#ifndef TOOLS_SERVE_INPUT_RECORD_H_
#define TOOLS_SERVE_INPUT_RECORD_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_input.h"

namespace presence::serve {

// One input of a server as it is written down: what it was, when, of which transport, and the rest
// as text. A deadline that has come is one, too, and a jump of the clock.
struct InputRecord {
  Timestamp time{};
  std::string kind;
  TransportHandle transport = 0;  // 0 where there is none
  std::string body;

  size_t bytes() const { return sizeof(InputRecord) + kind.size() + body.size(); }
  friend bool operator==(const InputRecord&, const InputRecord&) = default;
};

// The input as a record. Nothing is lost, not even bytes that are no UTF-8, or what is wrong with
// an item. BytesTaken is no part of a server's state: for it the record is of no kind.
InputRecord RecordOf(Timestamp time, const ServerInput& input);
// That the time of a deadline has come: AdvanceTo.
InputRecord RecordOfDeadline(Timestamp time);
// That the clock was set ahead by so much, on request.
InputRecord RecordOfJump(Timestamp time, std::chrono::milliseconds by);

struct DeadlineCome {};
struct ClockJumped {
  std::chrono::milliseconds by;
};
// What a record says has happened.
using RecordedInput = std::variant<ServerInput, DeadlineCome, ClockJumped>;

// Makes inputs of records again, one after the other. One thread at a time.
class RecordReader {
 public:
  RecordReader();
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // The input, which views the reader and the record, until the next Read. InvalidArgument: it is
  // none of the above.
  absl::StatusOr<RecordedInput> Read(const InputRecord& record ABSL_ATTRIBUTE_LIFETIME_BOUND)
      ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

// Options of a server as text, as far as its state depends on them, and back: those not named keep
// what they are.
std::string TextOfOptions(const Server::Options& options);
absl::StatusOr<Server::Options> ReadOptions(std::string_view text);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_INPUT_RECORD_H_
