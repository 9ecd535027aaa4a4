#ifndef PRESENCE_BASE_INTERNAL_CXX20_H_
#define PRESENCE_BASE_INTERNAL_CXX20_H_

// Every header and source of the engine comes by here first, so that a build for an older C++ is
// told what it lacks, and not what a compiler makes of it.

#if __cplusplus < 202002L
#error "Presence needs C++20: compile with -std=c++20. With Bazel: build --cxxopt=-std=c++20"
// #error alone does not stop the compiler: its sentence would be lost among hundreds of others.
#include "Presence needs C++20"
#endif

#endif  // PRESENCE_BASE_INTERNAL_CXX20_H_
