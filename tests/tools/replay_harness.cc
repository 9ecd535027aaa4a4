#include "tests/tools/replay_harness.h"

namespace presence::testing {

std::string Enter(std::string_view client, std::string_view channel) {
  return "{\"t\":7,\"recv\":{\"action\":14,\"channel\":\"" + std::string(channel) +
         "\",\"presence\":[{\"action\":2,\"id\":\"c1:0:0\",\"connectionId\":\"c1\","
         "\"clientId\":\"" +
         std::string(client) + "\"}]}}\n";
}

std::string Entered(int line, std::string_view client, std::string_view channel) {
  return "{\"line\":" + std::to_string(line) + ",\"t\":7,\"channel\":\"" + std::string(channel) +
         "\",\"event\":\"enter\",\"clientId\":\"" + std::string(client) +
         "\",\"connectionId\":\"c1\",\"id\":\"c1:0:0\",\"timestamp\":7,\"connections\":1}\n";
}

std::string End(int line, const std::vector<std::string>& clients, std::string_view channel) {
  std::string members;
  for (const std::string& client : clients) {
    if (!members.empty()) members += ',';
    members += "{\"clientId\":\"" + client +
               "\",\"connectionId\":\"c1\",\"id\":\"c1:0:0\",\"timestamp\":7}";
  }
  const std::string count = std::to_string(clients.size());
  return "{\"line\":" + std::to_string(line) + ",\"t\":7,\"channel\":\"" + std::string(channel) +
         "\",\"end\":{\"channel\":\"" + std::string(channel) +
         "\",\"state\":\"initialized\",\"sync\":\"none\",\"members\":[" + members +
         "],\"ownMembers\":[],\"stats\":{\"frames\":" + count + ",\"items\":" + count +
         ",\"accepted\":" + count +
         ",\"stale\":0,\"malformed\":0,\"ignored\":0,\"events\":{\"enter\":" + count +
         ",\"leave\":0,\"update\":0,\"present\":0},\"syncsStarted\":0,\"syncsCompleted\":0,"
         "\"syncsDiscarded\":0,\"synthesizedLeaves\":0,\"framesIgnored\":0,"
         "\"tombstonesEvicted\":0}}}\n";
}

std::string AnnAlone() { return Entered(1, "ann") + End(1, {"ann"}); }

}  // namespace presence::testing
