#include "presence/host/snapshot.h"

namespace presence {

bool SameError(const ErrorInfo& a, const ErrorInfo& b) {
  for (const ErrorInfo *x = &a, *y = &b;;) {
    if (x->code != y->code || x->status_code != y->status_code || x->message != y->message) {
      return false;
    }
    x = x->cause.get();
    y = y->cause.get();
    if (x == y) return true;
    if (x == nullptr || y == nullptr) return false;
  }
}

bool operator==(const RoomSnapshot::Refusal& a, const RoomSnapshot::Refusal& b) {
  return a.msg_serial == b.msg_serial && SameError(a.error, b.error);
}

}  // namespace presence
