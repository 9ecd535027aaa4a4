#ifndef TOOLS_PLAIN_TEXT_H_
#define TOOLS_PLAIN_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace presence::tools {

// Text for a terminal of `width` columns: words, which no line break tears, each line begun with
// `indent` spaces and ended by LF. Words that are longer than a line stand alone.
std::string Wrap(std::string_view text, size_t width, size_t indent);
// The same text with some of its spaces made into line ends, so that no line has more columns than
// `width` if that can be; all else in it stays, for it may be somebody's name.
std::string BreakLines(std::string_view text, size_t width);

// A text in Markdown, as our documents use it, for a terminal: headings underlined, paragraphs and
// lists wrapped, each row of a table as its first cell with the others below it; blocks of code as
// they are; no marks of emphasis, code and links.
std::string PlainText(std::string_view markdown, size_t width);

}  // namespace presence::tools

#endif  // TOOLS_PLAIN_TEXT_H_
