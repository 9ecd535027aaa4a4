#ifndef ENGINE_ROOM_LISTENERS_H_
#define ENGINE_ROOM_LISTENERS_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "presence/client/channel_input.h"

namespace presence {

// What somebody has registered, as a Subscription knows it.
struct Listener {
  virtual ~Listener() = default;
  // It is not called any more, from now on; `self` is this one.
  virtual void Unsubscribe(std::shared_ptr<Listener> self) = 0;

  bool unsubscribed = false;  // though it may still be on a list
};

template <typename Event>
struct ListenerTo;

// Where those who listen to one kind of event are registered.
template <typename Event>
class ListenerHome {
 public:
  virtual ~ListenerHome() = default;
  // `listener` was unsubscribed, and is to be taken off the list.
  virtual void Drop(std::shared_ptr<ListenerTo<Event>> listener) = 0;
};

template <typename Event>
struct ListenerTo : Listener {
  void Unsubscribe(std::shared_ptr<Listener> self) override {
    if (std::exchange(unsubscribed, true)) return;
    const std::shared_ptr<ListenerHome<Event>> kept = home.lock();
    if (kept != nullptr) kept->Drop(std::static_pointer_cast<ListenerTo>(std::move(self)));
  }

  std::weak_ptr<ListenerHome<Event>> home;
  absl::AnyInvocable<void(const Event&)> call;
  // Of presence events: which, and the channel's name for the subscription.
  EventMask events = kAllEvents;
  SubscriptionId id = 0;
};

// Those who listen to one kind of event, in the order subscribed. Adding and dropping are tasks
// (see ClientCore), so that nobody is added or dropped while others are told.
template <typename Event>
class Listeners {
 public:
  using Entry = std::shared_ptr<ListenerTo<Event>>;

  void Add(Entry listener) {
    if (!listener->unsubscribed) list_.push_back(std::move(listener));
  }
  void Drop(const Entry& listener) { std::erase(list_, listener); }
  // Nobody of them is called any more. They are handed out, as what they own may call us when it
  // goes.
  [[nodiscard]] std::vector<Entry> TakeAll() { return std::exchange(list_, {}); }
  // What any of them wants.
  EventMask wanted() const {
    EventMask wanted = 0;
    for (const Entry& entry : list_) wanted |= entry->events;
    return wanted;
  }
  // Whoever is called may take all away.
  void Tell(const Event& event, EventMask type = kAllEvents) {
    for (size_t i = 0; i < list_.size(); ++i) {
      const Entry listener = list_[i];  // a reference of our own
      if (!listener->unsubscribed && (listener->events & type) != 0) listener->call(event);
    }
  }

 private:
  std::vector<Entry> list_;
};

}  // namespace presence

#endif  // ENGINE_ROOM_LISTENERS_H_
