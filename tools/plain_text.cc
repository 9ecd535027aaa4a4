#include "tools/plain_text.h"

#include <algorithm>
#include <vector>

namespace presence::tools {
namespace {

// What a terminal shows of UTF-8: a column for each character.
size_t ColumnsOf(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Without the marks of code, emphasis and links.
std::string WithoutMarks(std::string_view text) {
  std::string plain;
  bool code = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest[0] == '`') {
      code = !code;
      continue;
    }
    if (rest.starts_with("\\|")) continue;  // a bar that ends no cell
    if (!code && rest[0] == '*') continue;
    const size_t middle = rest.find(']');
    if (!code && rest[0] == '[' && middle != rest.npos && rest.substr(middle).starts_with("](")) {
      const size_t end = rest.find(')', middle);
      if (end != rest.npos) {
        plain += WithoutMarks(rest.substr(1, middle - 1));
        i += end;
        continue;
      }
    }
    plain += rest[0];
  }
  return plain;
}

// The cells of a row: "| a | b |".
std::vector<std::string> CellsOf(std::string_view row) {
  std::vector<std::string> cells;
  std::string cell;
  for (size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '|' && row[i - 1] != '\\') {
      const size_t from = std::min(cell.find_first_not_of(' '), cell.size());
      const size_t to = cell.find_last_not_of(' ');
      cells.push_back(WithoutMarks(
          from < cell.size() ? std::string_view(cell).substr(from, to + 1 - from) : ""));
      cell.clear();
    } else {
      cell += row[i];
    }
  }
  return cells;
}

bool IsRule(std::string_view row) { return row.find_first_not_of("|-: ") == row.npos; }

// Takes lines and gives them as blocks: a paragraph or an item of a list may have several.
class Blocks {
 public:
  explicit Blocks(size_t width) : width_(width) {}

  void Add(std::string_view line) {
    if (line.starts_with("```")) {
      EndParagraph();
      code_ = !code_;
    } else if (code_) {
      out_ += "    " + std::string(line) + "\n";
    } else if (line.starts_with('#')) {
      EndParagraph();
      const std::string title = WithoutMarks(line.substr(line.find_first_not_of("# ")));
      out_ +=
          title + "\n" + std::string(ColumnsOf(title), line.starts_with("###") ? '-' : '=') + "\n";
    } else if (line.starts_with('|')) {
      EndParagraph();
      AddRow(line);
      return;
    } else if (line.empty()) {
      EndParagraph();
      out_ += "\n";
    } else {
      if (line.starts_with("- ")) EndParagraph();
      if (!paragraph_.empty()) paragraph_ += ' ';
      paragraph_ += line;
    }
    heads_ = true;
  }
  std::string Finish() {
    EndParagraph();
    return std::move(out_);
  }

 private:
  void EndParagraph() {
    if (paragraph_.empty()) return;
    const bool item = paragraph_.starts_with("- ");
    std::string wrapped =
        Wrap(WithoutMarks(std::string_view(paragraph_).substr(item ? 2 : 0)), width_, item ? 2 : 0);
    if (item) wrapped[0] = '-';
    out_ += wrapped;
    paragraph_.clear();
  }
  // The first row of a table says what the columns are, which its rows show by themselves.
  void AddRow(std::string_view line) {
    if (IsRule(line) || heads_) {
      heads_ = false;
      return;
    }
    const std::vector<std::string> cells = CellsOf(line);
    if (cells.empty()) return;
    out_ += Wrap(cells[0], width_, 2);
    for (size_t i = 1; i < cells.size(); ++i) {
      if (!cells[i].empty()) out_ += Wrap(cells[i], width_, 6);
    }
  }

  const size_t width_;
  std::string out_;
  std::string paragraph_;
  bool code_ = false;
  bool heads_ = true;  // the next row is the head of a table
};

}  // namespace

std::string Wrap(std::string_view text, size_t width, size_t indent) {
  std::string out;
  size_t column = 0;  // 0: a line has not begun
  while (!text.empty()) {
    const size_t from = text.find_first_not_of(" \n");
    if (from == text.npos) break;
    text.remove_prefix(from);
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    const size_t columns = ColumnsOf(word);
    if (column > 0 && column + 1 + columns > width) {
      out += '\n';
      column = 0;
    }
    if (column == 0) {
      out.append(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns;
  }
  if (column > 0 || out.empty()) out += '\n';
  return out;
}

std::string BreakLines(std::string_view text, size_t width) {
  std::string out(text);
  size_t begin = 0;  // of the line
  for (size_t space = out.find(' '); space != out.npos;) {
    const size_t next = out.find(' ', space + 1);
    const size_t end = std::min(next, out.size());
    if (ColumnsOf(std::string_view(out).substr(begin, end - begin)) > width && space > begin) {
      out[space] = '\n';
      begin = space + 1;
    }
    space = next;
  }
  return out;
}

std::string PlainText(std::string_view markdown, size_t width) {
  Blocks blocks(width);
  while (!markdown.empty()) {
    const std::string_view line = markdown.substr(0, markdown.find('\n'));
    blocks.Add(line);
    markdown.remove_prefix(std::min(line.size() + 1, markdown.size()));
  }
  return blocks.Finish();
}

}  // namespace presence::tools
