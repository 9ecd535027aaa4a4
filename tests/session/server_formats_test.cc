// Each client is spoken to in its own format, and both say the same.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "presence/wire/frame.h"
#include "presence/wire/packed_frame.h"
#include "tests/session/server_harness.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FormatsHarness : public ServerHarness {
 public:
  using ServerHarness::ServerHarness;

  Lines AcceptIn(wire::Format format, TransportHandle transport, std::string_view resume = "") {
    TransportAccepted accepted = Client(transport);
    accepted.format = format;
    accepted.heartbeats = true;
    accepted.resume_key = resume;
    return Apply(accepted);
  }
  // Says what this JSON says, in the format.
  Lines SayIn(wire::Format format, TransportHandle transport, std::string_view json) {
    if (format == wire::Format::kJson) return Say(transport, json);
    std::string packed;
    EXPECT_TRUE(packer_.Append(json, packed).ok());
    return Apply(packed_reader_.Read(transport, packed, format));
  }

 private:
  wire::FramePacker packer_;
  ServerReader packed_reader_{server.options().max_frame_size};
};

constexpr wire::Format kJson = wire::Format::kJson;
constexpr wire::Format kPacked = wire::Format::kMessagePack;

TEST(ServerFormats, AFrameIsWrittenOnceForEachFormatOfThoseItGoesTo) {
  FormatsHarness h;
  for (const TransportHandle transport : std::vector<TransportHandle>{1, 2, 3, 4}) {
    h.AcceptIn(transport % 2 == 1 ? kJson : kPacked, transport);
    h.Attach(transport, "room");
  }
  const uint64_t before = h.server.stats().frames_encoded;
  const Lines lines = h.Enter(1, "room", 0, "", "hello");
  EXPECT_THAT(lines, ElementsAre(StartsWith("room: enter"), StartsWith("send 1,3 {\"action\":14"),
                                 StartsWith("packed 2,4 {\"action\":14"),
                                 StartsWith("send 1 {\"action\":1,")));
  EXPECT_EQ(h.server.stats().frames_encoded - before, 3u);
  EXPECT_EQ(h.server.stats().frames_sent, 4u + 4u + 4u + 1u);
}

// What a client is told from the first frame to the last, as JSON.
Lines StoryIn(wire::Format format) {
  Server::Options options;
  options.room.max_message_size = 100;
  options.max_idle_interval = std::chrono::milliseconds(400);
  FormatsHarness h(options);
  Lines told;
  const auto note = [&](const Lines& lines) {
    for (const std::string& line : lines) {
      const size_t json = line.find(" {");
      if (line.starts_with(format == kJson ? "send " : "packed ")) {
        told.push_back(line.substr(json + 1));
      }
    }
  };
  note(h.AcceptIn(format, 1));
  const ErrorInfo full{50003, 500, "the disk is full", ShareError({50004, 500, "indeed", nullptr})};
  for (const char* const json :
       {R"({"action":0,"id":"h"})", R"({"action":10,"channel":"r"})",
        R"({"action":10,"channel":""})", R"({"action":15,"msgSerial":0,"channel":"r"})",
        R"({"action":14,"channel":"r","msgSerial":1,"presence":[{"action":2,"data":"text"}]})",
        R"({"action":14,"channel":"r","msgSerial":2,"presence":[{"action":4,"data":"AP8=",)"
        R"("encoding":"json/base64","extras":{"a":[1,-2.5,null,true,"ä"]}}]})",
        R"({"action":14,"channel":"r","msgSerial":3,"presence":[{"action":4,"data":{"o":{}}}]})",
        R"({"action":16,"channel":"r"})", R"({"action":13})"}) {
    note(h.SayIn(format, 1, json));
    note(h.Advance(1));
  }
  note(h.Apply(RefuseOperations{&full}));
  note(
      h.SayIn(format, 1, R"({"action":14,"channel":"r","msgSerial":4,"presence":[{"action":3}]})"));
  note(h.Advance(1'000));
  note(h.SayIn(format, 1, R"({"action":12,"channel":"r"})"));
  note(h.SayIn(format, 1, R"({"action":17,"auth":{"accessToken":"t"}})"));
  note(h.Apply(CredentialsRefused{1}));
  h.Apply(TransportGone{1});
  note(h.AcceptIn(format, 2, "not a key"));
  note(h.SayIn(format, 2, R"({"action":7})"));
  note(h.Apply(ShutDown{}));
  note(h.AcceptIn(format, 3));
  return told;
}

TEST(ServerFormats, EveryFrameSaysTheSameInBoth) {
  const Lines story = StoryIn(kJson);
  EXPECT_EQ(StoryIn(kPacked), story);
  // CONNECTED, HEARTBEAT, ATTACHED, ERROR, NACK, PRESENCE, ACK, SYNC, DETACHED, CLOSED,
  // DISCONNECTED.
  for (const char* const action : {"4", "0", "11", "9", "2", "14", "1", "16", "13", "8", "6"}) {
    const std::string begin = std::string(R"({"action":)") + action;
    EXPECT_THAT(story, ::testing::Contains(
                           ::testing::AnyOf(StartsWith(begin + ","), StartsWith(begin + "}"))));
  }
}

TEST(ServerFormats, BytesAreBase64InJsonAndBytesWhenPacked) {
  FormatsHarness h;
  h.AcceptIn(kJson, 1);
  h.AcceptIn(kPacked, 2);
  h.Attach(1, "r");
  h.Attach(2, "r");
  // {"action":14,"channel":"r","msgSerial":0,"presence":[{"action":2,"data":bytes of 00 FF}]}
  using namespace std::string_literals;
  const std::string packed =
      "\x84\xA6"
      "action\x0E\xA7"
      "channel\xA1r\xA9msgSerial\0\xA8presence\x91\x82\xA6"
      "action\x02\xA4"
      "data\xC4\x02\0\xFF"s;
  ServerReader reader(1000);
  ServerEffects effects;
  ASSERT_TRUE(
      h.server.Apply(TimestampFromMs(h.now_ms), reader.Read(2, packed, kPacked), effects).ok());
  std::string json_bytes, packed_bytes;
  for (const ServerEffect& effect : effects) {
    const auto* const send = std::get_if<SendFrame>(&effect);
    if (send == nullptr) continue;
    if (send->to[0] == 1) json_bytes = send->bytes;
    if (send->to[0] == 2 && packed_bytes.empty()) packed_bytes = send->bytes;
  }
  EXPECT_THAT(json_bytes, HasSubstr(R"("data":"AP8=","encoding":"base64")"));
  EXPECT_THAT(packed_bytes, HasSubstr("\xA4"
                                      "data\xC4\x02\0\xFF"s));
  EXPECT_EQ(packed_bytes.find("encoding"), packed_bytes.npos);
}

TEST(ServerFormats, WhatIsNotTakenIsCountedAsItWasSent) {
  FormatsHarness h;
  TransportAccepted accepted = h.Client(1);
  accepted.format = kPacked;
  ServerEffects effects;
  ASSERT_TRUE(h.server.Apply(TimestampFromMs(h.now_ms), accepted, effects).ok());
  size_t sent = 0;
  for (const ServerEffect& effect : effects) {
    if (const auto* const send = std::get_if<SendFrame>(&effect)) sent += send->bytes.size();
  }
  EXPECT_EQ(h.server.unsent_bytes(1), sent);
  EXPECT_EQ(h.server.stats().bytes_sent, sent);
  h.ApplyRefused(BytesTaken{1, sent + 1}, absl::StatusCode::kInvalidArgument);
  h.Apply(BytesTaken{1, sent});
  EXPECT_EQ(h.server.unsent_bytes(1), 0u);
}

TEST(ServerFormats, WhatIsNoPackedFrameIsUnreadable) {
  FormatsHarness h;
  h.AcceptIn(kPacked, 1);
  ServerReader reader(1000);
  const Lines lines = h.Apply(reader.Read(1, R"({"action":0})", kPacked));
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr(R"("code":40000)")));
}

}  // namespace
}  // namespace presence
