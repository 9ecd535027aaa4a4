#include "tests/properties/some_command.h"

#include <utility>

namespace presence {

ErrorInfo ServerError(int64_t code, std::string words) {
  ErrorInfo error;
  error.code = code;
  error.status_code = code / 100;
  error.message = std::move(words);
  return error;
}

OwnedPayload SomePayload(Draws& draws) {
  OwnedPayload payload;
  switch (draws.Below(8)) {
    case 0:
    case 1:
      break;
    case 2:
      payload.data_kind = DataKind::kString;
      payload.data = "away";
      break;
    case 3:
      payload.data_kind = DataKind::kString;
      payload.data = "{\"seat\":" + std::to_string(draws.Below(10)) + "}";
      payload.encoding = "json";
      break;
    case 4:
      payload.extras = "{\"role\":\"host\"}";
      break;
    case 5:
      payload.data_kind = DataKind::kString;  // empty, which is not the same as none
      payload.extras = "null";
      break;
    case 6:
      payload.data_kind = DataKind::kString;
      payload.data = draws.Pick({"aGVsbG8=", "aGVsbG8", "", "AA==", "aGVsbG9oZWxsbw=="});
      payload.encoding = draws.Pick({"base64", "json/base64", "utf-8/base64", "base64/json", ""});
      break;
    case 7:
      payload.data_kind = DataKind::kString;
      payload.data = std::string(draws.Below(24), 'x');
      if (draws.Chance(1, 3)) payload.data.append(draws.Pick({100u, 100u, 300u, 5000u}), 'y');
      break;
  }
  return payload;
}

Command NewCommand(Command::Kind kind, int64_t t) {
  Command command;
  command.kind = kind;
  command.t = t;
  return command;
}

Command SomeCall(Draws& draws, Driver& driver, int64_t t) {
  Command command = NewCommand(Command::Kind::kGet, t);
  command.request = driver.NewRequest();
  const auto client = [&draws] { return std::string(draws.Pick({"ann", "bob", "a:b"})); };
  switch (draws.Weighted({9, 3, 1, 2, 1})) {
    case 0:
      command.kind = Command::Kind::kOperation;
      command.action = draws.Pick({PresenceAction::kEnter, PresenceAction::kEnter,
                                   PresenceAction::kUpdate, PresenceAction::kLeave});
      if (draws.Chance(1, 2)) command.client_id = client();
      if (draws.Chance(1, 40)) command.client_id = "";
      command.payload = SomePayload(draws);
      break;
    case 1:
      if (draws.Chance(1, 3)) command.client_id = client();
      if (draws.Chance(1, 4)) command.get_connection_id = draws.Pick({"c1", "c2", "me"});
      command.wait_for_sync = !draws.Chance(1, 4);
      break;
    case 2:
      command.kind = Command::Kind::kIsUserPresent;
      command.client_id = draws.Chance(1, 8) ? "" : client();
      break;
    case 3:
      command.kind = Command::Kind::kSubscribe;
      command.subscription = draws.Below(3);
      command.events = static_cast<EventMask>(draws.Below(kAllEvents + 1u));
      break;
    case 4:
      command.kind = Command::Kind::kUnsubscribe;
      if (draws.Chance(3, 4)) command.subscription = draws.Below(4);
      break;
  }
  return command;
}

}  // namespace presence
