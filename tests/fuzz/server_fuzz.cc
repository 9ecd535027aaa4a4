// Whatever arrives, on however many transports: a server keeps its invariants and promises, sends
// nothing but frames, and nothing where it has said that it would not. Each line of the input is a
// digit and what the transport of that number says; or, after a "+", something that its owner does,
// with a digit where a transport is meant:
//
//   +accept N CLIENT [KEY]  +beats N CLIENT [KEY] (with heartbeats)  +watch N CLIENT (may look on)
//   +gone N  +taken N BYTES  +granted N CLIENT  +refused N  +ended N
//   +close ID  +full  +free  +down  +wait MS (with what falls due)  +restore

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "presence/wire/frame_reader.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/owner_lines.h"

namespace presence {
namespace {

// Small, so that every bound is reached.
Server::Options Small() {
  Server::Options options;
  options.room.sync_page_size = 1;
  options.room.max_members = 4;
  options.room.max_remembered_refusals = 2;
  options.room.batch_interval = std::chrono::milliseconds(10);
  options.max_connections = 5;
  options.max_rooms = 3;
  options.max_channels = 2;
  options.max_frame_size = 1'000;
  options.unsent_pause = 1'000;
  options.unsent_drop = 3'000;
  options.unsent_total = 7'000;
  return options;
}

class Owner {
 public:
  void Line(std::string_view line) {
    if (!line.starts_with('+')) {
      const TransportHandle transport = Digit(line.substr(0, 1));
      return Apply(reader_.Read(transport, line.substr(std::min<size_t>(1, line.size()))));
    }
    const std::string_view what = NextWord(line);
    if (what == "+full") {
      const ErrorInfo full = MakeError(kRefused, "full");
      return Apply(RefuseOperations{&full});
    }
    if (what == "+free") return Apply(RefuseOperations{});
    if (what == "+down") return Apply(ShutDown{});
    if (what == "+close") return Apply(CloseConnection{line});
    if (what == "+wait") {
      return PassTime(*server_, NumberOf(line, kLongestWait), now_ms_, [this] { Wake(); });
    }
    if (what == "+restore") return Restore();
    const TransportHandle transport = Digit(NextWord(line));
    if (what == "+gone") {
      open_.erase(transport);
      return Apply(TransportGone{transport});
    }
    if (what == "+taken") {
      return Apply(BytesTaken{transport, static_cast<size_t>(NumberOf(line, 1'000'000))});
    }
    if (what == "+granted") return Apply(CredentialsGranted{transport, line, {&watch_, 1}});
    if (what == "+refused") return Apply(CredentialsRefused{transport});
    if (what == "+ended") return Apply(CredentialsEnded{transport});
    if (what == "+accept" || what == "+beats" || what == "+watch") {
      const auto [at, is_new] = open_.emplace(transport, true);
      if (!is_new && !at->second) return;  // it is not gone yet
      TransportAccepted accepted;
      accepted.transport = transport;
      ++accepted_;
      const std::string id = "c" + std::to_string(accepted_);
      const std::string key = "k" + std::to_string(accepted_);
      accepted.connection_id = id;
      accepted.connection_key = key;
      accepted.client_id = NextWord(line);
      accepted.permissions = {what == "+watch" ? &watch_ : &all_, 1};
      accepted.heartbeats = what == "+beats";
      accepted.resume_key = line;
      return Apply(accepted);
    }
  }

 private:
  static TransportHandle Digit(std::string_view text) {
    return static_cast<TransportHandle>(NumberOf(text.substr(0, 1), 9));
  }

  void Apply(const ServerInput& input) {
    const absl::Status status = server_->Apply(TimestampFromMs(now_ms_), input, effects_);
    if (!status.ok()) {
      FuzzCheck(status.code() == absl::StatusCode::kInvalidArgument ||
                    status.code() == absl::StatusCode::kNotFound,
                "refused in the wrong way", status.ToString());
      FuzzCheck(!status.message().empty() && effects_.empty(), "effects of what was refused");
    }
    CarryOut();
  }

  void Wake() {
    server_->AdvanceTo(TimestampFromMs(now_ms_), effects_);
    CarryOut();
  }

  // All transports are gone, and another server goes on.
  void Restore() {
    auto restored =
        Server::Restore(TimestampFromMs(now_ms_), server_->options(), server_->Export());
    FuzzCheck(restored.ok(), "what was exported is not restored", restored.status().ToString());
    server_ = *std::move(restored);
    open_.clear();
    effects_.Clear();
    CarryOut();
  }

  void CarryOut() {
    for (const ServerEffect& effect : effects_) {
      if (const auto* send = std::get_if<SendFrame>(&effect)) {
        FuzzCheck(!send->to.empty(), "a frame for nobody");
        for (const TransportHandle to : send->to) FuzzCheck(open_[to], "a frame for none");
        FuzzCheck(frames_.Read(send->bytes).ok(), "what is sent is no frame",
                  std::string(send->bytes));
      } else if (const auto* end = std::get_if<EndTransport>(&effect)) {
        FuzzCheck(std::exchange(open_[end->transport], false), "a transport is ended twice");
      } else if (const auto* drop = std::get_if<DropTransport>(&effect)) {
        open_[drop->transport] = false;
      } else if (const auto* event = std::get_if<RoomEvent>(&effect)) {
        FuzzCheck(!event->room.empty(), "an event of no room");
      }
    }
    const std::string broken = server_->CheckInvariants();
    FuzzCheck(broken.empty(), "an invariant does not hold", broken);
  }

  int64_t now_ms_ = 1'000;
  std::unique_ptr<Server> server_ = std::make_unique<Server>(Small());
  ServerEffects effects_;
  ServerReader reader_{Small().max_frame_size};
  wire::FrameReader frames_;
  // Transports that are not gone: whether they may be sent anything.
  std::map<TransportHandle, bool> open_;
  int accepted_ = 0;
  const Permission all_{"", true};
  const Permission watch_{"", true, kFlagPresenceSubscribe};
};

}  // namespace
}  // namespace presence

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  presence::Owner owner;
  presence::GiveLines(data, size, owner);
  return 0;
}
