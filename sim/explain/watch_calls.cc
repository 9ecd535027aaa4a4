// What the story tells of calls, of what is sent, and of own members.

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "sim/explain/story_watcher.h"

namespace presence::sim {
namespace {

constexpr Rule kCannotAttach = {"the connection cannot attach", "RTL4b"};

Rule RuleOfGetFailure(int64_t code) {
  switch (code) {
    case kOutOfSync:
      return {"members may be out of date", "RTP11d"};
    case kNoPresenceSubscribe:
      return {"no mode PRESENCE_SUBSCRIBE", "RTP11f"};
    case kMalformedRequest:
      return {"the call is malformed", {}};
    case kTooManyRequests:
      return {"too many wait", {}};
    case kConnectionFailed:
    case kConnectionSuspended:
    case kConnectionClosed:
      return kCannotAttach;
    default:
      return {"the channel cannot tell", "RTP11e"};
  }
}

}  // namespace

// Why an operation fails that the server has not refused.
Rule StoryWatcher::RuleOfFailure(int64_t code, bool was_sent, bool was_queued) const {
  const bool suspended = step_.channel->state() == ChannelState::kSuspended;
  if (was_sent) {
    const bool down = step_.channel->connection().down();
    return {"the connection will not answer it", down ? "RTN7e" : "RTN7d"};
  }
  if (was_queued) {
    return {"what is queued fails with its channel", suspended ? "RTP5f" : "RTP5a"};
  }
  switch (code) {
    case kMalformedRequest:
      return {"the call is malformed", {}};
    case kMessageTooLarge:
      return {"too large", "TO3l8"};
    case kInvalidClientId:
      return {"the connection cannot act for this client", "RTP8j"};
    case kTooManyRequests:
      return {"too many are under way", {}};
    case kChannelState:
      return {"nothing is sent or queued in this state", "RTP16c"};
    default:
      return kCannotAttach;
  }
}

// --- Own members ---

// Tells whether a client has become one to be entered again, or is so no more.
void StoryWatcher::TellOwn(std::string_view client_id, Origin by) {
  ChannelStory& story = *step_.story;
  const bool is_kept = step_.channel->own_members().Find(client_id).has_value();
  const auto known = story.own.find(client_id);
  if (is_kept == (known != story.own.end())) return;
  Message member;
  member.client_id = client_id;
  member.connection_id = step_.channel->connection().id();
  if (is_kept) {
    AddOf(StoryKind::kOwnKept, member,
          absl::StrCat(Named(client_id),
                       " is a member of our own now, and is entered again when the channel is "
                       "attached anew"),
          {"own members", "RTP17"});
    Because(by);
    story.own.emplace(client_id, Here());
  } else {
    AddOf(StoryKind::kOwnDropped, member,
          absl::StrCat(Named(client_id),
                       " is no member of our own any more, and is not entered again"),
          {"own members", "RTP17"});
    Because(by);
    Because(known->second);
    story.own.erase(known);
  }
}

// --- Calls and operations ---

void StoryWatcher::TellAcked() {
  ChannelStory& story = *step_.story;
  const auto& acked = std::get<OperationsAcked>(*step_.input);
  for (const AcknowledgedOperation& done : acked.operations) {
    const auto found = story.in_flight.find(done.token);
    if (found == story.in_flight.end() || found->second.request.has_value()) continue;
    Message member;
    member.client_id = found->second.client_id;
    AddOf(StoryKind::kReentryDone, member,
          absl::StrCat("the server has entered ", Named(found->second.client_id),
                       " again, as asked on line ", found->second.sent.line),
          {"re-entry", "RTP17g"})
        .msg_serial = done.msg_serial;
    Because(found->second.sent);
    story.in_flight.erase(found);
  }
}

void StoryWatcher::Tell(const CallResult& result) {
  TellVerdicts();
  ChannelStory& story = *step_.story;
  Call call;
  if (const auto found = calls_.find(result.request); found != calls_.end()) {
    call = std::move(found->second);
    calls_.erase(found);
  }
  const std::string name =
      absl::StrCat("call ", CallNamed(call.id),
                   call.origin.line == line_ ? "" : absl::StrCat(" of line ", call.origin.line));
  const std::string failure = result.error == nullptr ? "" : ErrorNamed(*result.error);
  const auto answer = [&](StoryKind kind, std::string words, Rule rule) {
    StoryItem& item = Add(kind, std::move(words), rule);
    item.call_id = block_.Keep(call.id);
    item.action = call.action;
    item.message.client_id = block_.Keep(call.client_id);
    Because(call.queued);
    Because(call.origin);
    return &item;
  };
  // Asked for an attach that cannot be, rather than told what became of one.
  const ChannelState state = step_.channel->state();
  const bool refused_attach =
      step_.channel->connection().down() &&
      !std::holds_alternative<ConnectionUpdate>(*step_.input) &&
      (state == ChannelState::kInitialized || state == ChannelState::kDetached);
  switch (result.kind) {
    case CallResult::Kind::kMembers:
    case CallResult::Kind::kIsPresent: {
      if (result.error != nullptr) {
        answer(StoryKind::kGetFailed, absl::StrCat(name, " fails: ", failure),
               refused_attach ? kCannotAttach : RuleOfGetFailure(result.error->code));
        return;
      }
      const std::string told = result.kind == CallResult::Kind::kIsPresent
                                   ? std::string(result.present ? "present" : "not present")
                                   : Counted(output_->members.size(), "member");
      const char* when = "";
      if (step_.completed.has_value()) {
        when = ", now that the set is complete";
      } else if (step_.channel->state() == ChannelState::kSuspended) {
        when = ", as they were before the channel was suspended";
      } else if (story.syncing) {
        when = ", though a sync runs, for it does not wait for one";
      }
      answer(StoryKind::kGetAnswered, absl::StrCat(name, " is answered: ", told, when),
             {"the set as of now", "RTP11"})
          ->count = output_->members.size();
      if (step_.completed.has_value()) Because(*step_.completed);
      return;
    }
    case CallResult::Kind::kSubscription:
      if (result.error != nullptr) {
        answer(StoryKind::kSubscribeFailed, absl::StrCat(name, " fails: ", failure),
               refused_attach ? kCannotAttach : Rule{});
      } else {
        answer(StoryKind::kSubscribed, absl::StrCat(name, " is done"), {});
      }
      return;
    case CallResult::Kind::kOperation: {
      Origin sent;
      for (auto at = story.in_flight.begin(); at != story.in_flight.end(); ++at) {
        if (at->second.request != result.request) continue;
        sent = at->second.sent;
        story.in_flight.erase(at);
        break;
      }
      const bool refused = std::holds_alternative<OperationsNacked>(*step_.input);
      if (result.error == nullptr) {
        answer(StoryKind::kOperationDone,
               absl::StrCat(name, " is done: the server acknowledged it"),
               {"acknowledged", "RTP16a"});
      } else if (refused) {
        answer(StoryKind::kOperationFailed,
               absl::StrCat(name, " fails, as the server refused it: ", failure),
               {"refused by the server", "RTN7a"});
      } else {
        answer(StoryKind::kOperationFailed, absl::StrCat(name, " fails: ", failure),
               RuleOfFailure(result.error->code, sent.item != 0, call.queued.item != 0));
      }
      Because(sent);
      TellOwn(call.client_id, Here());
      return;
    }
  }
}

void StoryWatcher::Tell(const SendAttach&) {
  TellVerdicts();
  Add(StoryKind::kSendsAttach, "ATTACH is to be sent");
  if (step_.story->state.line == line_) Because(step_.story->state);
}

void StoryWatcher::Tell(const SendDetach&) {
  TellVerdicts();
  const bool attached = std::holds_alternative<AttachedFrame>(*step_.input);
  Add(StoryKind::kSendsDetach, "DETACH is to be sent once more",
      {"the detach goes on", attached ? "RTL5k" : "RTN19b"});
}

void StoryWatcher::Tell(const SendPresence& send) {
  TellVerdicts();
  ChannelStory& story = *step_.story;
  InFlight& sent = story.in_flight[send.token];
  sent.request = send.request;
  sent.action = send.item.action;
  sent.msg_serial = output_->msg_serial;
  Message member;
  if (!send.request.has_value()) {
    sent.client_id = std::string(send.item.client_id.value_or(""));
    step_.reentered.insert(sent.client_id);
    member.client_id = sent.client_id;
    member.id = send.item.id;
    member.payload = send.item.payload;
    StoryItem& item = AddOf(
        StoryKind::kReentrySent, member,
        absl::StrCat("ENTER of ", Named(sent.client_id), " goes out as msgSerial ", sent.msg_serial,
                     ": it is a member of our own, and the channel was attached",
                     send.item.id.empty() ? "" : "; with its id, as the connection is the same"),
        {"re-entry of own members", send.item.id.empty() ? "RTP17g" : "RTP17g1"});
    item.msg_serial = sent.msg_serial;
    item.action = send.item.action;
    if (const auto own = story.own.find(sent.client_id); own != story.own.end()) {
      Because(own->second);
    }
    Because(story.state);
    sent.sent = Here();
    return;
  }
  const auto call = calls_.find(*send.request);
  Origin asked;
  Origin queued;
  std::string id;
  if (call != calls_.end()) {
    asked = call->second.origin;
    queued = call->second.queued;
    id = call->second.id;
    sent.client_id = call->second.client_id;
  }
  member.client_id = sent.client_id;
  member.payload = send.item.payload;
  std::string words = absl::StrCat(ActionNamed(static_cast<int64_t>(send.item.action)), " of call ",
                                   CallNamed(id), " goes out as msgSerial ", sent.msg_serial);
  if (queued.item != 0) {
    absl::StrAppend(&words, ", queued since line ", queued.line);
  }
  StoryItem& item = AddOf(StoryKind::kOperationSent, member, std::move(words),
                          queued.item != 0 ? Rule{"the queue goes out once attached", "RTP5b"}
                                           : Rule{"attached: sent at once", "RTP16a"});
  item.msg_serial = sent.msg_serial;
  item.action = send.item.action;
  item.call_id = block_.Keep(id);
  Because(queued);
  Because(asked);
  if (queued.item != 0) Because(story.state);
  sent.sent = Here();
}

void StoryWatcher::TellResend(const SendPresence& send) {
  // Of which channel it is, the token alone does not say; the replay does.
  const std::string_view name = output_->channel.value_or("");
  InFlight* sent = nullptr;
  for (size_t i = 0; i < channels_.size() && sent == nullptr; ++i) {
    if (replayer_.NameOf(i).value_or("") != name) continue;
    const auto found = channels_[i]->in_flight.find(send.token);
    if (found != channels_[i]->in_flight.end()) sent = &found->second;
  }
  Message member;
  if (sent != nullptr) member.client_id = sent->client_id;
  member.payload = send.item.payload;
  StoryItem& item = AddOf(
      StoryKind::kOperationResent, member,
      absl::StrCat(ActionNamed(static_cast<int64_t>(send.item.action)), ", msgSerial ",
                   output_->msg_serial,
                   sent == nullptr ? "" : absl::StrCat(", first sent on line ", sent->sent.line),
                   ", goes out again, unchanged: the transport is another one, the connection the "
                   "same"),
      {"sent again on a new transport", "RTN19a"});
  if (output_->channel.has_value()) item.channel = block_.Keep(*output_->channel);
  item.msg_serial = output_->msg_serial;
  item.action = send.item.action;
  if (sent != nullptr) Because(sent->sent);
}

void StoryWatcher::Tell(const ChannelUpdate& update) {
  ChannelStory& story = *step_.story;
  if (const auto* const nacked = std::get_if<OperationsNacked>(step_.input)) {
    // One for each re-entry that was refused, in the order of the serials.
    for (const AcknowledgedOperation& done : nacked->operations) {
      const auto found = story.in_flight.find(done.token);
      if (found == story.in_flight.end() || found->second.request.has_value()) continue;
      Message member;
      member.client_id = found->second.client_id;
      AddOf(StoryKind::kReentryFailed, member,
            absl::StrCat("the server refused to enter ", Named(found->second.client_id), " again",
                         ReasonNamed(update.reason)),
            {"a re-entry that is refused is told", "RTP17e"})
          .msg_serial = done.msg_serial;
      Because(found->second.sent);
      story.in_flight.erase(found);
      return;
    }
  }
  Add(StoryKind::kChannelUpdated,
      absl::StrCat("the channel is attached as before, ",
                   update.resumed ? "resumed" : "but the server has lost track of it",
                   ReasonNamed(update.reason)),
      {"ATTACHED while attached", "RTL12"});
}

// Attached anew, an own member is entered again unless something of it is on its way already.
void StoryWatcher::TellNotReentered() {
  if (!std::holds_alternative<AttachedFrame>(*step_.input) || step_.effects->empty()) return;
  const Channel& channel = *step_.channel;
  if (channel.state() != ChannelState::kAttached || !channel.connection().connected()) return;
  ChannelStory& story = *step_.story;
  for (const auto& [client, since] : story.own) {
    if (step_.reentered.contains(client)) continue;
    Origin way;
    bool reenters = false;
    for (const auto& [token, sent] : story.in_flight) {
      if (sent.client_id != client) continue;
      way = sent.sent;
      reenters = !sent.request.has_value();
    }
    Message member;
    member.client_id = client;
    AddOf(StoryKind::kReentrySkipped, member,
          absl::StrCat(
              Named(client), " is not entered again now: ",
              reenters ? "that it is, is under way" : "an operation of it is under way",
              way.line != 0 && way.line != line_ ? absl::StrCat(" since line ", way.line) : ""),
          {"own members with nothing under way are entered again", "RTP17g"});
    Because(way);
    Because(since);
  }
}

// A call that got neither answer nor frame: it waits.
void StoryWatcher::TellWaits() {
  const ChannelInput& input = *step_.input;
  const Channel& channel = *step_.channel;
  const auto* const get = std::get_if<GetCall>(&input);
  const auto* const is_present = std::get_if<IsUserPresentCall>(&input);
  const auto* const operation = std::get_if<OperationCall>(&input);
  if (get == nullptr && is_present == nullptr && operation == nullptr) return;
  const RequestId request = get != nullptr          ? get->request
                            : is_present != nullptr ? is_present->request
                                                    : operation->request;
  const auto found = calls_.find(request);
  if (found == calls_.end()) return;  // answered
  Call& call = found->second;
  ChannelStory& story = *step_.story;
  const std::string until =
      absl::StrCat(channel.state() == ChannelState::kDetaching
                       ? "the detach is over and the channel attached again"
                   : channel.state() == ChannelState::kAttached
                       ? (channel.connection().connected() ? "there is room in flight"
                                                           : "the connection is back")
                       : "the channel is attached");
  if (operation == nullptr) {
    const bool for_sync = channel.state() == ChannelState::kAttached;
    Add(StoryKind::kGetWaits,
        absl::StrCat("it waits until ",
                     for_sync ? SyncNamed(story.sync_id, story.sync.line) + " ends" : until),
        for_sync ? Rule{"get waits for the sync", "RTP11c1"}
                 : Rule{"get waits for the attach", "RTP11e"})
        .call_id = block_.Keep(call.id);
    Because(call.origin);
    Because(for_sync ? story.sync : story.state);
    call.queued = Here();
    return;
  }
  for (const auto& [token, sent] : story.in_flight) {
    if (sent.request == request) return;
  }
  Message member;
  member.client_id = call.client_id;
  StoryItem& item = AddOf(StoryKind::kOperationQueued, member,
                          absl::StrCat("it is queued until ", until), {"queued", "RTP16b"});
  item.call_id = block_.Keep(call.id);
  item.action = call.action;
  Because(call.origin);
  Because(story.state);
  call.queued = Here();
}

// With a new connection id, what was in flight is in the queue again, and re-entries are forgotten.
void StoryWatcher::TellRequeued() {
  ChannelStory& story = *step_.story;
  if (step_.channel->operations_in_flight() > 0) return;
  for (const auto& [token, sent] : story.in_flight) {
    if (!sent.request.has_value()) {
      if (step_.channel->Unacknowledged(token).has_value()) return;
      continue;
    }
    const auto call = calls_.find(*sent.request);
    if (call == calls_.end()) continue;
    Message member;
    member.client_id = sent.client_id;
    StoryItem& item =
        AddOf(StoryKind::kOperationRequeued, member,
              absl::StrCat(ActionNamed(static_cast<int64_t>(sent.action)), " of call ",
                           CallNamed(call->second.id), ", sent on line ", sent.sent.line,
                           ", was not acknowledged and goes back to the queue: nobody will answer "
                           "for the old connection"),
              {"queued again for the new connection", "RTL3d2"});
    item.call_id = block_.Keep(call->second.id);
    item.action = sent.action;
    Because(sent.sent);
    Because(head_);
    call->second.queued = Here();
  }
  story.in_flight.clear();
}

}  // namespace presence::sim
