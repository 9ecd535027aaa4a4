#ifndef TOOLS_SERVE_STATE_STORE_H_
#define TOOLS_SERVE_STATE_STORE_H_

#include <functional>

#include "absl/status/status.h"
#include "tools/serve/state_file.h"

namespace presence::serve {

// Where a KeptServer writes, without waiting for it.
class StateStore {
 public:
  virtual ~StateStore() = default;
  // Writes it and calls `done` later, from the thread of who called. One at a time.
  virtual void Write(StateTransaction transaction, std::function<void(absl::Status)> done) = 0;
  // The last write, after what is under way, of which `done` is not called any more. Waits for it.
  virtual absl::Status WriteLast(const StateTransaction& transaction) = 0;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_STATE_STORE_H_
