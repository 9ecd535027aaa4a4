#ifndef TOOLS_SERVE_LISTEN_ADDRESS_H_
#define TOOLS_SERVE_LISTEN_ADDRESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace presence::serve {

// Where a server listens.
struct ListenAddress {
  std::string address;  // of IPv4 or IPv6, without brackets
  uint16_t port = 0;    // 0: one that is free
  bool is_loopback = false;

  // The address as URLs have it: 127.0.0.1, [::1].
  std::string host() const;
  // With the port: 127.0.0.1:80, [::1]:80.
  std::string text() const;
  // Where a program on this machine connects to, without the port: host(), unless that stands for
  // all addresses of the machine.
  std::string local_host() const;
  // Whether it stands for all addresses of the machine.
  bool is_any() const { return address == "0.0.0.0" || address == "::"; }
};

// ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:8080 or localhost:0. nullopt: it is none.
std::optional<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_LISTEN_ADDRESS_H_
