#include "sim/world/bounds.h"

namespace presence::sim {
namespace {

constexpr std::array<std::string_view, kBoundCount> kNames = {
    "queued",          "queued-bytes", "in-flight",    "in-flight-bytes", "tombstones",
    "members",         "message-size", "room-members", "room-bytes",      "host-in-flight",
    "page-members",    "page-bytes",   "batch",        "frame-size",      "connections",
    "channels",        "rooms",        "unsent-pause", "unsent-drop",     "unsent-total",
    "request-timeout", "state-ttl",    "idle",
};
static_assert(!kNames.back().empty(), "a bound lacks its name");

}  // namespace

std::string_view BoundName(Bound bound) { return kNames[static_cast<size_t>(bound)]; }

}  // namespace presence::sim
