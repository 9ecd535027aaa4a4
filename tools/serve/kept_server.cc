#include "tools/serve/kept_server.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "presence/wire/snapshot.h"

namespace presence::serve {
namespace {

std::string Text(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

ErrorInfo CannotKeep(const absl::Status& status) {
  return {kRefused, 503,
          status.code() == absl::StatusCode::kResourceExhausted
              ? "the server has no room to keep what it is told"
              : "the server cannot keep what it is told",
          nullptr};
}

// All there is, for a process that begins with it.
StateTransaction ExportOf(const Server& server, std::chrono::milliseconds ahead) {
  StateTransaction transaction;
  transaction.options = TextOfOptions(server.options());
  wire::AppendSnapshot(server.ExportWithTransports(), transaction.snapshot);
  if (ahead.count() > 0) transaction.inputs.push_back(RecordOfJump(server.server_time(), ahead));
  return transaction;
}

}  // namespace

KeptServer::KeptServer(Parts parts, KeptState state)
    : parts_(std::move(parts)), server_(std::move(state.server)), ahead_(state.ahead) {}

// --- Inputs ---

void KeptServer::Apply(const ServerInput& input) {
  if (std::holds_alternative<BytesTaken>(input) && is_kept()) {
    // It is not written, so it must not be seen by later inputs, not even by their time.
    return Do(server_->server_time(), input);
  }
  if (!is_kept() || (failing_ && !is_writing_)) return Take(parts_.now(), input);
  Add(RecordOf(parts_.now(), input));
}

void KeptServer::Jump(std::chrono::milliseconds by) {
  if (!is_kept() || (failing_ && !is_writing_)) return DoJump(by);
  Add(RecordOfJump(parts_.now(), by));
}

void KeptServer::CallInTurn(std::function<void()> call) {
  if (added_ == done_) return call();
  in_turn_.emplace_back(added_, std::move(call));
}

void KeptServer::CallWhoseTurnItIs() {
  while (!in_turn_.empty() && in_turn_.front().first <= done_) {
    const std::function<void()> call = std::move(in_turn_.front().second);
    in_turn_.pop_front();
    call();
  }
}

void KeptServer::Advance() {
  if (failing_ && !is_writing_ && try_at_.has_value() && *try_at_ <= parts_.now()) {
    try_at_.reset();
    Write();
  }
  if (is_kept() && (!failing_ || is_writing_)) {
    if (std::exchange(advancing_, true)) return;
    return Add(RecordOfDeadline(parts_.now()));
  }
  server_->AdvanceTo(parts_.now(), effects_);
  parts_.carry_out(effects_);
}

std::optional<Timestamp> KeptServer::NextDeadline() const {
  std::optional<Timestamp> next;
  if (!advancing_) next = server_->NextDeadline();
  if (try_at_.has_value()) next = std::min(next.value_or(*try_at_), *try_at_);
  return next;
}

// An input, when it is its turn.
void KeptServer::Take(Timestamp time, const ServerInput& input) {
  if (const auto* const refuse = std::get_if<RefuseOperations>(&input)) {
    refusal_.reset();
    if (refuse->error != nullptr) refusal_ = RecordOf({}, input);
    if (failing_) return;  // while nothing can be written, that is the reason
  }
  Do(time, input);
}

// What this changes is what `now` gives for all that comes later.
void KeptServer::DoJump(std::chrono::milliseconds by) {
  ahead_ += by;
  parts_.jump(by);
}

void KeptServer::Do(Timestamp time, const ServerInput& input) {
  if (const absl::Status status = server_->Apply(time, input, effects_); !status.ok()) {
    return parts_.refused(input, status);
  }
  parts_.carry_out(effects_);
}

void KeptServer::Do(const InputRecord& record) {
  const auto input = reader_.Read(record);
  if (!input.ok()) return Log("an input was not understood: " + Text(input.status()));
  if (const auto* const one = std::get_if<ServerInput>(&*input)) return Take(record.time, *one);
  if (const auto* const jumped = std::get_if<ClockJumped>(&*input)) return DoJump(jumped->by);
  advancing_ = false;
  server_->AdvanceTo(record.time, effects_);
  parts_.carry_out(effects_);
}

void KeptServer::Do(std::vector<InputRecord> records) {
  for (const InputRecord& record : records) {
    Do(record);
    ++done_;
    CallWhoseTurnItIs();
  }
}

// --- Writing ---

void KeptServer::Add(InputRecord record) {
  ++added_;
  waiting_bytes_ += record.bytes();
  waiting_.push_back(std::move(record));
  if (!is_writing_) Write();
}

void KeptServer::AddExport(StateTransaction& transaction) {
  transaction = ExportOf(*server_, ahead_);
  export_bytes_ = transaction.snapshot.size();
  exporting_ = true;
  if (!refusal_.has_value()) return;
  InputRecord again = *refusal_;
  again.time = server_->server_time();
  transaction.inputs.push_back(std::move(again));
}

// Writes all that waits; if it could not be written before, everything.
void KeptServer::Write() {
  StateTransaction transaction;
  if (failing_ || written_since_ >= std::max(parts_.export_after, export_bytes_)) {
    AddExport(transaction);
  }
  writing_ = std::exchange(waiting_, {});
  writing_bytes_ = waiting_bytes_;
  transaction.inputs.insert(transaction.inputs.end(), writing_.begin(), writing_.end());
  is_writing_ = true;
  ++stats_.writes;
  parts_.store->Write(std::move(transaction),
                      [this](const absl::Status& status) { OnWritten(status); });
}

void KeptServer::OnWritten(const absl::Status& status) {
  is_writing_ = false;
  const bool exported = std::exchange(exporting_, false);
  std::vector<InputRecord> written = std::exchange(writing_, {});
  waiting_bytes_ -= writing_bytes_;
  if (status.ok()) {
    stats_.inputs_written += written.size();
    if (exported) {
      ++stats_.exports_written;
      written_since_ = 0;
    }
    written_since_ += writing_bytes_;
    if (failing_) EndFailing();
  } else {
    ++stats_.writes_failed;
    BeginFailing(status);
  }
  // What comes of these waits for the next write.
  is_writing_ = !failing_;
  Do(std::move(written));
  is_writing_ = false;
  if (failing_) {
    // What came meanwhile is done, too, and nobody waits for it any more.
    waiting_bytes_ = 0;
    Do(std::exchange(waiting_, {}));
  } else if (!waiting_.empty()) {
    Write();
  }
  if (HasRoom()) {
    for (const auto& call : std::exchange(when_room_, {})) call();
  }
}

void KeptServer::BeginFailing(const absl::Status& status) {
  try_at_ = parts_.now() + try_after_;
  if (failing_) {
    try_after_ = std::min(2 * try_after_, kTryAgainAtMost);
    try_at_ = parts_.now() + try_after_;
    effects_.Clear();
    return parts_.carry_out(effects_);  // there is another deadline
  }
  failing_ = true;
  try_after_ = kTryAgain;
  Log(absl::StrCat(Text(status), "; operations are refused until it works again"));
  const ErrorInfo error = CannotKeep(status);
  Do(server_->server_time(), RefuseOperations{&error});
}

void KeptServer::EndFailing() {
  failing_ = false;
  Log("the state is written again");
  if (refusal_.has_value()) {
    const InputRecord again = *refusal_;
    Do(again);
  } else {
    Do(server_->server_time(), RefuseOperations{});
  }
}

absl::Status KeptServer::Finish() {
  if (!is_kept()) return absl::OkStatus();
  // What is being written was answered to nobody.
  std::vector<InputRecord> rest = std::exchange(writing_, {});
  rest.insert(rest.end(), waiting_.begin(), waiting_.end());
  waiting_.clear();
  is_writing_ = true;  // nothing more is
  Do(std::move(rest));
  StateTransaction transaction;
  refusal_.reset();
  AddExport(transaction);
  return parts_.store->WriteLast(transaction);
}

void KeptServer::CallWhenThereIsRoom(std::function<void()> then) {
  when_room_.push_back(std::move(then));
}

void KeptServer::Log(const std::string& line) const {
  if (parts_.log != nullptr) parts_.log(line);
}

// --- At the start ---

absl::StatusOr<KeptState> RestoreFrom(StateFile& file, Timestamp wall,
                                      const Server::Options& options) {
  std::unique_ptr<Server> before;
  KeptState state;
  RecordReader reader;
  ServerEffects for_nobody;
  const auto wrong = [](const absl::Status& status) {
    return absl::DataLossError(
        absl::StrCat("the state cannot be used: ", Text(status),
                     "; restore a copy of it, or move it away to begin with nobody present"));
  };
  const auto take_export = [&](const StateFile::Kept& kept) -> absl::Status {
    if (kept.options.empty()) return absl::OkStatus();
    const absl::StatusOr<Server::Options> read = ReadOptions(kept.options);
    if (!read.ok()) return wrong(read.status());
    const absl::StatusOr<ServerSnapshot> snapshot = wire::ParseServerSnapshot(kept.snapshot);
    if (!snapshot.ok()) return wrong(snapshot.status());
    auto replica = Server::Replicate(*read, *snapshot);
    if (!replica.ok()) return wrong(replica.status());
    before = *std::move(replica);
    return absl::OkStatus();
  };
  const auto take_input = [&](const InputRecord& record) -> absl::Status {
    if (before == nullptr) return wrong(absl::DataLossError("inputs without an export"));
    const auto input = reader.Read(record);
    if (!input.ok()) return wrong(input.status());
    if (const auto* const one = std::get_if<ServerInput>(&*input)) {
      // What was refused then is refused now, and changes nothing.
      before->Apply(record.time, *one, for_nobody).IgnoreError();
    } else if (const auto* const jumped = std::get_if<ClockJumped>(&*input)) {
      state.ahead += jumped->by;
    } else {
      before->AdvanceTo(record.time, for_nobody);
    }
    return absl::OkStatus();
  };
  if (const absl::Status status = file.Read(take_export, take_input); !status.ok()) return status;
  state.server = std::make_unique<Server>(options);
  if (before != nullptr) {
    const Timestamp now = std::max(wall + state.ahead, before->server_time());
    auto restored = Server::Restore(now, options, before->Export());
    if (!restored.ok()) return wrong(restored.status());
    state.server = *std::move(restored);
  }
  const StateTransaction transaction = ExportOf(*state.server, state.ahead);
  if (const absl::Status status = file.Write(transaction); !status.ok()) return status;
  return state;
}

}  // namespace presence::serve
