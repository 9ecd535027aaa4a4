#ifndef TOOLS_SERVE_USER_CLAIMS_H_
#define TOOLS_SERVE_USER_CLAIMS_H_

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/attributes.h"
#include "presence/item.h"
#include "presence/wire/frame.h"

namespace presence::serve {

// Puts into the items of PRESENCE frames what the key's owner says of who sends them, as
// `extras.userClaim`, and takes away what clients say of themselves under that name (CHA-PR6g). One
// thread at a time.
class UserClaims {
 public:
  // The frame with its items as they are to be broadcast: `by_room` has the claims of the
  // connection, by room of the chat client, of which room R is the channel R::$chat. It views what
  // the frame given views and what is kept here, until the next Put. An item whose extras cannot
  // be read is marked as malformed.
  wire::Frame Put(const wire::Frame& frame,
                  const std::map<std::string, std::string, std::less<>>& by_room)
      ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  void Put(const std::string* claim, IncomingItem& item);

  std::vector<IncomingItem> items_;
  std::deque<std::string> extras_;  // a deque, so that views of them stay good
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_USER_CLAIMS_H_
