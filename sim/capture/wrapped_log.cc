#include "sim/capture/wrapped_log.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/json/piece_reader.h"
#include "sim/capture/clock.h"
#include "sim/capture/line_counter.h"

namespace presence::sim {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool SpeaksAsClient(std::string_view text) {
  return text.find("[ProtocolMessage") != text.npos || text.find("Ably: ") != text.npos ||
         text.find("(): ") != text.npos;
}

bool IsTime(std::string_view key) {
  for (const std::string_view name :
       {"time", "timestamp", "@timestamp", "ts", "datetime", "date", "asctime", "@t"}) {
    if (key == name) return true;
  }
  return false;
}

// What is wanted of one object.
struct Record {
  std::string time;
  std::string message;
  bool is_part = false;  // of a message that was too long for whoever kept it
};

std::string TimeOf(std::string_view value) {
  if (value.starts_with('"')) {
    std::string text = json::StringOf(value).value_or("");
    return FindTime(text).has_value() ? text : std::string();
  }
  const std::optional<int64_t> ms = InstantOf(json::NumberOf(value).value_or(-1));
  return ms.has_value() ? FormatInstant(*ms) : std::string();
}

void Collect(std::string_view piece, bool goes_on, int depth, Record& record);

void Take(const std::string& key, std::string_view value, bool goes_on, int depth, Record& record) {
  if (value.starts_with('{') || value.starts_with('[')) Collect(value, goes_on, depth + 1, record);
  if (record.time.empty() && IsTime(key)) record.time = TimeOf(value);
  if (!value.starts_with('"') || !record.message.empty()) return;
  std::string text = json::StringOf(value).value_or("");
  if (!goes_on && !SpeaksAsClient(text)) return;
  // Docker's logs keep the line's end, and cut lines above 16 KiB in parts.
  const bool of_docker = key == "log";
  if (goes_on && !of_docker) return;
  record.is_part = of_docker && !text.ends_with('\n');
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  record.message = std::move(text);
}

void Collect(std::string_view piece, bool goes_on, int depth, Record& record) {
  constexpr int kDeepest = 3;
  if (depth == kDeepest) return;
  json::PieceReader reader(piece);
  std::string key;
  std::string_view value;
  if (reader.EnterArray()) {  // what was logged with several arguments
    while (reader.TakeElement() && reader.TakeValue(value))
      Take(key, value, goes_on, depth, record);
  } else if (reader.EnterObject()) {
    while (reader.TakeKey(key) && reader.TakeValue(value)) Take(key, value, goes_on, depth, record);
  }
}

// `goes_on`: the record before was part of a message.
Record RecordOf(std::string_view object, bool goes_on) {
  Record record;
  Collect(object, goes_on, 0, record);
  return record;
}

template <typename Take>
void ForEachLine(std::string_view text, const Take& take) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    take(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

// The JSON object that a line is, or ends with; empty: none. Something may stand before it, such as
// the container's name.
std::string_view ObjectAtEnd(std::string_view line) {
  constexpr int kTries = 4;
  size_t at = line.find('{');
  for (int tries = 0; tries < kTries && at != line.npos; ++tries) {
    json::PieceReader reader(line.substr(at));
    std::string_view piece;
    if (reader.TakeValue(piece) && reader.TakeEnd()) return line.substr(at);
    at = line.find('{', at + 1);
  }
  return {};
}

class Unwrapper {
 public:
  explicit Unwrapper(std::string_view log) : log_(log), counter_(log) {}

  UnwrappedLog Run() {
    json::PieceReader reader(log_);
    if (reader.EnterArray() && reader.TakeElement() && reader.Peek() == '{') {
      ReadArray();
    } else {
      ReadLines();
    }
    return std::move(unwrapped_);
  }

 private:
  void ReadArray() {
    json::PieceReader reader(log_);
    if (!reader.EnterArray()) return;
    std::string_view piece;
    while (reader.TakeElement() && reader.TakeValue(piece)) {
      ReadRecord(piece, counter_.LineAt(static_cast<size_t>(piece.data() - log_.data())), "");
    }
  }

  void ReadLines() {
    uint64_t number = 0;
    ForEachLine(log_, [&](std::string_view line) {
      ++number;
      const std::string_view object = ObjectAtEnd(line);
      const std::string_view before = line.substr(0, line.size() - object.size());
      if (!object.empty() && ReadRecord(object, number, before)) return;
      // A line that is nothing but an object has something else to say.
      if (!object.empty() && before.find_first_not_of(" \t") == before.npos) return;
      Append(line, number);
      EndLine();
    });
  }

  // Whether it holds a message, or goes on with one.
  bool ReadRecord(std::string_view object, uint64_t line, std::string_view before) {
    Record record = RecordOf(object, goes_on_);
    if (record.message.empty() && !goes_on_) return false;
    if (!std::exchange(goes_on_, record.is_part)) {
      Append(record.time.empty() ? std::string(before) : record.time + " ", line);
    }
    Append(record.message, line);
    if (!goes_on_) EndLine();
    return true;
  }

  // A message may have line ends in it.
  void Append(std::string_view text, uint64_t line) {
    if (!line_open_) unwrapped_.lines.push_back(line);
    line_open_ = true;
    unwrapped_.lines.insert(unwrapped_.lines.end(),
                            static_cast<size_t>(std::count(text.begin(), text.end(), '\n')), line);
    unwrapped_.text += text;
  }
  void EndLine() {
    unwrapped_.text += '\n';
    line_open_ = false;
  }

  const std::string_view log_;
  LineCounter counter_;
  UnwrappedLog unwrapped_;
  bool line_open_ = false;
  bool goes_on_ = false;  // the last record was part of a message
};

}  // namespace

std::optional<UnwrappedLog> Unwrapped(std::string_view log) {
  if (log.starts_with(kByteOrderMark)) log.remove_prefix(kByteOrderMark.size());
  // Words may begin with a bracket, too: "[12:00:00] Ably: ...".
  json::PieceReader reader(log);
  if (reader.EnterArray() && reader.TakeElement() && reader.Peek() == '{') {
    return Unwrapper(log).Run();
  }
  // Most of the lines in which the client speaks: a value of a plain log may look like one that is
  // wrapped.
  size_t speaking = 0;
  size_t wrapped = 0;
  ForEachLine(log, [&](std::string_view line) {
    if (!SpeaksAsClient(line)) return;
    ++speaking;
    wrapped += line.find('{') != line.npos && !RecordOf(ObjectAtEnd(line), false).message.empty();
  });
  if (wrapped == 0 || wrapped * 2 < speaking) return std::nullopt;
  return Unwrapper(log).Run();
}

}  // namespace presence::sim
