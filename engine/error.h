#ifndef PRESENCE_ERROR_H_
#define PRESENCE_ERROR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "presence/base/internal/cxx20.h"

namespace presence {

// The codes that the engine itself gives; a server may send others. With each, what the caller can
// do about it.
enum ErrorCode : int64_t {
  kMalformedRequest = 40000,    // mend the call: an argument is missing
  kMessageTooLarge = 40009,     // send less data
  kBadChannelName = 40010,      // use a name that is not empty and does not begin with a colon
  kInvalidClientId = 40012,     // connect with a client id, or act for the one connected with
  kOtherIdentity = 40102,       // the token is of another client: close, and connect as that one
  kTokenExpired = 40142,        // get another token; a session does so by itself
  kNotPermitted = 40160,        // attach with the mode that this needs, or get the permission
  kCannotRenewToken = 40171,    // connect again with a token, or give a way to get one
  kTooManyRequests = 42910,     // wait until earlier calls have completed
  kRefused = 50000,             // the server refused and gave no reason: try again later
  kConnectionFailed = 80000,    // mend what the connection's reason names, then connect again
  kConnectionSuspended = 80002,  // wait: the owner is trying to connect again
  kConnectionDisconnected = 80003,  // wait for the connection, or allow queueing
  kCannotResume = 80008,        // nothing: it was too late, and the connection is a new one
  kConnectionClosed = 80017,    // connect again
  kMalformedKey = 80018,        // resume with a key as it came; the connection is a new one
  kNoToken = 80019,             // mend how tokens are got; its cause says what went wrong
  kChannelState = 90001,        // attach the channel, then call again
  kNoAnswer = 90007,            // to ATTACH: it is tried again; to DETACH: detach again
  kSetFull = 91003,             // the room is full: wait until somebody leaves
  kReentryFailed = 91004,       // enter again by hand, or look at the cause
  kOutOfSync = 91005,           // wait until attached, or ask with wait_for_sync = false
  kNoPresenceSubscribe = 91008,  // attach with the mode PRESENCE_SUBSCRIBE
};

struct ErrorInfo;

// An error that is told to many, or is the cause of many, is kept once: made, never written again,
// and shared. Null: no error.
using SharedError = std::shared_ptr<const ErrorInfo>;

// The causes that an error may have, one below the other. Deeper ones are cut off wherever the
// engine makes, keeps, reads or sends an error, so that none is a burden, nor takes the stack when
// it goes.
inline constexpr size_t kMaxCauses = 16;

// Why something failed, in the protocol's form (TI1).
struct ErrorInfo {
  int64_t code = 0;
  int64_t status_code = 0;
  std::string message;
  SharedError cause;
};

// An error of the engine's own: status 400, but 401 for kOtherIdentity, kTokenExpired and
// kNotPermitted, 408 for kNoAnswer, 429 for kTooManyRequests and 503 for kConnectionDisconnected.
// `cause` may be null; of it and its own causes kMaxCauses are kept.
ErrorInfo MakeError(ErrorCode code, std::string message, SharedError cause = nullptr);

// The error with kMaxCauses at most. Shares the causes with the one given if they are not too many.
ErrorInfo WithCausesCut(ErrorInfo error);

// The error and its causes in one line, for people: "91005 out of sync, because 80003 the transport
// was lost". Messages are as they came; who shows them on a terminal escapes what is no text.
std::string ErrorText(const ErrorInfo& error);

// The error, or a copy of it, to be shared, with kMaxCauses at most; null stays null.
SharedError ShareError(ErrorInfo error);
SharedError ShareError(const ErrorInfo* error);

}  // namespace presence

#endif  // PRESENCE_ERROR_H_
