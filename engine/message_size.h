#ifndef ENGINE_MESSAGE_SIZE_H_
#define ENGINE_MESSAGE_SIZE_H_

#include <cstdint>
#include <string_view>

#include "engine/message.h"

namespace presence {

// The bytes that an operation counts towards the limit (RTP8, TO3l8): its data as sent, base64
// decoded; the client id that it names, empty if none; its extras, as compact JSON.
int64_t OperationSize(std::string_view client_id, const Payload& payload);

}  // namespace presence

#endif  // ENGINE_MESSAGE_SIZE_H_
