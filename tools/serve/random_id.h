#ifndef TOOLS_SERVE_RANDOM_ID_H_
#define TOOLS_SERVE_RANDOM_ID_H_

#include <cstddef>
#include <string>

namespace presence::serve {

// So many characters that nobody can guess, of 6 random bits each, from the system: letters,
// digits,
// `_` and `-`.
std::string RandomId(size_t characters);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_RANDOM_ID_H_
