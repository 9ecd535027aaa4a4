#include "tools/serve/random_id.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace presence::serve {

std::string RandomId(size_t characters) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  static_assert(kAlphabet.size() == 64);
  std::string id(characters, '\0');
  size_t filled = 0;
  while (filled < characters) {
    const ssize_t got = getrandom(&id[filled], std::min<size_t>(characters - filled, 256), 0);
    // Without randomness there are no keys, and nothing can be served.
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) filled += static_cast<size_t>(got);
  }
  for (char& c : id) c = kAlphabet[static_cast<unsigned char>(c) % 64];
  return id;
}

}  // namespace presence::serve
