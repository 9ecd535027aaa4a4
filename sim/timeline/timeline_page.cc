#include "sim/timeline/timeline_page.h"

#include "presence/base/internal/check.h"

namespace presence::sim {
namespace {

constexpr PageSource kSources[] = {
#include "sim/timeline/page_sources.inc"
};

constexpr std::string_view kModules[] = {
    "text.js", "axis.js",    "positions.js", "model.js",  "colours.js", "marks.js", "layout.js",
    "draw.js", "details.js", "table.js",     "search.js", "keys.js",    "main.js",
};

std::string_view SourceOf(std::string_view name) {
  for (const PageSource& source : kSources) {
    if (source.name == name) return source.text;
  }
  PRESENCE_CHECK(false);  // it is in the list above
  return {};
}

// Appends a module as a part of one script that holds all: what it imports stands before it, and
// what it exports needs no word.
void AppendModule(std::string_view module, std::string& out) {
  constexpr std::string_view kExport = "export ";
  while (!module.empty()) {
    const size_t end = module.find('\n');
    std::string_view line = module.substr(0, end == module.npos ? end : end + 1);
    module.remove_prefix(line.size());
    if (line.starts_with("import ")) continue;
    if (line.starts_with(kExport)) line.remove_prefix(kExport.size());
    out += line;
  }
}

// JSON that may stand inside a script element: '<' occurs in its strings only, where it may be
// written otherwise, and without it neither "</script>" nor "<!--" can be. The two ends of lines
// that are none to JSON are written so, too, for whoever cuts the page into lines.
void AppendForScript(std::string_view json, std::string& out) {
  size_t done = 0;
  for (size_t at = 0; at < json.size(); ++at) {
    std::string_view instead;
    size_t size = 1;
    if (json[at] == '<') {
      instead = "\\u003c";
    } else if (const std::string_view three = json.substr(at, 3); three == "\xE2\x80\xA8") {
      instead = "\\u2028";
      size = 3;
    } else if (three == "\xE2\x80\xA9") {
      instead = "\\u2029";
      size = 3;
    } else {
      continue;
    }
    out += json.substr(done, at - done);
    out += instead;
    done = at + size;
    at += size - 1;
  }
  out += json.substr(done);
}

}  // namespace

std::span<const PageSource> PageSources() { return kSources; }
std::span<const std::string_view> PageModules() { return kModules; }

std::string TimelinePage(std::string_view json) {
  std::string page;
  page.reserve(json.size() + json.size() / 16 + (size_t{128} << 10));
  std::string_view rest = SourceOf("page.html");
  const auto until = [&](std::string_view mark) {
    const size_t at = rest.find(mark);
    PRESENCE_CHECK(at != rest.npos);
    page += rest.substr(0, at);
    rest.remove_prefix(at + mark.size());
  };
  until("<!--STYLE-->");
  page += SourceOf("page.css");
  until("<!--SESSION-->");
  AppendForScript(json, page);
  until("<!--SCRIPT-->");
  for (const std::string_view name : kModules) AppendModule(SourceOf(name), page);
  page += rest;
  return page;
}

}  // namespace presence::sim
