#include "tests/cost/memory.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "presence/client/channel.h"
#include "presence/host/host_effects.h"
#include "presence/host/room_host.h"
#include "presence/item.h"
#include "presence/members/member_set.h"
#include "tests/cost/allocations.h"

namespace presence::cost {

size_t HeldBytes() {
  const Allocations now = AllocationsSoFar();
  return now.live_bytes + now.live * sizeof(size_t);
}

TypicalMember::TypicalMember(size_t number, size_t data_bytes) {
  constexpr std::string_view kDigits =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  // A bijection, so that no two are the same.
  for (uint64_t x = number * 0x9E3779B97F4A7C15; connection_id_.size() < 11; x >>= 6) {
    connection_id_ += kDigits[x & 63];
  }
  client_id_ = "user-" + std::to_string(number % 11 == 10 ? number - 1 : number);
  data_ = R"({"status":"online"})";
  data_.resize(data_bytes, ' ');
}

const Message& TypicalMember::Sends(size_t serial) {
  id_ = connection_id_ + ":" + std::to_string(serial) + ":0";
  message_.connection_id = connection_id_;
  message_.client_id = client_id_;
  message_.id = id_;
  message_.timestamp = TimestampFromMs(1'700'000'000'000 + static_cast<int64_t>(serial));
  message_.payload.data_kind = DataKind::kString;
  message_.payload.data = data_;
  message_.payload.encoding = "json";
  return message_;
}

size_t TypicalMember::own_bytes() const {
  return connection_id_.size() + client_id_.size() + data_.size() + std::string_view("json").size();
}

double BytesAMember(size_t members, size_t data_bytes) {
  constexpr int kSizes = 8;
  double sum = 0;
  const size_t before = HeldBytes();
  const auto set = std::make_unique<MemberSet>();
  size_t own_bytes = 0;
  size_t joined = 0;
  for (int i = 0; i < kSizes; ++i) {
    // From the root of a half to that of two, evenly on a logarithmic scale.
    const double factor = std::exp2((i + 0.5) / kSizes - 0.5);
    const auto size = std::max<size_t>(
        1, static_cast<size_t>(std::lround(static_cast<double>(members) * factor)));
    for (; joined < size; ++joined) {
      TypicalMember member(joined, data_bytes);
      set->Apply(PresenceAction::kEnter, member.Sends(0));
      own_bytes += member.own_bytes();
    }
    sum += static_cast<double>(HeldBytes() - before - own_bytes) / static_cast<double>(size);
  }
  return sum / kSizes;
}

namespace {

template <typename T>
Empty EmptyOf() {
  Empty empty;
  empty.object = sizeof(T);
  const size_t before = HeldBytes();
  const typename T::Options options;
  const T made(options);
  empty.heap = HeldBytes() - before;
  return empty;
}

}  // namespace

Empty EmptyMemberSet() { return EmptyOf<MemberSet>(); }
Empty EmptyChannel() { return EmptyOf<Channel>(); }
Empty EmptyRoomHost() { return EmptyOf<RoomHost>(); }

Rooms RoomsOfMembers(size_t rooms, size_t members) {
  std::vector<std::unique_ptr<RoomHost>> hosts(rooms);
  HostEffects effects;
  Rooms result;
  const size_t before = HeldBytes();
  size_t number = 0;
  size_t own_bytes = 0;
  for (std::unique_ptr<RoomHost>& host : hosts) {
    host = std::make_unique<RoomHost>();
    const auto apply = [&](const HostInput& input) {
      return host->Apply(TimestampFromMs(1), input, effects).ok();
    };
    bool ok = true;
    for (size_t i = 0; i < members; ++i, ++number) {
      TypicalMember member(number);
      const Message& message = member.Sends(0);
      const ConnectionHandle handle = number + 1;
      ok &= apply(ConnectionOpened{handle, message.connection_id, message.client_id});
      AttachRequest attach;
      attach.connection = handle;
      ok &= apply(attach);
      IncomingItem item;
      item.action = static_cast<int64_t>(PresenceAction::kEnter);
      item.payload = message.payload;
      PresenceRequest enter;
      enter.connection = handle;
      enter.msg_serial = 0;
      enter.items = std::span(&item, 1);
      ok &= apply(enter);
      own_bytes += member.own_bytes();
    }
    if (!ok || host->size() != members) return {};
  }
  effects.Clear();
  const auto count = static_cast<double>(rooms);
  result.bytes_a_room =
      static_cast<double>(HeldBytes() - before) / count + double{sizeof(hosts.front())};
  result.own_bytes_a_room = static_cast<double>(own_bytes) / count;
  return result;
}

}  // namespace presence::cost
