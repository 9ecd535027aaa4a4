#include "sim/replay/look_ahead.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/message.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"
#include "tests/trace/malformed_lines.h"

namespace presence::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Who entered with what data, by which line and when.
class EventTexts : public ReplaySink {
 public:
  void Write(const ReplayOutput& output) override {
    const auto* const event = std::get_if<MemberEvent>(output.effect);
    if (event == nullptr) return;
    texts.push_back(std::string(event->message.client_id) + " " +
                    std::string(event->message.payload.data) + " line " +
                    std::to_string(output.line) + " t " + std::to_string(output.t));
  }
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>, const Channel&) override {}

  std::vector<std::string> texts;
};

std::string Enter(std::string_view channel, std::string_view client_id, std::string_view data) {
  return "{\"t\":" + std::to_string(data.size()) + ",\"recv\":{\"action\":14,\"channel\":\"" +
         std::string(channel) + "\",\"id\":\"" + std::string(client_id) +
         ":0\",\"connectionId\":\"" + std::string(client_id) +
         "\",\"timestamp\":1,\"presence\":[{\"action\":2,\"clientId\":\"" + std::string(client_id) +
         "\",\"data\":\"" + std::string(data) + "\"}]}}\n";
}

// Gives so many bytes at once: lines that are not given yet cannot be seen ahead.
class Pieces : public ByteSource {
 public:
  Pieces(std::string_view text, size_t bytes_at_once) : text_(text), piece_(bytes_at_once) {}
  absl::StatusOr<size_t> Read(char* to, size_t size) override {
    const size_t given = text_.copy(to, std::min(size, piece_));
    text_.remove_prefix(given);
    return given;
  }

 private:
  std::string_view text_;
  const size_t piece_;
};

// What is said of lines that are refused.
std::vector<std::string> Replay(std::string_view text, ReplaySink& sink,
                                size_t bytes_at_once = std::string::npos) {
  std::vector<std::string> complaints;
  Replayer replayer(sink);
  LineReader lines(std::make_unique<Pieces>(text, bytes_at_once));
  LookAhead look_ahead(lines, replayer);
  std::string_view line;
  for (;;) {
    const absl::StatusOr<bool> more = lines.Next(line);
    EXPECT_TRUE(more.ok()) << more.status().message();
    if (!more.ok() || !*more) return complaints;
    if (TraceReader::IsBlank(line)) continue;
    const absl::Status status = look_ahead.Replay(line);
    if (status.ok()) continue;
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << line;
    complaints.push_back(std::to_string(lines.line_number()) + ": " +
                         std::string(status.message()));
  }
}

TEST(LookAhead, TheLineThatIsReplayedStaysWhileTheNextIsRead) {
  const std::string trace = Enter("a", "alice", "1") + Enter("a", "bob", "22") +
                            Enter("b", "carol", "333") + Enter("a", "dave", "4444");
  for (const size_t bytes_at_once : {std::string::npos, size_t{1}, size_t{150}}) {
    EventTexts events;
    EXPECT_THAT(Replay(trace, events, bytes_at_once), IsEmpty());
    EXPECT_THAT(events.texts, ElementsAre("alice 1 line 1 t 1", "bob 22 line 2 t 2",
                                          "carol 333 line 3 t 3", "dave 4444 line 4 t 4"));
  }
}

TEST(LookAhead, AMalformedLineIsRefusedInItsTurn) {
  for (const testing::MalformedLine& malformed : testing::kMalformedLines) {
    const std::string trace =
        Enter("a", "alice", "1") + std::string(malformed.text) + "\n" + Enter("a", "bob", "22");
    EventTexts events;
    EXPECT_THAT(Replay(trace, events), ElementsAre("2: " + std::string(malformed.message)));
    EXPECT_THAT(events.texts, ElementsAre("alice 1 line 1 t 1", "bob 22 line 3 t 2"));
  }
}

TEST(LookAhead, ALineThatCannotStandWhereItStandsIsRefusedAndTheNextOneReplayed) {
  const std::string trace =
      Enter("a", "alice", "1") + "{\"options\":{}}\n" + Enter("a", "bob", "22");
  EventTexts events;
  EXPECT_THAT(Replay(trace, events),
              ElementsAre("2: \"options\" after the first line that needs a channel"));
  EXPECT_THAT(events.texts, ElementsAre("alice 1 line 1 t 1", "bob 22 line 3 t 2"));
}

TEST(LookAhead, BlankAndLongLinesAreNotReadAheadAndReplayedAllTheSame) {
  const std::string large(size_t{1} << 20, 'x');
  const std::string trace = Enter("a", "alice", "1") + " \r\n\n" + Enter("a", "bob", large) +
                            Enter("a", "carol", "333") + "\r\n";
  EventTexts events;
  EXPECT_THAT(Replay(trace, events), IsEmpty());
  EXPECT_THAT(events.texts, ElementsAre("alice 1 line 1 t 1", "bob " + large + " line 4 t 1048576",
                                        "carol 333 line 5 t 1048576"));
}

}  // namespace
}  // namespace presence::sim
