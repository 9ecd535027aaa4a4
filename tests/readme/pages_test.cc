// Pages show the code as it is compiled, each piece once, and lead to files that are there.
//
// A piece of a source in tools/examples is marked by lines "// shown in PAGE" and "// shown until
// here". A page shows it without the indentation of its marks.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

// The folder of the sources, of which the test's WORKSPACE is a link into.
fs::path Root() { return fs::canonical("WORKSPACE").parent_path(); }

std::vector<std::string> LinesOf(const std::string& path) {
  std::ifstream file(Root() / path);
  EXPECT_TRUE(file) << path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The files of a folder with these endings, by path.
std::vector<std::string> FilesOf(const std::string& folder,
                                 const std::vector<std::string>& endings) {
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(Root() / folder)) {
    const std::string ending = entry.path().extension().string();
    if (std::find(endings.begin(), endings.end(), ending) == endings.end()) continue;
    paths.push_back(entry.path().lexically_relative(Root()).string());
  }
  std::sort(paths.begin(), paths.end());
  EXPECT_FALSE(paths.empty()) << folder;
  return paths;
}

std::vector<std::string> Pages() {
  std::vector<std::string> pages = FilesOf("docs", {".md"});
  for (const char* page : {"README.md", "CONTRIBUTING.md", "sim/README.md", "bench/README.md"}) {
    pages.emplace_back(page);
  }
  return pages;
}

struct Piece {
  std::string where;  // the source, or the page
  std::string page;
  std::string code;
};

// What the sources have to show.
std::vector<Piece> MarkedPieces() {
  constexpr std::string_view kBegin = "// shown in ";
  constexpr std::string_view kEnd = "// shown until here";
  std::vector<Piece> pieces;
  for (const std::string& path : FilesOf("tools/examples", {".h", ".cc"})) {
    bool inside = false;
    size_t indentation = 0;
    for (const std::string& line : LinesOf(path)) {
      const size_t text = std::min(line.find_first_not_of(' '), line.size());
      if (line.compare(text, kBegin.size(), kBegin) == 0) {
        EXPECT_FALSE(inside) << path;
        inside = true;
        indentation = text;
        pieces.push_back({path, line.substr(text + kBegin.size()), ""});
      } else if (line.compare(text, kEnd.size(), kEnd) == 0) {
        EXPECT_TRUE(inside) << path;
        inside = false;
      } else if (inside) {
        pieces.back().code += line.substr(std::min(indentation, text)) + "\n";
      }
    }
    EXPECT_FALSE(inside) << path;
  }
  return pieces;
}

// The blocks of C++ that the pages have.
std::vector<Piece> ShownPieces() {
  std::vector<Piece> pieces;
  for (const std::string& page : Pages()) {
    bool inside = false;
    for (const std::string& line : LinesOf(page)) {
      if (line == "```cpp") {
        inside = true;
        pieces.push_back({page, page, ""});
      } else if (line == "```") {
        inside = false;
      } else if (inside) {
        pieces.back().code += line + "\n";
      }
    }
  }
  return pieces;
}

TEST(Pages, ShowEachMarkedPieceOnceAndNothingElse) {
  std::multimap<std::string, std::string> missing;  // by code: the page that should show it
  for (const Piece& piece : MarkedPieces()) missing.emplace(piece.code, piece.page);
  EXPECT_FALSE(missing.empty());
  for (const Piece& shown : ShownPieces()) {
    const auto found = missing.find(shown.code);
    if (found == missing.end()) {
      ADD_FAILURE() << shown.page << " shows what is not in tools/examples, or is shown twice:\n"
                    << shown.code;
      continue;
    }
    EXPECT_EQ(shown.page, found->second);
    missing.erase(found);
  }
  for (const auto& [code, page] : missing) {
    ADD_FAILURE() << "copy this from tools/examples into " << page << ":\n" << code;
  }
}

// What a page links to outside its code, but for addresses and places within the page.
std::vector<std::string> LinksOf(const std::string& page) {
  std::vector<std::string> links;
  bool in_code = false;
  for (const std::string& line : LinesOf(page)) {
    if (line.starts_with("```")) in_code = !in_code;
    if (in_code) continue;
    for (size_t at = line.find("]("); at != line.npos; at = line.find("](", at + 2)) {
      const size_t end = line.find_first_of("#)", at + 2);
      const std::string link = line.substr(at + 2, end - at - 2);
      if (!link.empty() && link.find("://") == link.npos) links.push_back(link);
    }
    // Pictures that differ between light and dark are told in HTML.
    for (size_t at = line.find("=\"docs/"); at != line.npos; at = line.find("=\"docs/", at + 2)) {
      links.push_back(line.substr(at + 2, line.find('"', at + 2) - at - 2));
    }
  }
  return links;
}

TEST(Pages, LeadToWhatIsThere) {
  std::vector<std::string> dead;
  size_t links = 0;
  for (const std::string& page : Pages()) {
    for (const std::string& link : LinksOf(page)) {
      ++links;
      if (!fs::exists((Root() / page).parent_path() / link)) dead.push_back(page + ": " + link);
    }
  }
  EXPECT_GT(links, 10u);
  EXPECT_THAT(dead, IsEmpty());
}

TEST(Pages, TheListOfHeadersNamesEachPublicHeader) {
  std::string page;
  for (const std::string& line : LinesOf("docs/headers.md")) page += line;
  std::vector<std::string> missing;
  for (const std::string& line : LinesOf("engine/public_headers.bzl")) {
    if (!line.starts_with("    \"") || !line.ends_with(".h\",")) continue;
    const std::string header = line.substr(5, line.size() - 7);
    if (page.find("`" + header + "`") == page.npos) missing.push_back(header);
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(Pages, TheReadmeHas200LinesAtMost) { EXPECT_LE(LinesOf("README.md").size(), 200u); }

TEST(Pages, ALoopHas25LinesAtMost) {
  for (const Piece& piece : MarkedPieces()) {
    if (!piece.code.starts_with("inline void Run")) continue;
    EXPECT_LE(std::count(piece.code.begin(), piece.code.end(), '\n'), 25) << piece.where;
  }
}

}  // namespace
