#ifndef TESTS_MODEL_NEWNESS_H_
#define TESTS_MODEL_NEWNESS_H_

// The model's rules of newness (RTP2a, RTP2b), on their own because properties use them too.

#include "presence/message.h"

namespace presence {

bool IsSynthesized(const Message& message);
// Timestamps decide: one of the two is synthesized, or has an id that cannot be read.
bool ComparedByTimestamp(const Message& incoming, const Message& stored);
bool IsNewer(const Message& incoming, const Message& stored);

}  // namespace presence

#endif  // TESTS_MODEL_NEWNESS_H_
