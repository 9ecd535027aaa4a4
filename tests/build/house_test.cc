// Reads the sources of the engine and holds them to the plan of the house:
// which layer knows of which, what a public header may include, and that nobody
// outside sees what is private.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

// The layers, each with those it may include, itself aside. "" is the
// vocabulary, the headers right in engine/.
const std::map<std::string, std::set<std::string>> kMayKnow = {
    {"base", {}},
    {"", {"base"}},
    {"members", {"", "base"}},
    {"client", {"", "base", "members"}},
    {"host", {"", "base", "members"}},
    {"json", {"base"}},
    {"wire", {"", "base", "json", "client", "host"}},
    {"session", {"", "base", "client", "host", "wire"}},
    {"room", {"", "base", "json", "client", "session"}},
};

struct Source {
  std::string path;  // such as engine/client/channel.h
  std::string text;
  std::vector<std::string> quoted;   // #include "..."
  std::vector<std::string> angular;  // #include <...>
};

// The folder of the sources, of which the test's WORKSPACE is a link into.
fs::path Root() { return fs::canonical("WORKSPACE").parent_path(); }

std::vector<std::string> Lines(const std::string& path) {
  std::ifstream file(Root() / path);
  EXPECT_TRUE(file) << path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

Source Read(const std::string& path) {
  Source source;
  source.path = path;
  for (const std::string& line : Lines(path)) {
    source.text += line + "\n";
    constexpr std::string_view kInclude = "#include ";
    if (!line.starts_with(kInclude) || line.size() < kInclude.size() + 2) continue;
    const char end = line[kInclude.size()] == '<' ? '>' : '"';
    const size_t from = kInclude.size() + 1;
    const std::string name = line.substr(from, line.find(end, from) - from);
    if (name.find(' ') != name.npos) continue;  // names no file, but what is wrong: cxx20.h
    (end == '"' ? source.quoted : source.angular).push_back(name);
  }
  return source;
}

// The headers and sources below a folder, those that git ignores aside.
std::vector<Source> SourcesBelow(std::string_view folder) {
  std::vector<std::string> paths;
  for (auto at = fs::recursive_directory_iterator(Root() / folder); at != fs::end(at); ++at) {
    const fs::path& path = at->path();
    if (path.filename() == "node_modules") at.disable_recursion_pending();
    if (path.extension() != ".h" && path.extension() != ".cc") continue;
    paths.push_back(path.lexically_relative(Root()).string());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Source> sources;
  for (const std::string& path : paths) sources.push_back(Read(path));
  EXPECT_FALSE(sources.empty()) << folder;
  return sources;
}

const std::vector<Source>& EngineSources() {
  static const auto* const sources = new std::vector<Source>(SourcesBelow("engine"));
  return *sources;
}

const std::vector<Source>& OtherSources() {
  static const auto* const sources = [] {
    auto* const all = new std::vector<Source>;
    for (const std::string_view folder : {"bench", "sim", "tests", "tools"}) {
      for (Source& source : SourcesBelow(folder)) all->push_back(std::move(source));
    }
    return all;
  }();
  return *sources;
}

// The file that an include of ours names; nullopt: it is not ours.
std::optional<std::string> FileOf(std::string_view include) {
  constexpr std::string_view kPublic = "presence/";
  if (include.starts_with(kPublic)) {
    return "engine/" + std::string(include.substr(kPublic.size()));
  }
  for (const std::string_view top : {"engine/", "sim/", "tools/", "tests/", "bench/"}) {
    if (include.starts_with(top)) return std::string(include);
  }
  return std::nullopt;
}

std::string LayerOf(std::string_view path) {
  path.remove_prefix(std::string_view("engine/").size());
  const size_t slash = path.find('/');
  return slash == path.npos ? "" : std::string(path.substr(0, slash));
}

bool IsHeader(std::string_view path) { return path.ends_with(".h"); }
bool IsInternal(std::string_view path) { return path.find("/internal/") != path.npos; }

const std::set<std::string>& PublicHeaders() {  // as files
  static const auto* const headers = [] {
    auto* const read = new std::set<std::string>;
    for (const std::string& line : Lines("engine/public_headers.bzl")) {
      if (!line.starts_with("    \"") || !line.ends_with(".h\",")) continue;
      read->insert("engine/" + line.substr(5, line.size() - 7));
    }
    EXPECT_FALSE(read->empty());
    return read;
  }();
  return *headers;
}

TEST(HouseTest, ALayerIncludesOnlyThoseBelowIt) {
  std::vector<std::string> wrong;
  for (const Source& source : EngineSources()) {
    const std::string layer = LayerOf(source.path);
    ASSERT_TRUE(kMayKnow.contains(layer)) << source.path << " is in no known layer";
    for (const std::string& include : source.quoted) {
      const std::optional<std::string> file = FileOf(include);
      if (!file.has_value()) continue;
      const bool ours = file->starts_with("engine/");
      const std::string of = ours ? LayerOf(*file) : *file;
      if (!ours || (of != layer && !kMayKnow.at(layer).contains(of))) {
        wrong.push_back(source.path + " includes " + include);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(HouseTest, APublicHeaderIncludesTheStandardLibraryAbseilAndItsLike) {
  std::vector<std::string> wrong;
  for (const Source& source : EngineSources()) {
    if (!PublicHeaders().contains(source.path) &&
        !(IsInternal(source.path) && IsHeader(source.path))) {
      continue;
    }
    for (const std::string& include : source.quoted) {
      const std::optional<std::string> file = FileOf(include);
      const bool fine = file.has_value()
                            ? include.starts_with("presence/") &&
                                  (PublicHeaders().contains(*file) || IsInternal(*file))
                            : include.starts_with("absl/");
      if (!fine) wrong.push_back(source.path + " includes " + include);
    }
    for (const std::string& include : source.angular) {
      const bool standard = std::all_of(include.begin(), include.end(),
                                        [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
      if (!standard) wrong.push_back(source.path + " includes <" + include + ">");
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// What a program is told that is compiled as an older C++, whichever header or source comes first.
constexpr std::string_view kNeedsCxx20 = "engine/base/internal/cxx20.h";

TEST(HouseTest, WhateverIsCompiledSaysThatItNeedsCxx20) {
  std::map<std::string, std::vector<std::string>> includes;
  for (const Source& source : EngineSources()) {
    for (const std::string& include : source.quoted) {
      includes[source.path].push_back(FileOf(include).value_or(""));
    }
  }
  std::set<std::string> says = {std::string(kNeedsCxx20)};
  for (size_t before = 0; before != says.size();) {
    before = says.size();
    for (const auto& [file, included] : includes) {
      if (std::any_of(included.begin(), included.end(),
                      [&](const std::string& name) { return says.contains(name); })) {
        says.insert(file);
      }
    }
  }
  std::vector<std::string> silent;
  for (const Source& source : EngineSources()) {
    if (!says.contains(source.path)) silent.push_back(source.path);
  }
  EXPECT_THAT(silent, IsEmpty());
}

TEST(HouseTest, NoHeaderMentionsSimdjson) {
  std::vector<std::string> wrong;
  for (const Source& source : EngineSources()) {
    if (IsHeader(source.path) && source.text.find("simdjson") != source.text.npos) {
      wrong.push_back(source.path);
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// Who else includes it, and why.
const std::set<std::string> kAlsoIncludeSimdjson = {
    "bench/replay_bench.cc",             // parsing alone is the floor of a replay
    "tests/build/dependencies_test.cc",  // calls every dependency
};

TEST(HouseTest, OnlyTheJsonLayerIncludesSimdjson) {
  std::vector<std::string> wrong;
  for (const auto* const sources : {&EngineSources(), &OtherSources()}) {
    for (const Source& source : *sources) {
      for (const std::string& include : source.quoted) {
        if (include == "simdjson.h" && !source.path.starts_with("engine/json/") &&
            !kAlsoIncludeSimdjson.contains(source.path)) {
          wrong.push_back(source.path);
        }
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(HouseTest, EveryPublicHeaderIsThereAndIsIncludedByItsPublicName) {
  std::set<std::string> there;
  std::vector<std::string> wrong;
  for (const Source& source : EngineSources()) there.insert(source.path);
  for (const std::string& header : PublicHeaders()) {
    if (!there.contains(header)) wrong.push_back(header + " is listed as public, and is not there");
  }
  for (const auto* const sources : {&EngineSources(), &OtherSources()}) {
    for (const Source& source : *sources) {
      for (const std::string& include : source.quoted) {
        const std::optional<std::string> file = FileOf(include);
        if (!file.has_value() || !file->starts_with("engine/")) continue;
        const bool visible = PublicHeaders().contains(*file) || IsInternal(*file);
        if (visible != include.starts_with("presence/")) {
          wrong.push_back(source.path + " includes " + include);
        }
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
}

// The types that a header defines in its namespace, with that before them.
std::vector<std::string> TypesOf(const Source& source) {
  std::vector<std::string> types;
  std::string scope;
  for (const std::string& line : Lines(source.path)) {
    if (line.starts_with("namespace ") && line.ends_with(" {")) {
      scope = line.substr(10, line.size() - 12);
    }
    for (const std::string_view kind : {"struct ", "class ", "enum class "}) {
      if (!line.starts_with(kind) || line.find('{') == line.npos) continue;
      std::string rest = line.substr(kind.size());
      if (rest.starts_with("[[")) rest = rest.substr(rest.find("]] ") + 3);
      types.push_back(scope + "::" + rest.substr(0, rest.find_first_of(" :{")));
    }
  }
  return types;
}

// Two types of one name in one namespace are a program whose parts disagree on what it is; no
// compiler or linker says so.
TEST(HouseTest, NoTwoHeadersDefineTheSameType) {
  std::map<std::string, std::string> defined_in;
  std::vector<std::string> wrong;
  for (const auto* const sources : {&EngineSources(), &OtherSources()}) {
    for (const Source& source : *sources) {
      // Those of tests and examples are in programs of their own.
      if (!IsHeader(source.path) || source.path.starts_with("tests/") ||
          source.path.starts_with("tools/examples/")) {
        continue;
      }
      for (const std::string& type : TypesOf(source)) {
        const auto [known, added] = defined_in.try_emplace(type, source.path);
        if (!added) wrong.push_back(type + " in " + known->second + " and in " + source.path);
      }
    }
  }
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_GT(defined_in.size(), 100u);
}

// Of the command: what is right in tools/ and in tools/serve/, and all of sim/.
bool IsOfTheCommand(std::string_view path) {
  return path.starts_with("sim/") || path.starts_with("tools/serve/") ||
         (path.starts_with("tools/") &&
          path.find('/', std::string_view("tools/").size()) == path.npos);
}

TEST(HouseTest, CMakeListsEverySourceAndInternalHeader) {
  std::set<std::string> wanted;
  for (const Source& source : EngineSources()) {
    if (!IsHeader(source.path)) wanted.insert(source.path);
    if (IsHeader(source.path) && IsInternal(source.path)) {
      wanted.insert(source.path.substr(std::string_view("engine/").size()));
    }
  }
  for (const Source& source : OtherSources()) {
    if (!IsHeader(source.path) && IsOfTheCommand(source.path)) wanted.insert(source.path);
  }
  std::set<std::string> listed;
  for (const std::string& line : Lines("CMakeLists.txt")) {
    const size_t from = line.find_first_not_of(' ');
    if (from == line.npos || line.find(' ', from) != line.npos) continue;
    if (line.ends_with(".cc") || line.ends_with(".h")) listed.insert(line.substr(from));
  }
  std::vector<std::string> missing;
  std::set_difference(wanted.begin(), wanted.end(), listed.begin(), listed.end(),
                      std::back_inserter(missing));
  EXPECT_THAT(missing, IsEmpty());
  std::vector<std::string> not_there;
  std::set_difference(listed.begin(), listed.end(), wanted.begin(), wanted.end(),
                      std::back_inserter(not_there));
  EXPECT_THAT(not_there, IsEmpty());
}

// CMake's libraries, each with the layers that it is made of.
const std::map<std::string, std::set<std::string>> kLibraries = {
    {"engine", {"", "base", "members", "client", "host"}},
    {"wire", {"json", "wire"}},
    {"session", {"session", "room"}},
};

TEST(HouseTest, EachOfCMakesLibrariesIsMadeOfItsLayers) {
  constexpr std::string_view kLibrary = "presence_library(";
  std::vector<std::string> wrong;
  std::set<std::string> seen;
  std::string library;
  for (const std::string& line : Lines("CMakeLists.txt")) {
    if (line.starts_with(kLibrary)) {
      library = line.substr(kLibrary.size());
      ASSERT_TRUE(kLibraries.contains(library)) << library;
      seen.insert(library);
    } else if (line.starts_with(")")) {
      library.clear();
    } else if (!library.empty()) {
      const std::string source = line.substr(line.find_first_not_of(' '));
      if (!kLibraries.at(library).contains(LayerOf(source))) {
        wrong.push_back(source + " is in " + library);
      }
    }
  }
  EXPECT_EQ(seen.size(), kLibraries.size());
  EXPECT_THAT(wrong, IsEmpty());
}

TEST(HouseTest, AnInternalHeaderIsNeededByAPublicOne) {
  std::set<std::string> needed;
  for (const Source& source : EngineSources()) {
    if (!PublicHeaders().contains(source.path) && !IsInternal(source.path)) continue;
    for (const std::string& include : source.quoted) needed.insert(FileOf(include).value_or(""));
  }
  std::vector<std::string> idle;
  for (const Source& source : EngineSources()) {
    if (IsInternal(source.path) && IsHeader(source.path) && !needed.contains(source.path)) {
      idle.push_back(source.path);
    }
  }
  EXPECT_THAT(idle, IsEmpty());
}

// Tests that a list names at the end of its rows, and which are not there; there must be so many
// rows.
std::vector<std::string> MissingTests(const std::string& list, size_t least) {
  std::string tests;
  for (const Source& source : SourcesBelow("tests")) tests += source.text;
  std::vector<std::string> missing;
  size_t rows = 0;
  bool is_of_tests = false;
  for (const std::string& line : Lines(list)) {
    if (!line.starts_with("|")) is_of_tests = false;
    if (line.ends_with("| test |")) is_of_tests = true;
    if (!line.starts_with("| ") || line.ends_with("| test |") || !is_of_tests) continue;
    ++rows;
    const size_t begin = line.rfind("| ", line.size() - 2) + 2;
    const std::string name = line.substr(begin, line.size() - 2 - begin);
    const size_t dot = name.find('.');
    const std::string both =
        name.substr(0, dot) + ", " + name.substr(std::min(dot, name.size() - 1) + 1) + ")";
    bool is_there = false;
    for (const std::string_view macro : {"TEST(", "TEST_F(", "TEST_P("}) {
      is_there = is_there || tests.find(std::string(macro) + both) != tests.npos;
    }
    if (dot == name.npos || !is_there) missing.push_back(name);
  }
  EXPECT_GT(rows, least) << list;
  return missing;
}

// The lists of which test holds what are of no use if they are not there.
TEST(HouseTest, TestsThatAreNamedForARuleAreThere) {
  EXPECT_THAT(MissingTests("tests/serve/rules_tested.md", 90), IsEmpty());
  EXPECT_THAT(MissingTests("tests/world/rules_simulated.md", 50), IsEmpty());
}

// The names of the folders right in this one.
std::set<std::string> FoldersIn(std::string_view folder) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(Root() / folder)) {
    if (entry.is_directory()) names.insert(entry.path().filename().string());
  }
  return names;
}

// Who is new must find out what a folder of tests is for, if it is not that of sources by its name.
TEST(HouseTest, FoldersOfTestsAreNamedForSourcesOrAreExplained) {
  std::set<std::string> sources = {"engine", "tools"};  // what is right in these
  for (const std::string_view folder : {"engine", "sim", "tools"}) {
    for (const std::string& name : FoldersIn(folder)) sources.insert(name);
  }
  std::string guide;
  for (const std::string& line : Lines("CONTRIBUTING.md")) guide += line + "\n";
  std::vector<std::string> unexplained;
  for (const std::string& name : FoldersIn("tests")) {
    if (!sources.contains(name) && guide.find("`tests/" + name + "`") == guide.npos) {
      unexplained.push_back(name);
    }
  }
  EXPECT_THAT(unexplained, IsEmpty());
}

}  // namespace
}  // namespace presence
