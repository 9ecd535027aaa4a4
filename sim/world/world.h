#ifndef SIM_WORLD_WORLD_H_
#define SIM_WORLD_WORLD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/world/bounds.h"
#include "sim/world/client.h"
#include "sim/world/faults.h"
#include "sim/world/gateway.h"
#include "sim/world/interference.h"
#include "sim/world/network.h"
#include "sim/world/plan.h"
#include "sim/world/recording.h"
#include "sim/world/schedule.h"
#include "sim/world/sent_frame.h"
#include "sim/world/world_checker.h"

namespace presence::sim {

// What came of a run.
struct WorldResult {
  struct Failure {
    WorldChecker::Violation violation;
    int64_t at_ms = 0;    // virtual time, from the start
    uint32_t step = 0;    // the last step of the plan that was taken, by index
    uint64_t events = 0;  // that the world had gone through
  };
  std::optional<Failure> failure;
  int64_t virtual_ms = 0;
  uint64_t frames = 0;           // delivered, in both directions
  uint64_t presence_frames = 0;  // of these, PRESENCE and SYNC
  uint64_t items = 0;            // in the frames of PRESENCE and SYNC that the host sent
  uint64_t bytes = 0;            // of the frames delivered
  uint64_t checks = 0;
  uint64_t steps = 0;
  FaultCounts faults{};
  BoundCounts bounds{};

  // Adds the counts of another run.
  void Add(const WorldResult& other);
};

// One process, one thread, one seed: hosts, clients and the network between them, on virtual time.
// A run is a pure function of its plan.
class World : private Network::Receiver {
 public:
  // After the faults have stopped, in virtual time, all must be quiet and agree.
  static constexpr int64_t kQuietWithinMs = 120'000;
  // In a world that is endless it is looked at after so long, and after each sync that mends it.
  static constexpr int64_t kLookAfterMs = 100'000;
  static constexpr int64_t kSyncWithinMs = 5'000;

  // Records all clients if `record` is set. `interference` must outlive the world. `frames` are
  // those of an earlier world, to be used again, on its thread alone; null: new ones.
  explicit World(Plan plan, bool record = false, Interference* interference = nullptr,
                 std::shared_ptr<SentFrames> frames = nullptr);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() override;

  // Runs until all is quiet, or something is wrong. Once.
  WorldResult Run();

  // Of a client, after the run; null if it was not recorded.
  const Recording* recording(uint32_t client) const { return recordings_[client].get(); }

 private:
  void OnFrameUp(uint32_t client, uint64_t epoch, const SentFrame& frame) override;
  void OnFrameDown(uint32_t client, const SentFrame& frame) override;
  void OnTaken(uint32_t client, uint64_t epoch, size_t bytes) override {
    gateway_.OnTaken(client, epoch, bytes);
  }
  void OnEnd(uint32_t client, uint64_t epoch) override;
  void OnDisturbed(uint32_t client) override { checker_.OnDisturbed(client); }

  void Happen(const Event& event);
  void Take(const Step& step);
  void OnConnectArrives(uint32_t client, uint64_t epoch);
  void Cut(uint32_t client, int64_t client_notices_ms, int64_t server_notices_ms,
           int64_t closed_for_ms);
  void CutOnOperation(uint32_t client, uint64_t epoch);
  void CutForGood(uint32_t client, Random& random);
  void CutInTime(uint32_t client, Random& random);
  void CheckClient(uint32_t client);
  void Heal();
  // Runs until nothing is left to happen, or, in an endless world, until `until_ms`; false: not in
  // time, or something is wrong.
  bool RunUntilQuiet(int64_t until_ms);
  bool Swallows(uint32_t client);
  bool SomebodyIsDisturbed();
  std::optional<uint32_t> WitnessOf(uint32_t room) const;
  void CheckQuiet();
  void CountFault(StepKind kind);

  const Plan plan_;
  Schedule schedule_;
  FaultCounts faults_{};
  BoundCounts bounds_{};
  WorldChecker checker_;
  const std::shared_ptr<SentFrames> frames_;
  Network network_;
  const Surroundings surroundings_;
  Gateway gateway_;
  std::vector<std::unique_ptr<Recording>> recordings_;
  std::vector<std::unique_ptr<Client>> clients_;
  uint64_t events_ = 0;
  uint64_t steps_ = 0;
  uint32_t last_step_ = 0;
  bool healed_ = false;
  // By client: when the server has taken its next operation, its transport is cut.
  std::vector<std::optional<uint64_t>> cuts_on_operation_;
  // By client: the next attempt to connect, ATTACH or DETACH is not answered.
  std::vector<bool> swallows_;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_WORLD_H_
