#include "tools/serve/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace presence::serve {

std::string ListenAddress::host() const {
  return address.find(':') != address.npos ? "[" + address + "]" : address;
}

std::string ListenAddress::text() const { return host() + ":" + std::to_string(port); }

std::string ListenAddress::local_host() const {
  if (!is_any()) return host();
  return address == "::" ? "[::1]" : "127.0.0.1";
}

std::optional<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  ListenAddress parsed;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parsed.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    parsed.address = host.substr(1, host.size() - 2);
    in6_addr six{};
    if (inet_pton(AF_INET6, parsed.address.c_str(), &six) != 1) return std::nullopt;
    parsed.is_loopback = IN6_IS_ADDR_LOOPBACK(&six);
    return parsed;
  }
  parsed.address = host == "localhost" ? "127.0.0.1" : host;
  in_addr four{};
  if (inet_pton(AF_INET, parsed.address.c_str(), &four) != 1) return std::nullopt;
  parsed.is_loopback = ntohl(four.s_addr) >> 24 == 127;
  return parsed;
}

}  // namespace presence::serve
