#include "sim/replay/room_history.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/error.h"
#include "presence/room/room_error.h"
#include "sim/trace/room_entry.h"
#include "sim/trace/trace_writer.h"

namespace presence::sim {
namespace {

bool IsOpen(ChannelState state) {
  return state == ChannelState::kAttached || state == ChannelState::kAttaching;
}

// In any order of their fields, for people write them too.
bool IsSame(const JsonValue& a, const JsonValue& b);
bool IsSame(const JsonObject& a, const JsonObject& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const JsonField& field) {
           const JsonValue* const other = b.Find(field.key);
           return other != nullptr && IsSame(field.value, *other);
         });
}
bool IsSame(const JsonValue& a, const JsonValue& b) {
  if (a.IsObject() && b.IsObject()) return IsSame(*a.AsObject(), *b.AsObject());
  if (!a.IsArray() || !b.IsArray()) return a == b;
  return std::equal(
      a.AsArray()->begin(), a.AsArray()->end(), b.AsArray()->begin(), b.AsArray()->end(),
      [](const JsonValue& one, const JsonValue& other) { return IsSame(one, other); });
}

std::string Text(const JsonObject& entry) { return DebugJson(entry); }

JsonObject Without(const JsonObject& object, std::string_view key) {
  std::vector<JsonField> fields;
  for (const JsonField& field : object) {
    if (field.key != key) fields.push_back(field);
  }
  return JsonObject(std::move(fields));
}

// What they differ in, if they are of one kind: where one has to look.
std::string DifferingField(const JsonObject& a, const JsonObject& b) {
  for (const JsonField& field : b) {
    const JsonValue* const other = a.Find(field.key);
    if (other == nullptr || !IsSame(field.value, *other)) return field.key;
  }
  for (const JsonField& field : a) {
    if (b.Find(field.key) == nullptr) return field.key;
  }
  return "";
}

// As a call of it is compared: nobody chooses the id of an unsubscribe.
JsonObject Comparable(JsonObject call) {
  const JsonValue* const name = call.Find("call");
  const std::string* const text = name == nullptr ? nullptr : name->AsString();
  return text != nullptr && *text == "unsubscribe" ? Without(call, "id") : std::move(call);
}

// Whether it fails with this code.
bool FailsWith(const JsonObject& entry, ErrorCode code) {
  const JsonValue* const error = entry.Find("error");
  const JsonValue* const told = error == nullptr ? nullptr : error->Find("code");
  return told != nullptr && told->AsInt() == code;
}

bool IsNamed(const JsonObject& call, std::string_view name) {
  const JsonValue* const value = call.Find("call");
  return value != nullptr && value->AsString() != nullptr && *value->AsString() == name;
}

// About what it takes on a line.
size_t SizeOf(const Message& message) {
  constexpr size_t kNames = 200;
  return kNames + message.client_id.size() + message.connection_id.size() +
         message.payload.data.size() + message.payload.extras.value_or("").size();
}

// Its own words for what rooms decode too: they are what is checked.
RoomMember MemberOf(const Message& message) {
  RoomMember member;
  member.client_id = message.client_id;
  member.connection_id = message.connection_id;
  member.updated_at = message.timestamp;
  const Payload& payload = message.payload;
  if (payload.data_kind != DataKind::kNone) {
    const bool is_json = payload.data_kind == DataKind::kJson || payload.encoding == "json";
    absl::StatusOr<JsonValue> value = JsonValue(payload.data);
    if (is_json) value = ParseJson(payload.data);
    member.data = value.ok() ? *std::move(value) : JsonValue(payload.data);
  }
  if (payload.extras.has_value()) {
    absl::StatusOr<JsonValue> value = ParseJson(*payload.extras);
    if (value.ok() && value->IsObject()) member.extras = *value->AsObject();
  }
  return member;
}

}  // namespace

RoomHistory::RoomHistory(ChannelState state) : states_({state}) {}

bool RoomHistory::IsFull(size_t bytes) {
  bytes_ += bytes;
  return bytes_ > kMaxBytes;
}

void RoomHistory::OnCall(const CallLine& call, std::string_view id, ChannelState state) {
  CallLine own = call;
  own.channel = {};
  own.id = id;
  std::string text;
  AppendTraceLine({std::nullopt, own}, {}, text);
  if (IsFull(text.size())) return;
  absl::StatusOr<JsonValue> value = ParseJson(text);
  PRESENCE_CHECK(value.ok());
  given_.push_back({Comparable(*value->AsObject()), IsOpen(state)});
  const bool is_unsubscribe = call.name == CallLine::Name::kUnsubscribe;
  if (is_unsubscribe && !call.of.has_value()) ++releases_;
  if (is_unsubscribe || call.name == CallLine::Name::kSubscribe) return;
  const bool leaves =
      call.name == CallLine::Name::kOperation && call.action == PresenceAction::kLeave;
  open_.push_back({RoomIdOf(id), leaves && !IsOpen(state)});
}

void RoomHistory::OnOutput(const ReplayOutput& output) {
  constexpr size_t kFields = 200;  // about what an entry without members takes
  const auto add = [this](Said::Kind kind, JsonObject entry) {
    said_.push_back({kind, std::move(entry), releases_});
  };
  if (const auto* event = std::get_if<MemberEvent>(output.effect)) {
    if (!output.to.has_value()) return;
    for (const std::string_view to : *output.to) {
      if (IsFull(SizeOf(event->message))) return;
      add(Said::Kind::kEvent, RoomEventEntry(event->type, MemberOf(event->message),
                                             event->connections, event->reason, RoomIdOf(to)));
    }
  } else if (const auto* result = std::get_if<CallResult>(output.effect)) {
    if (result->kind == CallResult::Kind::kSubscription || IsFull(kFields)) return;
    JsonObject entry = RoomAnswerEntry(RoomIdOf(output.call_id), result->error);
    if (result->error == nullptr && result->kind == CallResult::Kind::kMembers) {
      JsonArray members;
      for (const Message& message : output.members) {
        if (IsFull(SizeOf(message))) return;
        members.emplace_back(RoomMemberOf(MemberOf(message)));
      }
      AddRoomMembers(std::move(members), entry);
    } else if (result->error == nullptr && result->kind == CallResult::Kind::kIsPresent) {
      AddRoomPresent(result->present, entry);
    }
    add(Said::Kind::kAnswer, std::move(entry));
  } else if (const auto* changed = std::get_if<StateChanged>(output.effect)) {
    if (IsFull(kFields)) return;
    states_.push_back(changed->state);
    add(Said::Kind::kState, RoomStateEntry(StateName(changed->state), changed->reason));
  } else if (const auto* update = std::get_if<ChannelUpdate>(output.effect)) {
    if (IsFull(kFields)) return;
    add(Said::Kind::kState, RoomUpdateEntry(update->resumed, update->reason));
  }
}

// One comparison of what a line lists with what the channel was given and has said.
class RoomComparison {
 public:
  explicit RoomComparison(RoomHistory& history) : history_(history) {}

  std::string Run(const JsonArray& entries) {
    for (const JsonValue& entry : entries) Take(*entry.AsObject());
    End();
    return std::move(wrong_);
  }

 private:
  using Said = RoomHistory::Said;
  using Open = RoomHistory::Open;

  template <typename... Words>
  void Fail(const Words&... words) {
    if (wrong_.empty()) wrong_ = absl::StrCat(words...);
  }

  void Take(const JsonObject& entry) {
    if (entry.Find("call") != nullptr) return Ask(entry);
    if (entry.Find("released") != nullptr) {
      asked_.push_back(JsonObject{{"call", "unsubscribe"}});
      wants_detached_ = entry.Find("error") == nullptr;
      return Close();
    }
    if (entry.Find("ended") != nullptr) return Close();
    if (entry.Find("refused") != nullptr) return Refuse(entry);
    if (const JsonValue* const done = entry.Find("done")) {
      return Finish(*done->AsString(), entry.Find("error") == nullptr);
    }
    Tell(entry);
  }

  // --- Asked for ---

  void Ask(const JsonObject& call) {
    if (IsNamed(call, "attach") || IsNamed(call, "detach")) {
      wants_detached_ = IsNamed(call, "detach");
      const std::string& name = *call.Find("call")->AsString();
      ++history_.attaching_[name];
      if (is_closed_) ++attaching_since_[name];
      return;
    }
    if (const JsonValue* const of = call.Find("of");
        of != nullptr && IsNamed(call, "unsubscribe")) {
      dropped_.push_back(*of);
    }
    if (is_closed_ && IsGiven(call) && call.Find("id") != nullptr) {
      since_.push_back(*call.Find("id"));
    }
    asked_.push_back(Comparable(call));
  }

  // Whether the channel was given the call, by what the line says.
  static bool IsGiven(const JsonObject& call) {
    const JsonValue* const id = call.Find("id");
    return IsNamed(call, "unsubscribe") || (id != nullptr && !id->IsNull());
  }

  void Refuse(const JsonObject& entry) {
    const JsonObject& refused = *entry.Find("refused")->AsObject();
    const auto asked = std::find_if(asked_.begin(), asked_.end(), [&](const JsonObject& call) {
      if (!IsSame(Without(call, "id"), Without(refused, "id"))) return false;
      return !IsGiven(call) || (is_closed_ && !Contains(history_.ended_, *call.Find("id")));
    });
    if (asked == asked_.end()) {
      return Fail("the room refused ", Text(refused), ", which nobody asked for");
    }
    const bool is_malformed = FailsWith(entry, kMalformedRequest);
    if (!is_malformed && !FailsWith(entry, kRoomInInvalidState)) {
      return Fail("the room refused ", Text(refused),
                  " with another error than a room has: ", DebugJson(*entry.Find("error")));
    }
    // What waited for its turn at a release is made all the same, and nobody waits for the answer.
    if (IsGiven(*asked)) return history_.ended_.push_back(*asked->Find("id"));
    asked_.erase(asked);
    if (is_closed_ || is_malformed) return;
    if (IsNamed(refused, "leave")) {
      return Fail("the room refused ", Text(refused), ", and its channel was not told of it");
    }
    if (!std::all_of(history_.states_.begin(), history_.states_.end(), IsOpen)) return;
    Fail("the room refused ", Text(refused), " while its channel is ",
         AbslView(StateName(history_.states_.back())));
  }

  void Finish(const std::string& call, bool ok) {
    size_t& open = history_.attaching_[call];
    if (open == 0) return Fail("a call to ", call, " completed, and nobody has made one");
    --open;
    if (!ok) {
      if (call == "detach" && !is_closed_) wants_detached_ = false;
      return;
    }
    const bool attach = call == "attach";
    for (const ChannelState state : history_.states_) {
      if ((state == ChannelState::kAttached) == attach) return;
    }
    Fail("a call to ", call, " succeeded, and the channel is ",
         AbslView(StateName(history_.states_.back())));
  }

  // From now on nobody is told what the channel says, but of whatever comes after.
  void Close() {
    is_closed_ = true;
    ++closes_;
    dropped_.clear();
  }

  // --- Told ---

  static const JsonValue* IdOf(const Said& said) {
    return said.entry.Find(said.kind == Said::Kind::kEvent ? "to" : "result");
  }

  // Whether nobody is to be told it any more.
  bool IsVoid(const Said& said) const {
    switch (said.kind) {
      case Said::Kind::kEvent:
        return said.releases < releases_before_ + closes_ || Contains(dropped_, *IdOf(said));
      case Said::Kind::kAnswer:
        return Contains(history_.ended_, *IdOf(said));
      case Said::Kind::kState:
        break;
    }
    return false;
  }
  static bool Contains(const std::vector<JsonValue>& ids, const JsonValue& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }

  const Said* Next() {
    while (next_ < history_.said_.size() && IsVoid(history_.said_[next_])) ++next_;
    return next_ < history_.said_.size() ? &history_.said_[next_] : nullptr;
  }

  void Tell(const JsonObject& entry) {
    const JsonValue* const result = entry.Find("result");
    const auto open = result == nullptr
                          ? history_.open_.end()
                          : std::find_if(history_.open_.begin(), history_.open_.end(),
                                         [&](const Open& call) { return call.id == *result; });
    // By a release, or the end of the client, whatever the channel will answer.
    const bool is_last_word =
        is_closed_ && open != history_.open_.end() && !Contains(since_, open->id);
    if (is_last_word) {
      if (!FailsWith(entry, kRoomInInvalidState)) {
        return Fail("the room is no more, and told ", Text(entry));
      }
      history_.ended_.push_back(open->id);
      history_.open_.erase(open);
      return;
    }
    const Said* next = Next();
    while (next != nullptr && !IsIt(entry, *next, open)) {
      // Whoever listens to states after a release is another one.
      if (!is_closed_ || next->kind != Said::Kind::kState) {
        return Fail(Differ(entry, *next));
      }
      ++next_;
      next = Next();
    }
    if (next == nullptr) {
      return Fail("the room told ", Text(entry), " where its channel says nothing more");
    }
    ++next_;
    if (open != history_.open_.end()) history_.open_.erase(open);
  }

  // A leave that the room refuses fails with its error, not with the channel's.
  bool IsIt(const JsonObject& entry, const Said& said, std::vector<Open>::iterator open) const {
    const bool must_fail = open != history_.open_.end() && open->must_fail;
    if (!must_fail || said.kind != Said::Kind::kAnswer) return IsSame(entry, said.entry);
    return *IdOf(said) == open->id && FailsWith(entry, kRoomInInvalidState);
  }

  static std::string Differ(const JsonObject& entry, const Said& said) {
    std::string text =
        absl::StrCat("the room told ", Text(entry), " where its channel says ", Text(said.entry));
    const auto same = [&](std::string_view key) {
      const JsonValue* const told = entry.Find(key);
      return told != nullptr && said.entry.Find(key) != nullptr && *told == *said.entry.Find(key);
    };
    if (same("to") || same("result")) {
      absl::StrAppend(&text, ": \"", DifferingField(entry, said.entry), "\" is another");
    }
    return text;
  }

  // --- The end of the line ---

  void End() {
    CompareCalls();
    if (const Said* const next = Next(); next != nullptr && !IsForNobody()) {
      Fail("its channel says ", Text(next->entry), ", and the room told nobody");
    }
    std::erase_if(history_.open_,
                  [&](const Open& open) { return Contains(history_.ended_, open.id); });
    for (const Open& open : history_.open_) {
      if (!is_closed_ || Contains(since_, open.id)) continue;
      Fail("the call ", DebugJson(open.id), " outlives its room");
    }
    for (const auto& [call, open] : history_.attaching_) {
      if (is_closed_ && open > attaching_since_[call]) {
        Fail("a call to ", call, " outlives its room");
      }
    }
    // A listener that comes later may attach it again.
    if (wants_detached_ && std::all_of(history_.states_.begin(), history_.states_.end(), IsOpen)) {
      Fail("the room was to be detached, and its channel is ",
           AbslView(StateName(history_.states_.back())));
    }
  }

  // What is left of states after a release.
  bool IsForNobody() {
    if (!is_closed_) return false;
    for (const Said* next = Next(); next != nullptr; next = Next()) {
      if (next->kind != Said::Kind::kState) return false;
      ++next_;
    }
    return true;
  }

  void CompareCalls() {
    size_t next = 0;
    for (const JsonObject& call : asked_) {
      if (!IsGiven(call)) {
        return Fail("the room was asked ", Text(call), ", and did nothing");
      }
      if (next == history_.given_.size()) {
        return Fail("the room was asked ", Text(call), ", and its channel was not given that");
      }
      const RoomHistory::Given& given = history_.given_[next++];
      if (!IsSame(call, given.call)) {
        return Fail("the room was asked ", Text(call), ", and its channel was given ",
                    Text(given.call));
      }
      const bool is_refusable =
          !IsNamed(call, "subscribe") && !IsNamed(call, "unsubscribe") && !IsNamed(call, "leave");
      if (!given.is_open && is_refusable) {
        return Fail("the room did not refuse ", Text(call),
                    ", and its channel was neither attaching nor attached");
      }
    }
    if (next == history_.given_.size()) return;
    Fail("the channel was given ", Text(history_.given_[next].call), ", which nobody asked for");
  }

  RoomHistory& history_;
  const size_t releases_before_ = history_.releases_before_;
  std::string wrong_;
  std::deque<JsonObject> asked_;    // and not refused
  std::vector<JsonValue> dropped_;  // listeners that were unsubscribed
  std::vector<JsonValue> since_;    // calls made after it
  std::map<std::string, size_t, std::less<>> attaching_since_;
  bool is_closed_ = false;  // by a release, or the end of the client
  size_t closes_ = 0;
  bool wants_detached_ = false;  // what was asked for last
  size_t next_ = 0;              // of what the channel has said
};

std::string RoomHistory::Check(const JsonArray& entries, ChannelState now) {
  std::string wrong;
  if (bytes_ > kMaxBytes) {
    wrong = "its channel has said more since the last such line than a line can list";
  } else {
    wrong = RoomComparison(*this).Run(entries);
  }
  given_.clear();
  for (const Said& said : said_) {
    if (said.kind != Said::Kind::kAnswer || ended_.empty()) continue;
    const JsonValue id = *said.entry.Find("result");
    std::erase_if(ended_, [&](const JsonValue& ended) { return ended == id; });
  }
  said_.clear();
  states_ = {now};
  releases_before_ = releases_;
  bytes_ = 0;
  return wrong;
}

}  // namespace presence::sim
