#ifndef SIM_REPLAY_WORDS_H_
#define SIM_REPLAY_WORDS_H_

// How people are told of times, names, members and errors. What is appended may still hold control
// characters of a trace: who shows it calls EscapeControls on the whole.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "presence/error.h"
#include "presence/message.h"

namespace presence::sim {

// The time of day in UTC, 08:15:21.886; a replay's day is seldom in question.
void AppendTime(int64_t t, std::string& out);
// A name as it is if it is plain, as a JSON string if anything in it could mislead the eye.
void AppendName(std::string_view name, std::string& out);
// How much is shown of what may be long, unless said otherwise: bytes.
inline constexpr size_t kDataShown = 60;
// The beginning of what may be long; ends at a character's border.
void AppendData(std::string_view data, std::string& out, size_t shown_most = kDataShown);
// alice (connection)
void AppendMember(const Message& member, std::string& out);
// Nothing for no data.
void AppendPayload(const Payload& payload, std::string& out);
// Code, message and causes.
void AppendError(const ErrorInfo& error, std::string& out, size_t shown_most = kDataShown);
// ": " and the error; nothing for null.
void AppendReason(const ErrorInfo* reason, std::string& out);
// The channel's name, or that it has none.
void AppendChannel(std::optional<std::string_view> name, std::string& out);

}  // namespace presence::sim

#endif  // SIM_REPLAY_WORDS_H_
