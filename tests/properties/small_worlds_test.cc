// Small worlds, all of them: what random worlds reach by luck, these reach by counting.
//
// Two members send up to three messages each, around a sync of up to two pages, with perhaps one
// restart of the sync and perhaps one ATTACHED anywhere; every interleaving that keeps each
// sender's own order is a world. Engine and model are compared after every frame.
//
// Not all at once, which would be 400 million worlds:
//  - up to two messages in all: every action, every kind of restart and of ATTACHED;
//  - three messages in all: every action, one kind of restart and of ATTACHED;
//  - up to three messages each: ENTER and LEAVE, the sync's two pages and nothing else.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "tests/model/channel_model.h"
#include "tests/model/lines.h"
#include "tests/properties/command.h"
#include "tests/properties/driver.h"

namespace presence {
namespace {

// A frame, made once and used in many worlds.
class Frame {
 public:
  explicit Frame(Command command) : command_(std::move(command)), input_(command_) {}
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  const Command& command() const { return command_; }
  const ChannelInput& input() const { return input_.input(); }
  Timestamp now() const { return TimestampFromMs(command_.t); }

 private:
  const Command command_;
  const InputOf input_;
};

using Frames = std::vector<const Frame*>;

class SmallWorlds : public testing::Test {
 protected:
  static constexpr std::array<PresenceAction, 4> kActions = {
      PresenceAction::kEnter, PresenceAction::kLeave, PresenceAction::kUpdate,
      PresenceAction::kPresent};

  SmallWorlds() {
    for (size_t member = 0; member < 2; ++member) {
      for (size_t place = 0; place < 3; ++place) {
        for (const PresenceAction action : kActions) {
          messages_[member][place].push_back(Make(MessageFrame(member, place, action)));
        }
      }
    }
    first_page_ = Make(Page("s1:x", 0));
    last_page_ = Make(Page("s1:", 1));
    only_page_ = Make(Page("s1:", 0));
    restarts_ = {Make(Page("s2:x", 1)), Make(Page("s2:", 1))};
    Command attached;
    attached.kind = Command::Kind::kAttached;
    attached.t = 2000;
    empty_attached_ = Make(attached);
    attached.flags = kFlagHasPresence;
    attached_with_presence_ = Make(attached);
    attached_ = {attached_with_presence_.get(), empty_attached_.get()};
  }

  // Every world of so many messages, of the first `actions` actions.
  void Run(size_t of_first, size_t of_second, size_t actions, size_t kinds, bool disturbed) {
    ForEachSequence(0, of_first, actions, [&](const Frames& first) {
      ForEachSequence(1, of_second, actions, [&](const Frames& second) {
        for (const Frames& pages :
             {Frames(), Frames{only_page_.get()}, Frames{first_page_.get(), last_page_.get()}}) {
          Interleave({first, second, pages, {}, {}});
          if (!disturbed) continue;
          for (size_t i = 0; i < kinds; ++i) {
            Interleave({first, second, pages, {restarts_[i].get()}, {}});
            Interleave({first, second, pages, {}, {attached_[i]}});
            for (size_t j = 0; j < kinds; ++j) {
              Interleave({first, second, pages, {restarts_[i].get()}, {attached_[j]}});
            }
          }
        }
      });
    });
  }

  uint64_t worlds() const { return worlds_; }

 private:
  using Streams = std::array<Frames, 5>;
  using FramePtr = std::unique_ptr<Frame>;

  static FramePtr Make(Command command) { return std::make_unique<Frame>(std::move(command)); }

  static OwnedItem Item(size_t member, size_t serial, PresenceAction action) {
    OwnedItem item;
    item.action = static_cast<int64_t>(action);
    item.client_id = "ann";  // one client on two connections, so that connections are counted
    item.connection_id = member == 0 ? "a" : "b";
    item.id = item.connection_id + ":" + std::to_string(serial) + ":0";
    item.timestamp = 1000 + static_cast<int64_t>(serial);
    return item;
  }

  static Command MessageFrame(size_t member, size_t place, PresenceAction action) {
    Command command;
    command.kind = Command::Kind::kPresence;
    command.t = 2000;
    command.items = {Item(member, place + 1, action)};
    // The second member never leaves by itself, the server loses it: the other rule of newness.
    if (member == 1 && action == PresenceAction::kLeave) command.items[0].id.clear();
    return command;
  }

  // A page says of one member what it was after its first message.
  static Command Page(const std::string& channel_serial, size_t member) {
    Command command;
    command.kind = Command::Kind::kSync;
    command.t = 2000;
    command.channel_serial = channel_serial;
    command.items = {Item(member, 1, PresenceAction::kPresent)};
    return command;
  }

  template <typename Take>
  void ForEachSequence(size_t member, size_t length, size_t actions, Take take) {
    size_t sequences = 1;
    for (size_t i = 0; i < length; ++i) sequences *= actions;
    for (size_t sequence = 0; sequence < sequences; ++sequence) {
      Frames frames;
      size_t rest = sequence;
      for (size_t place = 0; place < length; ++place) {
        frames.push_back(messages_[member][place][rest % actions].get());
        rest /= actions;
      }
      take(frames);
    }
  }

  void Interleave(const Streams& streams) {
    std::array<size_t, 5> taken{};
    Frames world;
    Interleave(streams, taken, world);
  }

  void Interleave(const Streams& streams, std::array<size_t, 5>& taken, Frames& world) {
    bool complete = true;
    for (size_t i = 0; i < streams.size(); ++i) {
      if (taken[i] == streams[i].size()) continue;
      complete = false;
      world.push_back(streams[i][taken[i]++]);
      Interleave(streams, taken, world);
      --taken[i];
      world.pop_back();
    }
    if (complete) RunWorld(world);
  }

  void RunWorld(const Frames& world) {
    ++worlds_;
    Channel channel{Channel::Options()};
    ChannelModel model{ChannelModel::Options()};
    bool same = SameAfter(channel, model, *empty_attached_);
    for (const Frame* frame : world) same = same && SameAfter(channel, model, *frame);
    same = same && SnapshotOf(channel) == model.snapshot() && channel.CheckInvariants().empty();
    if (!same) Fail(world);
  }

  bool SameAfter(Channel& channel, ChannelModel& model, const Frame& frame) {
    const absl::Status status = channel.Apply(frame.now(), frame.input(), effects_);
    const std::optional<Lines> expected = model.Apply(frame.now(), frame.input());
    return status.ok() && expected && LinesOf(effects_) == *expected;
  }

  // Once more, slowly, with everything shown and a trace written.
  void Fail(const Frames& world) const {
    Driver driver{Channel::Options()};
    std::string difference = "none, the second time";
    try {
      driver.Do(empty_attached_->command());
      for (const Frame* frame : world) driver.Do(frame->command());
    } catch (const std::runtime_error& error) {
      difference = error.what();
    }
    std::string text;
    for (const std::string& line : driver.trace()) text += line + "\n";
    throw std::runtime_error(
        "world " + std::to_string(worlds_) + ":\n" + text + difference +
        "\nThe trace, for `presence replay --check`: " + WriteTrace("SmallWorlds", driver.trace()));
  }

  std::array<std::array<std::vector<FramePtr>, 3>, 2> messages_;
  FramePtr first_page_;
  FramePtr last_page_;
  FramePtr only_page_;
  std::array<FramePtr, 2> restarts_;
  FramePtr empty_attached_;
  std::array<const Frame*, 2> attached_;
  FramePtr attached_with_presence_;
  Effects effects_;
  uint64_t worlds_ = 0;
};

TEST_F(SmallWorlds, EngineAndModelAgreeInEveryOne) {
  const auto start = std::chrono::steady_clock::now();
  for (size_t first = 0; first <= 3; ++first) {
    for (size_t second = 0; first + second <= 3; ++second) {
      const size_t kinds = first + second <= 2 ? 2 : 1;
      Run(first, second, kActions.size(), kinds, true);
    }
  }
  const uint64_t disturbed = worlds();
  for (size_t first = 1; first <= 3; ++first) {
    for (size_t second = 1; second <= 3; ++second) {
      if (first + second > 3) Run(first, second, 2, 0, false);
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << worlds() << " worlds in " << seconds.count() << " s\n";
  EXPECT_EQ(disturbed, 460'763u);
  EXPECT_EQ(worlds(), 529'467u);
}

}  // namespace
}  // namespace presence
