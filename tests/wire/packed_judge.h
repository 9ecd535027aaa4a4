#ifndef TESTS_WIRE_PACKED_JUDGE_H_
#define TESTS_WIRE_PACKED_JUDGE_H_

#include <string>
#include <string_view>

namespace presence::wire {

// In what AppendUnpacked departs from what nlohmann-json makes of a MessagePack text, which takes
// and refuses the same texts but for what JSON has no form of; empty if in nothing.
std::string PackedDisagreement(std::string_view packed);

}  // namespace presence::wire

#endif  // TESTS_WIRE_PACKED_JUDGE_H_
