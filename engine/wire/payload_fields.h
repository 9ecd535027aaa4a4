#ifndef ENGINE_WIRE_PAYLOAD_FIELDS_H_
#define ENGINE_WIRE_PAYLOAD_FIELDS_H_

#include "presence/message.h"

namespace presence::wire {

// Writes the fields of a payload, each with a comma before it. `out` has Raw, for what is to stand
// there as it is, and String, for what is to be quoted.
template <typename Out>
void WritePayload(const Payload& payload, Out& out) {
  if (payload.data_kind != DataKind::kNone) {
    out.Raw(",\"data\":");
    if (payload.data_kind == DataKind::kString) {
      out.String(payload.data);
    } else {
      out.Raw(payload.data);
    }
  }
  if (payload.encoding.has_value()) {
    out.Raw(",\"encoding\":");
    out.String(*payload.encoding);
  }
  if (payload.extras.has_value()) {
    out.Raw(",\"extras\":");
    out.Raw(*payload.extras);
  }
}

}  // namespace presence::wire

#endif  // ENGINE_WIRE_PAYLOAD_FIELDS_H_
