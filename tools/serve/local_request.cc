#include "tools/serve/local_request.h"

#include <string_view>

namespace presence::serve {
namespace {

// Of NAME:PORT.
bool IsThisMachine(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host == "127.0.0.1";
}

}  // namespace

bool IsLocal(const HttpRequest& request) {
  if (!request.from_loopback || !IsThisMachine(request.Header("Host"))) return false;
  for (const std::string_view of_proxies : {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"}) {
    if (!request.Header(of_proxies).empty()) return false;
  }
  std::string_view origin = request.Header("Origin");
  if (origin.empty()) return true;
  const size_t scheme = origin.find("://");
  return scheme != origin.npos && IsThisMachine(origin.substr(scheme + 3));
}

}  // namespace presence::serve
