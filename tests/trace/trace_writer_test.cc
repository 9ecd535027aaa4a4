// What the writer of traces writes is what their reader reads.

#include "sim/trace/trace_writer.h"

#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "engine/json/padded_text.h"
#include "gtest/gtest.h"
#include "presence/wire/frame.h"
#include "sim/trace/trace_reader.h"

namespace presence::sim {
namespace {

// The frame of a line that has one.
struct FrameOf {
  const wire::Frame* operator()(const ReceivedLine& line) const { return &line.frame; }
  const wire::Frame* operator()(const SentLine& line) const { return &line.frame; }
  const wire::Frame* operator()(const CheckLine& line) const { return &line.frame; }
  template <typename Other>
  const wire::Frame* operator()(const Other&) const {
    return nullptr;
  }
};

// A line read and written again.
std::string Again(std::string_view text) {
  std::string padded(text);
  padded.append(json::kPadding, ' ');
  TraceReader reader;
  const absl::Status status = reader.Read(std::string_view(padded).substr(0, text.size()));
  EXPECT_TRUE(status.ok()) << text << ": " << status.message();
  if (!status.ok()) return "";
  std::string frame;
  if (const wire::Frame* const has = std::visit(FrameOf(), reader.line().content)) {
    wire::AppendFrame(*has, frame);
  }
  std::string written;
  AppendTraceLine(reader.line(), frame, written);
  EXPECT_TRUE(written.ends_with('\n')) << text;
  written.pop_back();
  return written;
}

TEST(TraceWriter, WritesWhatIsRead) {
  for (
      const std::string_view text : {
          R"({"t":5,"recv":{"action":14,"channel":"r","id":"c:0","presence":[{"action":2,"clientId":"a\"b","data":"{\"x\":1}","encoding":"json","extras":{"y":2}}]}})",
          R"({"recv":{"action":15}})",
          R"({"t":-1,"send":{"action":10,"channel":"r"}})",
          R"({"call":"enter","channel":"r","data":"x","encoding":"utf-8","extras":{}})",
          R"({"call":"update","id":7})",
          R"({"call":"leave"})",
          R"({"call":"enterClient","id":"seven","channel":"r","clientId":"","data":""})",
          R"({"call":"updateClient","clientId":"a"})",
          R"({"call":"leaveClient","clientId":"a"})",
          R"({"call":"get","channel":"r","params":{"waitForSync":true}})",
          R"({"call":"get","params":{"waitForSync":false,"clientId":"a","connectionId":"c"}})",
          R"({"call":"isUserPresent","clientId":"a"})",
          R"({"call":"subscribe","id":"s"})",
          R"({"call":"subscribe","events":[]})",
          R"({"call":"subscribe","events":["enter","present"]})",
          R"({"call":"unsubscribe"})",
          R"({"call":"unsubscribe","of":"s"})",
          R"({"state":"failed","channel":"r","reason":{"code":1,"statusCode":2,"message":"m"}})",
          R"({"state":"detaching"})",
          R"({"connection":{"state":"disconnected"}})",
          R"({"connection":{"id":"c","clientId":null,"state":"connected"}})",
          R"({"connection":{"id":null,"clientId":"a","state":"failed","reason":{"code":1,"statusCode":2,"message":"m","cause":{"code":3,"statusCode":4,"message":"n"}}}})",
          R"({"connection":{"state":"disconnected","anew":true}})",
          R"({"options":{}})",
          R"({"options":{"strictMode":true,"queueMessages":false,"attachOnSubscribe":true,"maxMessageSize":1,"maxQueued":2,"maxInFlight":3,"maxTombstones":4,"maxQueuedBytes":5,"maxInFlightBytes":6,"maxMembers":7}})",
          R"({"check":{"action":16,"channel":"r","presence":[{"action":1,"clientId":"a","connectionId":"c"}]}})",
          R"({"t":3,"check":{"channel":"r"},"settled":true})",
          R"({"t":3,"check":{"channel":"r"},"room":[]})",
          R"({"check":{},"room":[{"call":"get","id":null,"params":{"waitForSync":true}},{"event":"leave","clientId":"a","data":[1,2.5,"é"],"to":"r/1"},{"result":7,"error":{"code":1}},{"released":true}]})",
          R"({"note":"a \"note\""})",
      }) {
    EXPECT_EQ(Again(text), text);
  }
}

}  // namespace
}  // namespace presence::sim
