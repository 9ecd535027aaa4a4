#include "sim/world/call_text.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"

namespace presence::sim {

std::string SubscriptionName(std::string_view channel, SubscriptionId id) {
  return absl::StrCat("\"", AbslView(channel), "/", id, "\"");
}

CallText::CallText(const ChannelCall& call) {
  line_.channel = call.channel;
  std::visit([this](const auto& one) { Take(one); }, call.call);
}

void CallText::Take(const GetCall& call) {
  Name(CallLine::Name::kGet, call.request);
  line_.filter_client_id = call.client_id;
  line_.filter_connection_id = call.connection_id;
  line_.wait_for_sync = call.wait_for_sync;
}

void CallText::Take(const IsUserPresentCall& call) {
  Name(CallLine::Name::kIsUserPresent, call.request);
  line_.client_id = call.client_id;
}

// A trace knows a subscription by its call.
void CallText::Take(const SubscribeCall& call) {
  Name(CallLine::Name::kSubscribe, call.request);
  if (call.request == 0) id_ = SubscriptionName(line_.channel, call.id);
  PRESENCE_CHECK(call.request == 0 || call.id == call.request);
  line_.id = id_;
  line_.events = call.events;
}

void CallText::Take(const UnsubscribeCall& call) {
  Name(CallLine::Name::kUnsubscribe, call.request);
  if (!call.id.has_value()) return;
  of_ = call.request == 0 ? SubscriptionName(line_.channel, *call.id) : absl::StrCat(*call.id);
  line_.of = of_;
}

void CallText::Take(const OperationCall& call) {
  Name(CallLine::Name::kOperation, call.request);
  line_.action = call.action;
  line_.client_id = call.client_id;
  line_.payload = call.payload;
}

void CallText::Name(CallLine::Name name, RequestId request) {
  id_ = absl::StrCat(request);
  line_.name = name;
  line_.id = id_;
}

}  // namespace presence::sim
