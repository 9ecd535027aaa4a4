#ifndef TOOLS_SERVE_HTTP_MESSAGE_H_
#define TOOLS_SERVE_HTTP_MESSAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/error.h"
#include "tools/serve/request_target.h"

namespace presence::serve {

// A request without Upgrade, as handlers see it. It views what came, until it is answered.
struct HttpRequest {
  std::string_view method;  // GET
  RequestTarget target;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;
  bool from_loopback = false;  // whether it was sent on this machine

  // The value of a header, the first of several; its name is of any case. Empty: there is none.
  std::string_view Header(std::string_view name) const;
  // Likewise of a parameter of the target.
  std::string_view Parameter(std::string_view name) const { return target.Parameter(name); }
};

// The body of a response that goes on for as long as both ends like. Its methods call nobody back.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  // Sends this next. False, and nothing is sent: the one before has not been taken yet, or nobody
  // is there.
  virtual bool Write(std::shared_ptr<const std::string> bytes) = 0;
  virtual bool is_open() const = 0;
  virtual void Close() = 0;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;  // empty: no body, and none is named
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // Called first, with what sends it, once, now or later; empty: it is sent at once.
  std::function<void(std::function<void()>)> wait = nullptr;
  // Called after the head is sent, with what its body is written to; empty: `body` is all of it.
  std::function<void(std::shared_ptr<HttpStream>)> follow = nullptr;
};

// 200 with this body.
HttpResponse TextResponse(std::string text);
HttpResponse JsonResponse(std::string json);
// The error, as clients of the protocol read it, in a body and in headers; of its status.
HttpResponse ErrorResponse(const ErrorInfo& error);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_HTTP_MESSAGE_H_
