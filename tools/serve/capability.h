#ifndef TOOLS_SERVE_CAPABILITY_H_
#define TOOLS_SERVE_CAPABILITY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "presence/session/server_input.h"

namespace presence::serve {

// What a key or a token permits, as the server takes it, with names of its own.
class Capability {
 public:
  // Everything on every channel.
  static Capability All();
  // Of JSON such as {"my-room::$chat":["presence","subscribe"],"guests:*":["*"]}: operations by
  // channel, or by the beginning of its name. "presence" is to be present; "subscribe" to receive
  // messages and presence; "publish" to send messages; "*" all. Others are of no use here. Fails
  // with InvalidArgument and a message for people.
  static absl::StatusOr<Capability> Read(std::string_view json);

  Capability() = default;  // nothing

  // They view this, until it is changed or gone.
  std::vector<Permission> Permissions() const;

 private:
  struct Entry {
    std::string channel;
    bool is_prefix = false;
    uint64_t modes = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_CAPABILITY_H_
