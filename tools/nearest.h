#ifndef TOOLS_NEAREST_H_
#define TOOLS_NEAREST_H_

#include <string>
#include <string_view>
#include <vector>

namespace presence::tools {

// What somebody meant who typed `word`: the candidate that it is the beginning of, or that a few
// slips of the finger turn into it (letters wrong, missing, too many, or two the wrong way round);
// the first of several that are as near. Empty: none is near enough.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace presence::tools

#endif  // TOOLS_NEAREST_H_
