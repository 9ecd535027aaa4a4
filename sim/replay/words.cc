#include "sim/replay/words.h"

#include <chrono>
#include <cstdio>

#include "engine/json/writer.h"

namespace presence::sim {

void AppendTime(int64_t t, std::string& out) {
  constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
  const int64_t of_day = ((t % kDayMs) + kDayMs) % kDayMs;
  const std::chrono::hh_mm_ss time{std::chrono::milliseconds(of_day)};
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  out += text;
}

void AppendName(std::string_view name, std::string& out) {
  bool plain = !name.empty();
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    plain = plain && byte > 0x20 && byte != 0x7F && byte != '"' && byte != '\\';
  }
  if (plain) {
    out += name;
  } else {
    json::AppendString(name, out);
  }
}

// Shortens at a character's border and escapes control characters.
void AppendData(std::string_view data, std::string& out, size_t shown_most) {
  std::string_view shown = data.substr(0, shown_most);
  if (shown.size() < data.size()) {
    while (!shown.empty() && (static_cast<unsigned char>(data[shown.size()]) & 0xC0) == 0x80) {
      shown.remove_suffix(1);
    }
  }
  std::string escaped;
  json::AppendString(shown, escaped);
  // Quotes and backslashes are harmless on a terminal; a payload reads better without escapes.
  const bool controls = [&] {
    for (const char c : shown) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
    }
    return false;
  }();
  out += controls ? std::string_view(escaped) : shown;
  if (shown.size() < data.size()) out += "…";
}

void AppendMember(const Message& member, std::string& out) {
  AppendName(member.client_id, out);
  out += " (";
  AppendName(member.connection_id, out);
  out += ')';
}

void AppendPayload(const Payload& payload, std::string& out) {
  if (payload.data_kind == DataKind::kNone) return;
  out += "  ";
  AppendData(payload.data, out);
}

void AppendError(const ErrorInfo& error, std::string& out, size_t shown_most) {
  out += std::to_string(error.code) + " ";
  AppendData(error.message, out, shown_most);
  for (const ErrorInfo* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) {
    out += ", because " + std::to_string(cause->code) + " ";
    AppendData(cause->message, out, shown_most);
  }
}

void AppendReason(const ErrorInfo* reason, std::string& out) {
  if (reason == nullptr) return;
  out += ": ";
  AppendError(*reason, out);
}

void AppendChannel(std::optional<std::string_view> name, std::string& out) {
  if (name.has_value()) {
    AppendName(*name, out);
  } else {
    out += "(unnamed)";
  }
}

}  // namespace presence::sim
