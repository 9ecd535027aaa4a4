#ifndef SIM_EXPLAIN_SENTENCES_H_
#define SIM_EXPLAIN_SENTENCES_H_

// The words of a story, and the names of its rules. What they quote of a trace is cut where it is
// long; control characters are for the caller to escape.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "presence/client/effects.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "sim/explain/story.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// A name of a trace: cut where it is long, quoted where it could mislead.
std::string Named(std::string_view name);
// "alice (c1)"; without a connection "alice".
std::string MemberNamed(std::string_view client_id, std::string_view connection_id);
std::string TimeNamed(int64_t t);
std::string ErrorNamed(const ErrorInfo& error);
// ": " and the error; empty for null.
std::string ReasonNamed(const ErrorInfo* reason);
// "1 member", "3 members".
std::string Counted(size_t count, std::string_view one, std::string_view many = {});
// "the sync s1 of line 3", as far as known.
std::string SyncNamed(std::string_view id, uint64_t line);
// "ENTER", "UPDATE"..., "action 9".
std::string ActionNamed(std::optional<int64_t> action);

// The rule of what came in a state of the channel that takes no members.
inline constexpr std::string_view kIgnoredByState = "of no use in this state";

// The id of a call, which is JSON text: as a person would write it.
std::string CallNamed(std::string_view id);

// What a line is: the words of the first item of its block.
std::string WordsOf(const wire::Frame& frame, bool sent);
std::string WordsOf(const CallLine& call, std::string_view id);
std::string WordsOf(const StateLine& line);
std::string WordsOf(const ConnectionLine& line);

// Of an item of a frame.
struct Judgement {
  const ItemVerdict* verdict = nullptr;
  std::optional<StoredSide> stored;
  bool syncing = false;  // a sync runs
};
struct Rule {
  std::string_view name;
  std::string_view point;  // "RTP2b2"
};
Rule RuleOf(const Judgement& judgement);
std::string WordsOf(const Judgement& judgement);

// What made a channel change its state: why, and the rule.
Rule RuleOf(const ChannelInput& input, ChannelState before, ChannelState after);

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_SENTENCES_H_
