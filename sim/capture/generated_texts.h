#ifndef SIM_CAPTURE_GENERATED_TEXTS_H_
#define SIM_CAPTURE_GENERATED_TEXTS_H_

// The ids and payloads of generated traces, each a pure function of numbers: so nobody has to keep
// them.

#include <cstddef>
#include <cstdint>
#include <string>

#include "presence/message.h"

namespace presence::sim {

// Users of these numbers and above are the client's own; all others are other people.
inline constexpr uint32_t kFirstOwnUser = 0xffff'ff00;

// Appends ten letters, digits, `-` and `_`, as connection ids have them. For one seed no two
// numbers give the same. REQUIRES: number < 2^60.
void AppendConnectionId(uint64_t seed, uint64_t number, std::string& out);

// Appends the client id of a user. No two users have the same.
void AppendClientId(uint32_t user, std::string& out);

// What a message carries, by `kind`: a JSON object as text, of `bytes` bytes (but at least as many
// as it takes to say something; 0: none at all) and its encoding; now and then extras. The text is
// put into `data`, which the payload views.
Payload MakePayload(uint64_t kind, size_t bytes, std::string& data);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_GENERATED_TEXTS_H_
