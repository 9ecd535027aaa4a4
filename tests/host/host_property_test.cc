// A host alone under random inputs, sensible or not: it is a function of its inputs, and one that
// was restored anywhere goes on as if nothing had happened.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/flags.h"
#include "presence/host/room_host.h"
#include "presence/wire/host_frame.h"
#include "presence/wire/snapshot.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

struct Input {
  int kind = 0;
  int connection = 0;
  int serial = 0;
  int items = 0;
  int what = 0;
  int wait = 0;
};

std::ostream& operator<<(std::ostream& out, const Input& input) {
  return out << "kind=" << input.kind << " connection=" << input.connection
             << " serial=" << input.serial << " items=" << input.items << " what=" << input.what
             << " wait=" << input.wait;
}

// A host, and what it did as text: everything that anybody could notice.
class Recorder {
 public:
  // `mask` makes the handles: they decide nothing.
  explicit Recorder(const RoomHost::Options& options, ConnectionHandle mask = 0, bool pauses = true)
      : options_(options),
        mask_(mask),
        pauses_(pauses),
        host_(std::make_unique<RoomHost>(options)) {
    for (int connection = 0; connection < 4; ++connection) {
      for (const int kind : {0, 4}) Do({.kind = kind, .connection = connection, .what = 3});
    }
  }

  std::string Do(const Input& input) {
    now_ += input.wait;
    const Timestamp now = TimestampFromMs(now_);
    const std::string id = "c" + std::to_string(input.connection);
    const ConnectionHandle handle = static_cast<ConnectionHandle>(input.connection) ^ mask_;
    const ErrorInfo no = HostErrorOf(40160);
    // Mostly the next serial; a small one stands for an operation that is sent again.
    const int64_t serial = input.serial > 3 ? next_serial_++ : next_serial_ - input.serial;
    std::vector<std::string> texts;
    texts.reserve(16);
    Items items;
    absl::Status status;
    switch (input.kind) {
      case 0:
        status = host_->Apply(now, ConnectionOpened{handle, id, input.what % 4 == 0 ? "u1" : "*"},
                              effects_);
        break;
      case 1:
        status = host_->Apply(now, ConnectionLost{handle}, effects_);
        break;
      case 2:
        status = host_->Apply(now, ConnectionResumed{handle}, effects_);
        break;
      case 3:
        status = host_->Apply(now, ConnectionClosed{handle}, effects_);
        break;
      case 4:
        status = host_->Apply(
            now,
            AttachRequest{handle, input.what == 0 ? kFlagPresence : 0,
                          input.what == 2 ? kFlagSubscribe | kFlagPresence : kFlagModes,
                          input.what == 1 ? &no : nullptr},
            effects_);
        break;
      case 5:
        status = host_->Apply(now, DetachRequest{handle}, effects_);
        break;
      case 6:
        host_->AdvanceTo(now, effects_);
        break;
      case 8:
        status = host_->Apply(now, SyncRequest{handle}, effects_);
        break;
      case 9:
        if (!pauses_) return {};
        status = host_->Apply(now, PagesPaused{handle, input.what % 3 != 0}, effects_);
        break;
      default:
        for (int i = 0; i < input.items; ++i) {
          const auto action = static_cast<PresenceAction>(2 + (input.what + i) % 3);
          texts.push_back("u" + std::to_string((input.what + i) % 4));
          const std::string& client = texts.back();
          texts.push_back("data " + std::to_string(serial));
          const std::string_view data = texts.back();
          items.push_back(Op(action, client, i % 2 == 0 ? data : ""));
          if (input.what == 7) {
            texts.push_back(id + ":" + std::to_string(serial - 1) + ":0");
            items.back().id = texts.back();
          }
          if (input.what == 8) items.back().action = 0;
        }
        status = host_->Apply(
            now, PresenceRequest{handle, serial, items, input.what == 9 ? &no : nullptr}, effects_);
    }
    Note(input.kind, handle, input.what % 3 != 0, status.ok());
    std::string told = status.ToString() + "\n";
    if (input.kind != 9) all_but_pages_ += told;
    for (const HostEffect& effect : effects_) {
      const size_t before = told.size();
      if (const auto* event = std::get_if<MemberEvent>(&effect)) {
        told += "event " + std::to_string(static_cast<int>(event->type)) + " " +
                std::to_string(static_cast<int>(event->reason)) + " " +
                std::to_string(event->connections) + " " +
                LineOf({PresenceAction::kPresent, event->message});
      } else {
        if (const auto* broadcast = std::get_if<Broadcast>(&effect)) {
          for (const ConnectionHandle to : broadcast->to) told += IdOf(to) + " ";
        }
        std::visit(
            [&](const auto& reply) {
              if constexpr (requires { ConnectionHandle{reply.to}; }) told += IdOf(reply.to) + " ";
            },
            effect);
        wire::AppendHostFrame("room", effect, told);
      }
      told += '\n';
      if (!std::holds_alternative<SyncPage>(effect)) all_but_pages_ += told.substr(before);
    }
    const auto deadline = host_->NextDeadline();
    return told + (deadline ? std::to_string(ToMs(*deadline)) : "never");
  }

  // By way of its text.
  void Restore() {
    std::string text;
    wire::AppendSnapshot(host_->Export(), text);
    const absl::StatusOr<RoomSnapshot> parsed = wire::ParseSnapshot(text);
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == host_->Export());
    absl::StatusOr<std::unique_ptr<RoomHost>> restored = RoomHost::Restore(options_, *parsed);
    RC_ASSERT(restored.status().ToString() == absl::OkStatus().ToString());
    host_ = *std::move(restored);
    for (const ConnectionHandle handle : paused_) {
      RC_ASSERT(host_->Apply(host_->room_time(), PagesPaused{handle}, effects_).ok());
    }
  }

  // Nobody is paused any more, and what is due happens until nothing is.
  void Drain() {
    for (int connection = 0; connection < 4; ++connection) {
      Do({.kind = 9, .connection = connection, .what = 0});
    }
    while (host_->running_syncs() > 0) {
      now_ = std::max(now_, ToMs(*host_->NextDeadline()));
      Do({.kind = 6});
    }
  }
  // What it has told but for pages of syncs, batches and deadlines of all of them.
  const std::string& all_but_pages() const { return all_but_pages_; }

  const RoomHost& host() const { return *host_; }

 private:
  // A pause ends with the transport.
  void Note(int kind, ConnectionHandle handle, bool pause, bool ok) {
    if (!ok) return;
    if (kind == 1 || kind == 3) paused_.erase(handle);
    if (kind == 9) pause ? void(paused_.insert(handle)) : void(paused_.erase(handle));
  }
  std::string IdOf(ConnectionHandle handle) const { return "c" + std::to_string(handle ^ mask_); }

  const RoomHost::Options options_;
  const ConnectionHandle mask_;
  const bool pauses_;  // else it is never told to pause
  std::set<ConnectionHandle> paused_;
  std::string all_but_pages_;
  std::unique_ptr<RoomHost> host_;
  HostEffects effects_;
  int64_t now_ = 1000;
  int64_t next_serial_ = 0;
};

rc::Gen<std::vector<Input>> GenInputs() {
  const auto input = rc::gen::construct<Input>(
      rc::gen::weightedElement<int>(
          {{3, 0}, {3, 1}, {6, 2}, {1, 3}, {6, 4}, {1, 5}, {8, 6}, {40, 7}, {3, 8}, {4, 9}}),
      rc::gen::inRange(0, 4), rc::gen::inRange(0, 40), rc::gen::inRange(0, 5),
      rc::gen::inRange(0, 12), rc::gen::element(0, 0, 1, 5, 12, -3));
  return rc::gen::resize(120, rc::gen::container<std::vector<Input>>(input));
}

rc::Gen<RoomHost::Options> GenOptions() {
  return rc::gen::map(rc::gen::tuple(rc::gen::element(1, 2, 100), rc::gen::element(0, 5),
                                     rc::gen::element(0, 30, 30), rc::gen::element(0, 10),
                                     rc::gen::element(2, 100), rc::gen::element(3, 100)),
                      [](const std::tuple<int, int, int, int, int, int>& chosen) {
                        const auto& [page, interval, grace, batch, in_batch, most] = chosen;
                        RoomHost::Options options;
                        options.sync_page_size = static_cast<size_t>(page);
                        options.sync_page_interval = std::chrono::milliseconds(interval);
                        options.grace_period = std::chrono::milliseconds(grace);
                        options.batch_interval = std::chrono::milliseconds(batch);
                        options.max_batch = static_cast<size_t>(in_batch);
                        options.max_members = static_cast<size_t>(most);
                        options.max_in_flight = static_cast<size_t>(most);
                        options.max_remembered_refusals = 2;
                        return options;
                      });
}

RC_GTEST_PROP(Host, TheSameInputsHaveTheSameEffectsWhateverTheHandles, ()) {
  const RoomHost::Options options = *GenOptions();
  const std::vector<Input> inputs = *GenInputs();
  Recorder one(options);
  Recorder other(options, *rc::gen::element<ConnectionHandle>(0, 1, 2, 3, ~ConnectionHandle{0}));
  for (const Input& input : inputs) RC_ASSERT(one.Do(input) == other.Do(input));
}

RC_GTEST_PROP(Host, RestoredAnywhereItGoesOnAsIfNothingHadHappened, ()) {
  const RoomHost::Options options = *GenOptions();
  const std::vector<Input> inputs = *GenInputs();
  const size_t stop = *rc::gen::inRange<size_t>(0, inputs.size() + 1);
  Recorder one(options);
  Recorder other(options);
  bool syncing = false;
  bool pending = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i == stop) {
      syncing = other.host().running_syncs() > 0;
      pending = other.host().pending_items() > 0;
      other.Restore();
    }
    RC_ASSERT(one.Do(inputs[i]) == other.Do(inputs[i]));
    RC_ASSERT(one.host().Export() == other.host().Export());
  }
  RC_CLASSIFY(syncing, "in a sync");
  RC_CLASSIFY(pending, "in a batch");
}

RC_GTEST_PROP(Host, APauseChangesNothingButWhenPagesCome, ()) {
  const RoomHost::Options options = *GenOptions();
  const std::vector<Input> inputs = *GenInputs();
  Recorder one(options);
  Recorder other(options, 0, /*pauses=*/false);
  bool differed = false;
  for (const Input& input : inputs) differed |= one.Do(input) != other.Do(input);
  one.Drain();
  RC_ASSERT(one.host().running_syncs() == 0u);
  // What happened by the way is the time of the last page, perhaps.
  RC_ASSERT(one.all_but_pages().starts_with(other.all_but_pages()));
  RC_CLASSIFY(differed, "a page waited");
}

RC_GTEST_PROP(Host, ItsInvariantsHoldWhateverComes, ()) {
  const RoomHost::Options options = *GenOptions();
  const std::vector<Input> inputs = *GenInputs();
  Recorder recorder(options);
  for (const Input& input : inputs) {
    recorder.Do(input);
    RC_ASSERT(recorder.host().CheckInvariants() == "");
    RC_ASSERT(recorder.host().size() <= options.max_members);
  }
  RC_CLASSIFY(recorder.host().size() > 0, "with members");
  RC_CLASSIFY(recorder.host().stats().connections_expired > 0, "a grace period ended");
}

}  // namespace
}  // namespace presence
