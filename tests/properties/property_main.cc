// Runs the tests of one suite with a fixed seed. RC_PARAMS is read after it, so that it can name
// another seed, more cases, or a failure to reproduce.

#include <cstdlib>
#include <iostream>
#include <string>

#include "gtest/gtest.h"
#include "tests/properties/cases.h"

int main(int argc, char** argv) {
  std::string parameters = "seed=" + std::to_string(presence::kSeed) +
                           " max_success=" + std::to_string(presence::kCases);
  if (const char* given = std::getenv("RC_PARAMS")) parameters += std::string(" ") + given;
  setenv("RC_PARAMS", parameters.c_str(), 1);
  std::cout << "RC_PARAMS=\"" << parameters << "\"\n";
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
