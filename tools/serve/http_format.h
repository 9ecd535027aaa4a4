#ifndef TOOLS_SERVE_HTTP_FORMAT_H_
#define TOOLS_SERVE_HTTP_FORMAT_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "tools/serve/http_message.h"

namespace presence::serve {

// A response of JSON in the form that the request asks for: MessagePack, if it accepts that and the
// response is no error; in an envelope with its status and headers (`envelope=json` or `msgpack`),
// for clients that do not see those. All other responses as they are.
HttpResponse InFormOf(const HttpRequest& request, HttpResponse response);

// What a request's body says, JSON unless its content type is application/x-msgpack. Fails with
// InvalidArgument and a message for people.
absl::StatusOr<JsonValue> ReadBody(const HttpRequest& request);
// The error with which such a failure is answered.
ErrorInfo UnreadableBody(const absl::Status& status);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_HTTP_FORMAT_H_
