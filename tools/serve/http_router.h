#ifndef TOOLS_SERVE_HTTP_ROUTER_H_
#define TOOLS_SERVE_HTTP_ROUTER_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/error.h"
#include "tools/serve/http_message.h"

namespace presence::serve {

// Finds who answers a request, by its method and path.
//
//   HttpRouter router;
//   router.Add("GET", "/rooms/*/members", [&](const HttpRequest& request) {
//     return JsonResponse(MembersOf(request.target.segments[1]));
//   });
//
// GET answers HEAD, too. Responses of JSON are given in the form that is asked for (http_format.h).
// OPTIONS is answered as browsers ask for it, and any origin is let in. What there is no route for
// is not found: with an error of the protocol, but below /comet/ without a word of why, since
// published clients give up for good if they are told.
class HttpRouter {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // `path` is matched segment by segment; `*` is any one that is not empty. Of several routes that
  // match, the one added first answers. The handler must stay good as long as the router is asked.
  void Add(std::string_view method, std::string_view path, Handler handler);

  HttpResponse Answer(const HttpRequest& request) const;
  // The answer to one that could not be read to its end, or at all: what came of it may be empty.
  static HttpResponse Refuse(const HttpRequest& request, const ErrorInfo& error);

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;

    bool Matches(const HttpRequest& request) const;
    // Whether it has this path, whatever the method.
    bool IsAt(const std::vector<std::string>& asked) const;
  };
  std::string MethodsFor(const std::vector<std::string>& segments) const;
  HttpResponse Dispatch(const HttpRequest& request) const;

  std::vector<Route> routes_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_HTTP_ROUTER_H_
