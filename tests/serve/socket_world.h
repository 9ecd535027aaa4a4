#ifndef TESTS_SERVE_SOCKET_WORLD_H_
#define TESTS_SERVE_SOCKET_WORLD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
// Before Asio, as that of Boost 1.74 wants it.
#include <boost/asio/io_context.hpp>

#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "sim/world/bounds.h"
#include "sim/world/client.h"
#include "sim/world/faults.h"
#include "sim/world/network.h"
#include "sim/world/plan.h"
#include "sim/world/schedule.h"
#include "sim/world/sent_frame.h"
#include "sim/world/surroundings.h"
#include "sim/world/world_checker.h"

namespace presence::testing {

// A plan's world with a server that is a process of its own, over real sockets and by a real clock:
// the simulator's users, their clients, the network that delays and cuts, and the checks. It is not
// a function of its seed, since the server's answers come when they come; so nothing that is
// checked depends on time.
class SocketWorld : private sim::Network::Receiver {
 public:
  struct Surrounding {
    uint16_t port = 0;  // of the server, on 127.0.0.1
    // The body of an answer to GET over HTTP.
    std::function<std::string(const std::string& path)> get;
    // How often a frame of the server's reaches the client: 1, unless a test is to fail.
    std::function<int(uint32_t client, const wire::Frame& frame)> copies;
    // How long users are waited for before what they lack is called a violation: no more than a
    // guard against waiting for ever.
    std::chrono::milliseconds patience{30'000};
  };

  // The plan of this seed, its time divided by kHaste, with what a server of another process can be
  // made to do.
  static sim::Plan PlanOf(uint64_t seed);
  static constexpr int64_t kHaste = 15;
  // What the server is to be told so that it is the plan's.
  static std::vector<std::string> ServerFlags(const sim::Plan& plan);

  SocketWorld(sim::Plan plan, Surrounding surrounding);
  SocketWorld(const SocketWorld&) = delete;
  SocketWorld& operator=(const SocketWorld&) = delete;
  ~SocketWorld() override;

  // Goes through the plan, waits until all is settled, and checks what it came to. Once. What is
  // wrong; empty: nothing.
  std::string Run();

  const sim::FaultCounts& faults() const { return faults_; }
  uint64_t checks() const { return checker_.checks(); }
  // Members in the rooms at the end.
  size_t members() const { return members_; }

 private:
  class Socket;
  // What a socket has to tell, when it is its turn.
  struct News {
    uint32_t client = 0;
    uint64_t epoch = 0;
    enum class Kind : uint8_t { kFailed, kReceived, kEnded } kind = Kind::kReceived;
    std::string bytes;
  };
  // What the server has said of a room to a client on one transport since it was attached.
  struct Told {
    std::map<std::pair<std::string, std::string>, std::set<std::string>> ids;  // by member
    bool waits_for_page = false;  // it has asked for a sync, of which the last page has not come
  };

  void OnFrameUp(uint32_t client, uint64_t epoch, const sim::SentFrame& frame) override;
  void OnFrameDown(uint32_t client, const sim::SentFrame& frame) override;
  void OnTaken(uint32_t, uint64_t, size_t) override {}
  void OnEnd(uint32_t client, uint64_t epoch) override;
  void OnDisturbed(uint32_t) override {}

  int64_t RealMs() const;
  void Tell(News news);
  void Hear(const News& news);
  // Goes on until `is_over` says so; false: patience is at an end, or something is wrong.
  bool RunUntil(const std::function<bool()>& is_over);
  void Happen(const sim::Event& event);
  void Take(const sim::Step& step);
  void Connect(uint32_t client, uint64_t epoch);
  void Abort(uint64_t epoch);
  void Heal();

  void CheckOnce(uint32_t client, const wire::Frame& frame);
  bool IsSettled();
  bool AskForSyncs();
  void AskMembers();
  void CheckEnd();

  const sim::Plan plan_;
  const Surrounding surrounding_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  sim::Schedule schedule_;
  sim::FaultCounts faults_{};
  sim::BoundCounts bounds_{};
  sim::WorldChecker checker_;
  sim::SentFrames frames_;
  sim::Network network_;
  const sim::Surroundings surroundings_;
  std::vector<std::unique_ptr<sim::Client>> clients_;
  bool healed_ = false;

  std::vector<News> news_;
  wire::FrameReader reader_;
  std::vector<std::map<std::string, Told, std::less<>>> told_;  // by client, by room
  // By room: what the server lists, as a SYNC frame.
  std::vector<std::string> listed_;
  size_t members_ = 0;
  std::string wrong_;  // that the checker does not know of

  boost::asio::io_context context_{1};
  std::map<uint64_t, std::shared_ptr<Socket>> sockets_;  // by epoch
};

}  // namespace presence::testing

#endif  // TESTS_SERVE_SOCKET_WORLD_H_
