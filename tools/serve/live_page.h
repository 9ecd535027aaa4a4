#ifndef TOOLS_SERVE_LIVE_PAGE_H_
#define TOOLS_SERVE_LIVE_PAGE_H_

#include <string_view>

namespace presence::serve {

// The page that shows rooms and members, and its script, which is at /page.js.
extern const std::string_view kLivePage;
extern const std::string_view kLiveScript;

}  // namespace presence::serve

#endif  // TOOLS_SERVE_LIVE_PAGE_H_
