#include "sim/world/faults.h"

namespace presence::sim {
namespace {

constexpr std::array<std::string_view, kFaultCount> kNames = {
    "cut",
    "late-resume",
    "region-cut",
    "stall",
    "pause",
    "host-restart",
    "server-restore",
    "sync-restart",
    "leave-in-sync",
    "stale-page",
    "duplicate-page",
    "late-page",
    "late-answer",
    "no-answer",
    "refuse-operations",
    "clock-skew",
    "malformed-item",
    "listener-calls",
    "reorder",
    "duplicate",
    "lose",
};
static_assert(!kNames.back().empty(), "a fault lacks its name");

}  // namespace

std::string_view FaultName(Fault fault) { return kNames[static_cast<size_t>(fault)]; }

std::optional<FaultSet> FaultSet::Parse(std::string_view text, std::string& error) {
  if (text == "all") return All();
  FaultSet set;
  if (text == "none") return set;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    size_t fault = 0;
    while (fault < kFaultCount && kNames[fault] != name) ++fault;
    if (fault == kFaultCount) {
      error = "no fault \"" + std::string(name) + "\"; there are all, none";
      for (const std::string_view known : kNames) error += ", " + std::string(known);
      return std::nullopt;
    }
    set.Add(static_cast<Fault>(fault));
    if (comma == std::string_view::npos) return set;
    text.remove_prefix(comma + 1);
  }
}

std::string FaultSet::ToString() const {
  if (*this == All()) return "all";
  std::string text;
  for (size_t fault = 0; fault < kFaultCount; ++fault) {
    if (!Has(static_cast<Fault>(fault))) continue;
    if (!text.empty()) text += ',';
    text += kNames[fault];
  }
  return text.empty() ? "none" : text;
}

}  // namespace presence::sim
