#ifndef PRESENCE_SESSION_INTERNAL_TOKENS_H_
#define PRESENCE_SESSION_INTERNAL_TOKENS_H_

#include <cstdint>

#include "presence/base/internal/cxx20.h"

namespace presence {

// Whether the owner's token can be used, and what to do when the server says that it cannot
// (RTN14b, RTN15h, RSA4). Knows no token and no time.
//
// Invariants: what is fresh is not refused, and nobody waits for a token that cannot be renewed.
class Tokens {
 public:
  // `renewable`: the owner can get another token.
  explicit Tokens(bool renewable) : renewable_(renewable) {}

  enum class Refusal : uint8_t {
    kRenew,   // ask for a token, then try with that
    kGiveUp,  // the renewed one is refused as well: wait before the next try
    kNoWay,   // nothing can be done about it (RTN15h1)
  };
  // The server refused the token, with an error of the codes 40140 to 40149.
  Refusal Refused();

  // A token was asked for; the answer is one of Renewed, Failed and Forget.
  void Asked() { asked_ = true; }
  // A new token is there, asked for or not.
  void Renewed();
  void Failed() { asked_ = false; }
  // The server took the token.
  void Accepted() { fresh_ = refused_ = false; }
  // Nothing is known of the token any more, and nobody waits for one: another connection begins.
  void Forget() { asked_ = fresh_ = refused_ = false; }

  bool renewable() const { return renewable_; }
  bool asked() const { return asked_; }
  // The token is known to be of no use: a try begins by asking for another one.
  bool refused() const { return refused_; }

  bool Valid() const { return !(fresh_ && refused_) && (renewable_ || !(asked_ || refused_)); }

 private:
  const bool renewable_;
  bool asked_ = false;
  bool refused_ = false;
  bool fresh_ = false;  // renewed because one was refused, and not accepted yet
};

// 40140 to 40149: the token, not the request, is what is wrong.
inline bool IsTokenError(int64_t code) { return code >= 40140 && code <= 40149; }

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_TOKENS_H_
