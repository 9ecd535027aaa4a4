#ifndef TOOLS_SERVE_REQUEST_TARGET_H_
#define TOOLS_SERVE_REQUEST_TARGET_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace presence::serve {

// The target of an HTTP request, taken apart: "/a/b?name=value&..." with %XX and, in parameters, +
// undone. What is no escape stays as it came.
struct RequestTarget {
  std::string path;
  // What is between the slashes of the path, taken apart before escapes were undone: "/a%2Fb/" is
  // "a/b" and "". "/" is none at all.
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> parameters;  // in the order in which they came

  // The value of a parameter, the first of several; empty if there is none: to clients of this
  // protocol absent and empty are alike.
  std::string_view Parameter(std::string_view name) const;
};

RequestTarget ParseTarget(std::string_view target);
// The text as the value of a parameter, with %XX for all but letters, digits and -._~.
std::string Escaped(std::string_view text);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_REQUEST_TARGET_H_
