#ifndef SIM_TIMELINE_TIMELINE_PAGE_H_
#define SIM_TIMELINE_TIMELINE_PAGE_H_

#include <span>
#include <string>
#include <string_view>

namespace presence::sim {

// The page that shows a session, in one piece of HTML that needs nothing else: `json`, the data of
// a Timeline, with the style and the scripts of sim/timeline/page. Whatever the JSON's strings
// hold, a browser reads it as text and nothing else.
std::string TimelinePage(std::string_view json);

// A file of sim/timeline/page, as it was when this program was built.
struct PageSource {
  std::string_view name;
  std::string_view text;
};
std::span<const PageSource> PageSources();

// The names of the modules in the order in which the page has them: each after those it imports.
std::span<const std::string_view> PageModules();

}  // namespace presence::sim

#endif  // SIM_TIMELINE_TIMELINE_PAGE_H_
