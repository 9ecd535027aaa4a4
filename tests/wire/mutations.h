#ifndef TESTS_WIRE_MUTATIONS_H_
#define TESTS_WIRE_MUTATIONS_H_

// JSON texts that are nearly right.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace presence::wire {

// Everything that one wrong character, one too many or one too few can make of a text, and all its
// beginnings.
inline std::vector<std::string> Mutations(std::string_view text) {
  constexpr char kCharacters[] = " \t\n\"\\{}[]:,-+.0159eEantu/\x1F\x7F\x80\xC3\xFF";  // and NUL
  std::vector<std::string> mutations;
  for (size_t at = 0; at <= text.size(); ++at) {
    const std::string before(text.substr(0, at));
    const std::string_view after = text.substr(at);
    mutations.push_back(before);
    if (!after.empty()) mutations.push_back(before + std::string(after.substr(1)));
    for (const char c : kCharacters) {
      mutations.push_back(before + c + std::string(after));
      if (!after.empty()) mutations.push_back(before + c + std::string(after.substr(1)));
    }
  }
  return mutations;
}

}  // namespace presence::wire

#endif  // TESTS_WIRE_MUTATIONS_H_
