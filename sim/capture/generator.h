#ifndef SIM_CAPTURE_GENERATOR_H_
#define SIM_CAPTURE_GENERATOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "sim/base/random.h"
#include "sim/capture/generated_room.h"
#include "sim/capture/generator_options.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// Makes the trace of a session that never was: what a client would have recorded in a room with a
// server that keeps to the rules. The same options give the same bytes, on any machine and in any
// build; memory is that of the members, however long the trace. One thread at a time.
class TraceGenerator {
 public:
  static constexpr std::string_view kChannel = "my-room::$chat";

  explicit TraceGenerator(const GeneratorOptions& options);
  TraceGenerator(const TraceGenerator&) = delete;
  TraceGenerator& operator=(const TraceGenerator&) = delete;

  // Appends the next lines, each ended by LF: one, or a few that belong together, or none. False:
  // there are no more.
  bool AppendNext(std::string& out);

  // So far: frames from the server, and the items on them.
  uint64_t frames() const { return frames_; }
  uint64_t items() const { return items_; }
  // Visits who is in the room by now, in no particular order; views hold during the visit.
  void ForEachMember(absl::FunctionRef<void(const Message&)> visit) const;

 private:
  // An operation of the client's own that is not answered yet.
  struct OwnOperation {
    uint32_t own = 0;
    PresenceAction action = PresenceAction::kEnter;
    uint64_t payload = 0;
    std::optional<uint64_t> serial;  // nullopt: not sent
    bool applied = false;            // by the server, which owes no more than the ACK
    bool reentry = false;
  };
  // A member of the client's own, as the client knows it.
  struct OwnMember {
    uint32_t own = 0;
    uint64_t serial = 0;
    uint64_t payload = 0;
  };
  // What an item is made of, as long as the frame that views it is written.
  struct ItemTexts {
    std::string client_id, connection_id, id, data;
  };
  enum class StormPhase : uint8_t { kJoining, kBusy, kLeaving };

  // --- What happens ---
  void Begin();
  void Step();
  void End();
  void StepOfOthers();
  void StepOfSteady();
  void StepOfStorm();
  void StepOfReconnects();
  void ChangeUnseen();
  void ExpireLost();
  void StartSync();
  void SendPage();
  bool WantsOwnOperation();
  void CallOwn(bool connected);
  void CallGet();
  void SettleOwn();
  void Acknowledge(const OwnOperation& operation);
  void Apply(const OwnOperation& operation);
  std::vector<OwnMember>::iterator FindEntered(uint32_t own);
  void LoseConnection();
  void Connect(bool resumed);
  void Attach(bool resumed);

  // --- Time ---
  void PassFrame();
  void Pass(int64_t ms);
  int64_t now_ms() const { return now_us_ / 1000; }

  // --- Lines ---
  void AddItem(PresenceAction action, const GeneratedMember& member, bool synthesized = false);
  void BroadcastItems();
  void Broadcast(PresenceAction action, const GeneratedMember& member);
  void Receive(wire::Frame& frame);
  void SendPresence(const OwnOperation& operation, bool with_client_id, std::string_view id = {});
  void AddLine(const TraceLine& line, std::string_view frame_json = {});
  void AddMembersCheck();
  Message MessageOf(const GeneratedMember& member, ItemTexts& texts) const;
  std::string OwnName(uint32_t own) const;
  bool acts_for_many() const { return options_.profile == TraceProfile::kReconnects; }
  uint32_t own_count() const { return acts_for_many() ? 3 : 1; }

  const GeneratorOptions options_;
  Random random_;
  GeneratedRoom room_;
  int64_t now_us_;  // the server's clock
  int64_t t_ = 0;   // of the last line
  uint64_t frames_ = 0;
  uint64_t items_ = 0;
  uint64_t next_channel_serial_ = 0;
  bool begun_ = false;
  bool ended_ = false;

  std::optional<GeneratedRoom::Cursor> sync_;
  std::string sync_id_;
  uint64_t next_sync_ = 0;
  uint64_t page_at_ = 0;       // the frame before which the next page goes out
  uint64_t last_sync_at_ = 0;  // the frame at which the last sync began

  uint64_t next_serial_ = 0;              // of the client's connection
  std::vector<OwnMember> entered_;        // in the order of the client's own set
  std::vector<OwnOperation> operations_;  // in the order asked
  uint64_t interruption_at_ = 0;          // the frame before which the connection is lost

  StormPhase phase_ = StormPhase::kJoining;
  uint64_t phase_left_ = 0;

  // Of the frame in hand; kept for their memory.
  std::vector<ItemTexts> texts_;
  std::vector<IncomingItem> frame_items_;
  std::string json_;
  std::string* out_ = nullptr;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_GENERATOR_H_
