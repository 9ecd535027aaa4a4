#include "tools/serve/faults.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "tools/serve/fault_line.h"

namespace presence::serve {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kNotFound = 40400;

std::string TextOf(const JsonValue& asked, std::string_view field) {
  const JsonValue* const value = asked.Find(field);
  const std::string* const text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? std::string() : *text;
}

// nullopt: it is not there, or no number from 0 to `most`.
std::optional<int64_t> NumberOf(const JsonValue& asked, std::string_view field, int64_t most) {
  const JsonValue* const value = asked.Find(field);
  const std::optional<int64_t> number = value == nullptr ? std::nullopt : value->AsInt();
  if (!number.has_value() || *number < 0 || *number > most) return std::nullopt;
  return number;
}

ErrorInfo Wrong(std::string why) { return MakeError(kMalformedRequest, std::move(why)); }

struct FieldsOf {
  std::string_view fault;
  std::string_view fields;  // between spaces
};
constexpr FieldsOf kFields[] = {
    {"drop", " fault clientId connectionId resumable "},
    {"delay", " fault clientId connectionId ms "},
    {"silence", " fault clientId connectionId "},
    {"refuse", " fault clientId connectionId room code message statusCode "},
    {"forget-room", " fault room "},
    {"cut-sync", " fault clientId connectionId room pages "},
    {"stale-page", " fault clientId connectionId room "},
    {"jump", " fault ms "},
};

// What a test misspells must not be as if left out: what is meant for one would be done to all.
// nullopt: all is well with the fields that are there.
std::optional<ErrorInfo> WrongField(std::string_view fault, const JsonValue& asked) {
  const auto* const known = std::ranges::find(kFields, fault, &FieldsOf::fault);
  const JsonObject* const given = asked.AsObject();
  if (known == std::end(kFields) || given == nullptr) {
    return Wrong(
        "\"fault\" is drop, delay, silence, refuse, forget-room, cut-sync, stale-page or jump");
  }
  for (const JsonField& field : *given) {
    constexpr size_t kLongestName = 64;  // whoever asks need not be told what is longer
    const std::string name =
        field.key.size() > kLongestName ? "of this name" : "\"" + field.key + "\"";
    if (known->fields.find(" " + field.key + " ") == std::string_view::npos) {
      return Wrong("\"" + std::string(fault) + "\" has no field " + name);
    }
    if (field.key == "clientId" || field.key == "connectionId" || field.key == "room") {
      const std::string* const text = field.value.AsString();
      if (text == nullptr || text->empty()) return Wrong(name + " is a text, and not empty");
    }
    if (field.key == "message" && !field.value.IsString()) return Wrong(name + " is a text");
    if (field.key == "statusCode" && !NumberOf(asked, field.key, 999).has_value()) {
      return Wrong(name + " is a status of HTTP, such as 401");
    }
    if (field.key == "resumable" && !field.value.AsBool().has_value()) {
      return Wrong(name + " is true or false");
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<JsonObject, ErrorInfo> Faults::Make(const JsonValue& asked) {
  const std::string fault = TextOf(asked, "fault");
  if (std::optional<ErrorInfo> wrong = WrongField(fault, asked)) return *std::move(wrong);
  if (fault == "refuse") return Keep(Pending::Kind::kRefuse, asked);
  if (fault == "cut-sync") return Keep(Pending::Kind::kCutSync, asked);
  if (fault == "stale-page") return Keep(Pending::Kind::kStalePage, asked);
  if (fault == "forget-room") {
    const std::string room = TextOf(asked, "room");
    if (room.empty()) return Wrong("\"room\" is the name of a channel");
    return ForgetRoom(room);
  }
  if (fault == "jump") {
    const auto ms = NumberOf(asked, "ms", milliseconds(kLongest).count());
    if (!ms.has_value()) return Wrong("\"ms\" is a number of milliseconds, of at most 24 hours");
    parts_.jump(milliseconds(*ms));
    return JsonObject{};
  }
  return MakeNow(fault, asked);
}

std::variant<JsonObject, ErrorInfo> Faults::Keep(Pending::Kind kind, const JsonValue& asked) {
  if (pending_.size() >= kMostPending) {
    return MakeError(kTooManyRequests, "too many faults wait for their moment");
  }
  Pending pending{
      kind, TextOf(asked, "clientId"), TextOf(asked, "connectionId"), TextOf(asked, "room"), {}, 0};
  if (kind == Pending::Kind::kRefuse) {
    constexpr int64_t kMostCode = 999'999;
    const auto code = NumberOf(asked, "code", kMostCode);
    if (!code.has_value()) return Wrong("\"code\" is the code of the error, such as 40160");
    const int64_t usual = *code / 100;
    pending.error = {*code, NumberOf(asked, "statusCode", 999).value_or(usual),
                     TextOf(asked, "message"), nullptr};
    if (pending.error.message.empty()) pending.error.message = "refused on request";
  }
  if (kind == Pending::Kind::kCutSync) {
    const auto pages = NumberOf(asked, "pages", INT32_MAX);
    if (!pages.has_value()) return Wrong("\"pages\" is a number: how many come before");
    pending.pages = *pages;
  }
  pending_.push_back(std::move(pending));
  return JsonObject{{"pending", static_cast<int64_t>(pending_.size())}};
}

std::variant<JsonObject, ErrorInfo> Faults::MakeNow(std::string_view fault,
                                                    const JsonValue& asked) {
  std::optional<int64_t> ms;
  bool resumable = true;
  if (fault == "delay") {
    ms = NumberOf(asked, "ms", milliseconds(kLongest).count());
    if (!ms.has_value()) return Wrong("\"ms\" is a number of milliseconds, of at most 24 hours");
  } else if (fault == "drop") {
    const JsonValue* const wanted = asked.Find("resumable");
    resumable = wanted == nullptr || wanted->AsBool().value_or(true);
  }
  const Pending whom{{}, TextOf(asked, "clientId"), TextOf(asked, "connectionId"), {}, {}, 0};
  int64_t found = 0;
  lines_.remove_if([](const std::weak_ptr<FaultLine>& line) { return line.expired(); });
  for (const std::weak_ptr<FaultLine>& kept : std::list(lines_)) {
    const std::shared_ptr<FaultLine> line = kept.lock();
    if (line == nullptr || line->socket_ == nullptr || line->cut_) continue;
    if (!whom.client_id.empty() && whom.client_id != line->client_id_) continue;
    if (!whom.connection_id.empty() && whom.connection_id != line->connection_id_) continue;
    ++found;
    if (fault == "drop") line->Cut(resumable);
    if (fault == "delay") line->delay_ = milliseconds(*ms);
    if (fault == "silence") {
      line->silent_ = true;
      line->stop_pings_();
    }
  }
  if (found == 0) return ErrorInfo{kNotFound, 404, "there is no such connection", nullptr};
  return JsonObject{{"connections", found}};
}

// As if each client had detached, and were told so by the server: it attaches again, to a room that
// knows nobody. Those who are told to leave thereby are not told to anybody; what is said of a
// detach is known when its turn has come.
JsonObject Faults::ForgetRoom(const std::string& room) {
  int64_t count = 0;
  for (const std::weak_ptr<FaultLine>& kept : std::list(lines_)) {
    const std::shared_ptr<FaultLine> line = kept.lock();
    if (line == nullptr || line->socket_ == nullptr || line->cut_) continue;
    if (line->service_->server().FindRoom(room) == nullptr) continue;
    line->service_->CallInTurn([this, room] { forgotten_ = room; });
    line->service_->Detach(line->transport_, room);
    line->service_->CallInTurn([this] { forgotten_.clear(); });
    ++count;
  }
  return {{"connections", count}};
}

void Faults::Clear() {
  pending_.clear();
  for (const std::weak_ptr<FaultLine>& kept : lines_) {
    if (const std::shared_ptr<FaultLine> line = kept.lock()) line->delay_ = milliseconds(0);
  }
}

std::optional<Faults::Pending> Faults::Take(Pending::Kind kind, const FaultLine& line,
                                            std::string_view room) {
  const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& pending) {
    return pending.kind == kind &&
           (pending.client_id.empty() || pending.client_id == line.client_id_) &&
           (pending.connection_id.empty() || pending.connection_id == line.connection_id_) &&
           (pending.room.empty() || pending.room == room);
  });
  if (found == pending_.end()) return std::nullopt;
  Pending taken = std::move(*found);
  pending_.erase(found);
  return taken;
}

std::shared_ptr<FaultLine> Faults::NewLine(ClientSocket& socket, std::shared_ptr<Service> service,
                                           std::function<void()> stop_pings) {
  auto line = std::make_shared<FaultLine>(*this, socket, std::move(service), std::move(stop_pings));
  lines_.remove_if([](const std::weak_ptr<FaultLine>& other) { return other.expired(); });
  lines_.push_back(line);
  return line;
}

}  // namespace presence::serve
