#include "tests/session/effect_text.h"

#include <string>
#include <variant>

#include "gtest/gtest.h"
#include "presence/client/effects.h"
#include "presence/error.h"

namespace presence {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

std::string Code(const ErrorInfo* error) {
  if (error == nullptr) return {};
  std::string text = " " + std::to_string(error->code);
  for (const ErrorInfo* cause = error->cause.get(); cause != nullptr; cause = cause->cause.get()) {
    text += " < " + std::to_string(cause->code);
  }
  return text;
}

std::string Outcome(const ErrorInfo* error) {
  return error == nullptr ? "ok" : "error" + Code(error);
}

std::string Who(const Message& message) {
  return Text(message.client_id) + "@" + Text(message.connection_id);
}

std::string LineOf(const ChannelEffect& effect) {
  std::string line = Text(effect.channel) + ": ";
  const Effect& inner = *effect.effect;
  if (const auto* state = std::get_if<StateChanged>(&inner)) {
    return line + "state " + Text(StateName(state->state)) + Code(state->reason);
  }
  if (const auto* event = std::get_if<MemberEvent>(&inner)) {
    static constexpr const char* kTypes[] = {"enter ", "leave ", "update ", "present "};
    return line + kTypes[static_cast<size_t>(event->type)] + Who(event->message);
  }
  if (const auto* sync = std::get_if<SyncChanged>(&inner)) {
    static constexpr const char* kPhases[] = {"started", "completed", "discarded"};
    return line + "sync " + kPhases[static_cast<size_t>(sync->phase)];
  }
  if (const auto* cleared = std::get_if<SetCleared>(&inner)) {
    return line + "cleared " + std::to_string(cleared->members);
  }
  if (const auto* update = std::get_if<ChannelUpdate>(&inner)) {
    return line + "update resumed=" + (update->resumed ? "true" : "false") + Code(update->reason);
  }
  if (const auto* result = std::get_if<CallResult>(&inner)) {
    line += "result " + std::to_string(result->request) + " ";
    if (result->error != nullptr) return line + Outcome(result->error);
    if (result->kind == CallResult::Kind::kIsPresent)
      return line + (result->present ? "yes" : "no");
    if (result->kind != CallResult::Kind::kMembers) return line + "ok";
    line += "[";
    for (const Message& member : effect.effects->members(*result)) {
      line += (line.back() == '[' ? "" : " ") + Who(member);
    }
    return line + "]";
  }
  if (std::holds_alternative<Diagnostic>(inner)) return line + "diagnostic";
  ADD_FAILURE() << "an effect that the session should have carried out";
  return line + "?";
}

}  // namespace

std::string LineOf(const SessionEffect& effect, int64_t now_ms) {
  if (const auto* open = std::get_if<OpenTransport>(&effect)) {
    return "open " + std::to_string(open->transport) +
           (open->resume_key.empty() ? "" : " resume=" + Text(open->resume_key));
  }
  if (const auto* close = std::get_if<CloseTransport>(&effect)) {
    return "close " + std::to_string(close->transport);
  }
  if (const auto* send = std::get_if<SendBytes>(&effect)) {
    return "send " + std::to_string(send->transport) + " " + Text(send->bytes);
  }
  if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
    std::string line = Text(StateName(changed->previous)) + ">" + Text(StateName(changed->state)) +
                       Code(changed->reason);
    if (changed->next_try.has_value()) {
      line += " next=" + std::to_string(ToMs(*changed->next_try) - now_ms);
    }
    return line;
  }
  if (const auto* token = std::get_if<TokenNeeded>(&effect)) return "token" + Code(token->reason);
  if (const auto* result = std::get_if<AttachmentResult>(&effect)) {
    return Text(result->channel) +
           (result->kind == AttachmentResult::Kind::kAttach ? ": attach " : ": detach ") +
           std::to_string(result->request) + " " + Outcome(result->error);
  }
  if (const auto* passed = std::get_if<PassedFrame>(&effect)) {
    return "pass " + std::to_string(passed->action) + " " + Text(passed->channel) + " " +
           Text(passed->bytes);
  }
  return LineOf(std::get<ChannelEffect>(effect));
}

}  // namespace presence
