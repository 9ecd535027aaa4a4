#include "sim/world/altered_effects.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "presence/base/internal/check.h"

namespace presence::sim {
namespace {

void AddResult(CallResult result, std::span<const Message> members, Effects& to) {
  result.first_member = to.member_count();
  result.member_count = members.size();
  for (const Message& member : members) to.AddMember(member);
  to.Add(result);
}

bool IsSend(const Effect& effect) {
  return std::holds_alternative<SendAttach>(effect) || std::holds_alternative<SendDetach>(effect) ||
         std::holds_alternative<SendPresence>(effect);
}

}  // namespace

void CopyEffect(const Effect& effect, const Effects& from, Effects& to) {
  const auto* const result = std::get_if<CallResult>(&effect);
  if (result == nullptr) return to.Add(effect);
  AddResult(*result, from.members(*result), to);
}

void Alter(uint32_t client, const SessionEffects& effects, const ClientSession& session,
           Interference& interference, wire::FrameReader& reader, SessionEffects& altered) {
  altered.Clear();
  const Effects* group = nullptr;  // of the channel whose effects are in hand
  const Effects* altered_group = nullptr;
  std::vector<size_t> first;  // by effect of the group: where its copies begin
  for (const SessionEffect& effect : effects) {
    if (const auto* send = std::get_if<SendBytes>(&effect)) {
      const absl::StatusOr<wire::Frame> frame = reader.Read(send->bytes);
      PRESENCE_CHECK(frame.ok());
      if (interference.OnSend(client, *frame)) altered.Add(effect);
      continue;
    }
    const auto* told = std::get_if<ChannelEffect>(&effect);
    if (told == nullptr) {
      altered.Add(effect);
      continue;
    }
    if (told->effects != group) {
      // The whole of it first, so that it stays where it is.
      group = told->effects;
      Effects& copies = altered.AddEffects();
      copies.Clear();
      altered_group = &copies;
      first.clear();
      for (const Effect& original : *group) {
        first.push_back(copies.size());
        const int count =
            IsSend(original)
                ? 1
                : interference.Copies(client, original, *session.FindChannel(told->channel));
        for (int copy = 0; copy < count; ++copy) {
          const auto* const result = std::get_if<CallResult>(&original);
          if (result == nullptr || result->member_count == 0) {
            copies.Add(original);
            continue;
          }
          const std::span<const Message> answered = group->members(*result);
          std::vector<Message> members(answered.begin(), answered.end());
          interference.OnMembers(client, members);
          AddResult(*result, members, copies);
        }
      }
      first.push_back(copies.size());
    }
    const auto at = static_cast<size_t>(told->effect - &*group->begin());
    for (size_t copy = first[at]; copy < first[at + 1]; ++copy) {
      altered.Add(ChannelEffect{told->channel, &(*altered_group)[copy], altered_group});
    }
  }
}

}  // namespace presence::sim
