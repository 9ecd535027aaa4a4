#ifndef TOOLS_SERVE_CAPABILITY_H_
#define TOOLS_SERVE_CAPABILITY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "presence/session/server_input.h"

namespace presence::serve {

// What a key or a token permits.
class Capability {
 public:
  // Everything on every channel.
  static Capability All();
  // Of JSON such as {"my-room::$chat":["presence","subscribe"],"guests:*":["*"]}: operations by
  // channel, or by the beginning of its name. "presence" is to be present; "subscribe" to receive
  // messages and presence; "publish" to send messages; "*" all. Others are kept, and of no use
  // here. "[*]" before a name, for any qualifier, is passed over: "[*]*" is every channel.
  // Fails with InvalidArgument and a message for people.
  static absl::StatusOr<Capability> Read(std::string_view json);
  // What both permit. It has no more channels than both together.
  static Capability Both(const Capability& one, const Capability& other);

  Capability() = default;  // nothing

  // Whether there is nothing that it permits.
  bool empty() const;
  // As JSON, channels and operations in the order of their bytes.
  std::string Text() const;
  // As the server takes it. They view this, until it is changed or gone.
  std::vector<Permission> Permissions() const;
  // The modes that it grants on one channel.
  uint64_t ModesOn(std::string_view channel) const;

 private:
  using Operations = std::set<std::string, std::less<>>;

  // By channel, or the beginning of its name followed by a star.
  std::map<std::string, Operations, std::less<>> channels_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_CAPABILITY_H_
