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

class Unwrapper {
 public:
  explicit Unwrapper(std::string_view log) : log_(log), counter_(log) {}

  UnwrappedLog Run() {
    const size_t first = log_.find_first_not_of(" \t\r\n");
    if (first != log_.npos && log_[first] == '[') {
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
      ReadRecord(piece, counter_.LineAt(static_cast<size_t>(piece.data() - log_.data())));
    }
  }

  void ReadLines() {
    uint64_t number = 0;
    for (size_t begin = 0; begin < log_.size();) {
      const size_t end = std::min(log_.find('\n', begin), log_.size());
      const std::string_view line = log_.substr(begin, end - begin);
      begin = end + 1;
      ++number;
      json::PieceReader reader(line);
      std::string_view piece;
      if (reader.Peek() == '{' && reader.TakeValue(piece) && reader.TakeEnd()) {
        ReadRecord(piece, number);
      } else {
        Append(line, number);
        EndLine();
      }
    }
  }

  void ReadRecord(std::string_view piece, uint64_t line) {
    Record record;
    Collect(piece, 0, record);
    if (record.message.empty() && !goes_on_) return;
    if (!std::exchange(goes_on_, record.is_part) && !record.time.empty()) {
      Append(record.time + " ", line);
    }
    Append(record.message, line);
    if (!goes_on_) EndLine();
  }

  void Collect(std::string_view piece, int depth, Record& record) {
    constexpr int kDeepest = 3;
    if (depth == kDeepest) return;
    json::PieceReader reader(piece);
    std::string key;
    std::string_view value;
    if (reader.EnterArray()) {  // what was logged with several arguments
      while (reader.TakeElement() && reader.TakeValue(value)) Take(key, value, depth, record);
    } else if (reader.EnterObject()) {
      while (reader.TakeKey(key) && reader.TakeValue(value)) Take(key, value, depth, record);
    }
  }

  void Take(const std::string& key, std::string_view value, int depth, Record& record) {
    if (value.starts_with('{') || value.starts_with('[')) Collect(value, depth + 1, record);
    if (record.time.empty() && IsTime(key)) record.time = TimeOf(value);
    if (!value.starts_with('"') || !record.message.empty()) return;
    std::string text = json::StringOf(value).value_or("");
    if (!goes_on_ && !SpeaksAsClient(text)) return;
    // Docker's logs keep the line's end, and cut lines above 16 KiB in parts.
    const bool of_docker = key == "log";
    if (goes_on_ && !of_docker) return;
    record.is_part = of_docker && !text.ends_with('\n');
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    record.message = std::move(text);
  }

  static std::string TimeOf(std::string_view value) {
    if (value.starts_with('"')) {
      std::string text = json::StringOf(value).value_or("");
      return FindTime(text).has_value() ? text : std::string();
    }
    const std::optional<int64_t> ms = InstantOf(json::NumberOf(value).value_or(-1));
    return ms.has_value() ? FormatInstant(*ms) : std::string();
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
  const size_t first = log.find_first_not_of(" \t\r\n");
  if (first == log.npos || (log[first] != '{' && log[first] != '[')) return std::nullopt;
  // Words may begin with a bracket, too: "[12:00:00] Ably: ...".
  json::PieceReader reader(log);
  bool begins_with_object = false;
  if (reader.EnterArray()) {
    begins_with_object = reader.TakeElement() && reader.Peek() == '{';
  } else {
    begins_with_object = reader.PassOver();
  }
  if (!begins_with_object) return std::nullopt;
  return Unwrapper(log).Run();
}

}  // namespace presence::sim
