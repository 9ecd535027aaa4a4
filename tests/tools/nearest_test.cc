#include "tools/nearest.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace presence::tools {
namespace {

TEST(Nearest, TakesTheFewestSlips) {
  EXPECT_EQ(Nearest("form", {"farn", "from"}), "from") << "two letters the wrong way round are one";
  EXPECT_EQ(Nearest("cheque", {"checks", "cheques"}), "cheques");
  EXPECT_EQ(Nearest("chek", {"cheek", "check"}), "cheek") << "the first of two";
  EXPECT_EQ(Nearest("exact", {"exacts", "exact"}), "exacts") << "what it begins is as near";
}

TEST(Nearest, DashesAreNoSlips) {
  EXPECT_EQ(Nearest("-check", {"--check"}), "--check");
  EXPECT_EQ(Nearest("version", {"--version"}), "--version");
}

TEST(Nearest, WhatIsFarIsNotTold) {
  EXPECT_EQ(Nearest("", {"a", ""}), "");
  EXPECT_EQ(Nearest("x", {"y", "o"}), "");
  EXPECT_EQ(Nearest("colour", {"check", "channel"}), "");
  EXPECT_EQ(Nearest(std::string(65, 'a'), {std::string(65, 'a')}), "") << "nobody types that";
  EXPECT_EQ(Nearest("word", {}), "");
}

}  // namespace
}  // namespace presence::tools
