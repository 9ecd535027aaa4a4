#ifndef PRESENCE_WIRE_SNAPSHOT_H_
#define PRESENCE_WIRE_SNAPSHOT_H_

// The snapshots of a room host and of a server as text, and back.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "presence/host/server_snapshot.h"
#include "presence/host/snapshot.h"

namespace presence::wire {

// Appends the snapshot as one JSON object without a line end: a version, a checksum over all the
// rest, the room or the server. Nothing is lost, not even bytes in ids that are no UTF-8. Equal
// snapshots give equal text.
void AppendSnapshot(const RoomSnapshot& snapshot, std::string& out);
void AppendSnapshot(const ServerSnapshot& snapshot, std::string& out);

// Reads what AppendSnapshot wrote. Damage of any kind, a single bit included, and other versions
// are refused with InvalidArgument and a reason for people. Whether the parts agree is for
// RoomHost::Restore and Server::Restore to judge.
absl::StatusOr<RoomSnapshot> ParseSnapshot(std::string_view text);
absl::StatusOr<ServerSnapshot> ParseServerSnapshot(std::string_view text);

}  // namespace presence::wire

#endif  // PRESENCE_WIRE_SNAPSHOT_H_
