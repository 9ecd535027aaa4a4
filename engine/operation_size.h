#ifndef PRESENCE_OPERATION_SIZE_H_
#define PRESENCE_OPERATION_SIZE_H_

#include <cstdint>
#include <string_view>

#include "presence/message.h"

namespace presence {

// The bytes that an operation counts towards the limit (RTP8, TO3l8): its data as sent, base64
// decoded (of which at most two `=` at the end are padding); the client id that it names, empty if none; its extras, as compact JSON.
int64_t OperationSize(const Payload& payload, std::string_view client_id);

}  // namespace presence

#endif  // PRESENCE_OPERATION_SIZE_H_
