#include "presence/session/internal/tokens.h"

namespace presence {

Tokens::Refusal Tokens::Refused() {
  if (!renewable_) return Refusal::kNoWay;
  const bool second_in_a_row = fresh_;
  fresh_ = false;
  refused_ = true;
  return second_in_a_row ? Refusal::kGiveUp : Refusal::kRenew;
}

void Tokens::Renewed() {
  fresh_ = refused_;
  asked_ = refused_ = false;
}

}  // namespace presence
