#include "tests/world/planted_faults.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "presence/client/channel.h"
#include "presence/wire/frame.h"

namespace presence::sim {
namespace {

using Key = std::pair<std::string, std::string>;  // connection id, client id

Key KeyOf(const IncomingItem& item) {
  return {std::string(item.connection_id), std::string(item.client_id)};
}

bool Is(const IncomingItem& item, PresenceAction action) {
  return item.action == static_cast<int64_t>(action);
}

// Changes the items of the frames that a client is sent.
class ItemFault : public Interference {
 public:
  bool OnFrame(uint32_t client, wire::Frame& frame) override {
    if (frame.action != wire::kPresence && frame.action != wire::kSync) {
      OnOther(client, frame);
      return true;
    }
    items_.assign(frame.presence.begin(), frame.presence.end());
    texts_.clear();
    OnItems(client, frame, items_);
    frame.presence = items_;
    return true;
  }

 protected:
  virtual void OnItems(uint32_t client, const wire::Frame& frame,
                       std::vector<IncomingItem>& items) = 0;
  virtual void OnOther(uint32_t /*client*/, const wire::Frame& /*frame*/) {}
  std::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }

 private:
  std::vector<IncomingItem> items_;
  std::deque<std::string> texts_;
};

// Passes effects on more or less often than it should.
class EffectFault : public Interference {
 public:
  using Count = std::function<int(const Effect& effect, const Channel& channel)>;
  explicit EffectFault(Count count) : count_(std::move(count)) {}
  int Copies(uint32_t, const Effect& effect, const Channel& channel) override {
    return count_(effect, channel);
  }

 private:
  const Count count_;
};

bool IsLeave(const Effect& effect) {
  const auto* event = std::get_if<MemberEvent>(&effect);
  return event != nullptr && event->type == EventType::kLeave;
}

// What a page says of somebody who has left meanwhile wins.
class StalePageResurrects : public ItemFault {
  void OnItems(uint32_t client, const wire::Frame& frame,
               std::vector<IncomingItem>& items) override {
    std::set<Key>& left = left_[client];
    for (IncomingItem& item : items) {
      if (frame.action == wire::kPresence) {
        if (Is(item, PresenceAction::kLeave)) left.insert(KeyOf(item));
      } else if (left.contains(KeyOf(item))) {
        item.id = Keep(std::string(item.connection_id) + ":1000000:0");
      }
    }
  }
  void OnOther(uint32_t client, const wire::Frame& frame) override {
    if (frame.action == wire::kAttached) left_[client].clear();
  }
  std::map<uint32_t, std::set<Key>> left_;
};

// Whoever is visible survives the end of a sync, seen or not.
class ResidualKept : public ItemFault {
 public:
  int Copies(uint32_t client, const Effect&, const Channel& channel) override {
    channels_[client] = &channel;
    return 1;
  }

 private:
  void OnItems(uint32_t client, const wire::Frame& frame,
               std::vector<IncomingItem>& items) override {
    const auto channel = channels_.find(client);
    if (frame.action != wire::kSync || channel == channels_.end()) return;
    channel->second->members().ForEach([&](const Message& member) {
      IncomingItem& item = items.emplace_back();
      item.action = static_cast<int64_t>(PresenceAction::kPresent);
      item.id = member.id;
      item.client_id = member.client_id;
      item.connection_id = member.connection_id;
      item.timestamp = member.timestamp;
      item.payload = member.payload;
    });
    // The engine may move its members while it reads the items.
    for (IncomingItem& item : items) {
      item.id = Keep(std::string(item.id));
      item.client_id = Keep(std::string(item.client_id));
      item.connection_id = Keep(std::string(item.connection_id));
      item.payload.data = Keep(std::string(item.payload.data));
      if (item.payload.encoding) item.payload.encoding = Keep(std::string(*item.payload.encoding));
      if (item.payload.extras) item.payload.extras = Keep(std::string(*item.payload.extras));
    }
  }
  std::map<uint32_t, const Channel*> channels_;
};

// Who left during a sync cannot come back after it.
class TombstoneKept : public ItemFault {
  void OnItems(uint32_t client, const wire::Frame& frame,
               std::vector<IncomingItem>& items) override {
    std::set<Key>& tombstones = tombstones_[client];
    if (frame.action == wire::kSync) syncing_.insert(client);
    std::erase_if(items, [&](const IncomingItem& item) {
      if (!Is(item, PresenceAction::kLeave)) return tombstones.contains(KeyOf(item));
      if (syncing_.contains(client)) tombstones.insert(KeyOf(item));
      return false;
    });
  }
  std::set<uint32_t> syncing_;
  std::map<uint32_t, std::set<Key>> tombstones_;
};

// A late page of a sync that was discarded is taken for one of a new sync.
class LatePageStartsASync : public Interference {
  bool OnFrame(uint32_t client, wire::Frame& frame) override {
    Syncs& syncs = syncs_[client];
    if (frame.action == wire::kAttached) syncs = {};
    if (frame.action != wire::kSync) return true;
    const size_t colon = std::min(frame.channel_serial.find(':'), frame.channel_serial.size());
    const std::string id(frame.channel_serial.substr(0, colon));
    if (id == syncs.discarded) {
      serial_ = "again-" + std::string(frame.channel_serial);
      frame.channel_serial = serial_;
    } else if (id != syncs.running) {
      syncs.discarded = std::exchange(syncs.running, id);
    }
    return true;
  }
  struct Syncs {
    std::string running;
    std::string discarded;
  };
  std::map<uint32_t, Syncs> syncs_;
  std::string serial_;
};

// What concerns one connection of a user is taken for another.
class WrongConnection : public ItemFault {
  void OnItems(uint32_t, const wire::Frame&, std::vector<IncomingItem>& items) override {
    for (IncomingItem& item : items) {
      const std::string_view id = item.connection_id;
      if (id.starts_with("c4-")) item.connection_id = Keep("c0" + std::string(id.substr(2)));
    }
  }
};

// UPDATE of somebody who is there is taken for old.
class UpdatesIgnored : public ItemFault {
  void OnItems(uint32_t, const wire::Frame&, std::vector<IncomingItem>& items) override {
    std::erase_if(items,
                  [](const IncomingItem& item) { return Is(item, PresenceAction::kUpdate); });
  }
};

// A get that should wait for the sync does not.
class WaiterAnsweredEarly : public Interference {
  void OnCall(uint32_t, ChannelCall& call) override {
    if (auto* get = std::get_if<GetCall>(&call.call)) get->wait_for_sync = false;
  }
};

// The members come as a hash table has them.
class HashOrder : public Interference {
  void OnMembers(uint32_t, std::vector<Message>& members) override {
    std::sort(members.begin(), members.end(), [](const Message& a, const Message& b) {
      return std::hash<std::string_view>()(a.connection_id) <
             std::hash<std::string_view>()(b.connection_id);
    });
  }
};

// Members of one's own are not entered again.
class ReentrySkipped : public Interference {
  bool OnSend(uint32_t, const wire::Frame& frame) override {
    return frame.presence.empty() || frame.presence.front().id.empty();
  }
};

// The first answer of the server to what a client sent is lost on the way to its channel.
class AcknowledgementLost : public Interference {
  bool OnFrame(uint32_t, wire::Frame& frame) override {
    return frame.action != wire::kAck || lost_++ > 0;
  }
  int lost_ = 0;
};

template <typename T>
PlantedFault Make(std::string name) {
  return {std::move(name), [] { return std::make_unique<T>(); }};
}

PlantedFault Count(std::string name, EffectFault::Count count) {
  return {std::move(name), [count] { return std::make_unique<EffectFault>(count); }};
}

}  // namespace

std::vector<PlantedFault> PlantedFaults() {
  return {
      Count("LeaveEmittedTwice",
            [](const Effect& effect, const Channel&) { return IsLeave(effect) ? 2 : 1; }),
      Count("LeaveLost",
            [](const Effect& effect, const Channel&) { return IsLeave(effect) ? 0 : 1; }),
      Make<StalePageResurrects>("StalePageResurrects"),
      Make<ResidualKept>("ResidualKept"),
      Make<LatePageStartsASync>("LatePageStartsASync"),
      Make<WaiterAnsweredEarly>("WaiterAnsweredEarly"),
      Count("WaiterNeverAnswered",
            [](const Effect& effect, const Channel&) {
              const auto* result = std::get_if<CallResult>(&effect);
              return result != nullptr && result->kind == CallResult::Kind::kMembers ? 0 : 1;
            }),
      Make<TombstoneKept>("TombstoneKept"),
      Count("QueueLostOnSuspend",
            [](const Effect& effect, const Channel& channel) {
              const auto* result = std::get_if<CallResult>(&effect);
              return result != nullptr && result->kind == CallResult::Kind::kOperation &&
                             result->error != nullptr && channel.state() == ChannelState::kSuspended
                         ? 0
                         : 1;
            }),
      Make<ReentrySkipped>("ReentrySkipped"),
      Make<WrongConnection>("EchoAppliedToTheWrongConnection"),
      Make<HashOrder>("OrderDependsOnHashing"),
      Make<UpdatesIgnored>("UpdatesIgnored"),
      Make<AcknowledgementLost>("AcknowledgementLost"),
  };
}

}  // namespace presence::sim
