// A program of another project: knows of Presence only what is installed.

#include <cstdio>

#include "presence/client/channel.h"
#include "presence/wire/frame_reader.h"

int main() {
  presence::Channel channel{presence::Channel::Options()};
  presence::Effects effects;
  presence::wire::FrameReader reader;
  constexpr std::string_view kFrames[] = {
      R"({"action":11,"channel":"my-room","flags":1})",
      R"({"action":16,"channel":"my-room","channelSerial":"s1:","timestamp":7,"presence":[)"
      R"({"action":1,"clientId":"alice","connectionId":"c1","id":"c1:0:0"}]})",
  };
  for (const std::string_view text : kFrames) {
    const absl::StatusOr<presence::wire::Frame> frame = reader.Read(text);
    if (!frame.ok()) return 1;
    const absl::Status status = channel.Apply(presence::TimestampFromMs(7),
                                              presence::wire::ChannelInputOf(*frame), effects);
    if (!status.ok()) return 1;
    for (const presence::Effect& effect : effects) {
      const auto* const event = std::get_if<presence::MemberEvent>(&effect);
      if (event == nullptr) continue;
      const std::string_view client = event->message.client_id;
      std::printf("%.*s is here\n", static_cast<int>(client.size()), client.data());
    }
  }
  return channel.members().size() == 1 && channel.sync_complete() ? 0 : 1;
}
