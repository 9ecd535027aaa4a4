#include "engine/json/piece_reader.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "engine/base/absl_view.h"
#include "engine/json/parser.h"
#include "engine/json/raw_text.h"
#include "engine/json/unescape.h"
#include "engine/json/whole_text.h"
#include "engine/json/writer.h"

namespace presence::json {
namespace {

constexpr std::string_view kEndsEarly = "not valid JSON: ends in the midst of something";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// The length of the number at the front of `text`; 0: none is.
size_t NumberLength(std::string_view text) {
  size_t at = 0;
  const auto next = [&] { return at < text.size() ? text[at] : '\0'; };
  const auto digits = [&] {
    const size_t first = at;
    while (IsDigit(next())) ++at;
    return at > first;
  };
  if (next() == '-') ++at;
  if (next() == '0') {
    ++at;
  } else if (!digits()) {
    return 0;
  }
  if (next() == '.') {
    ++at;
    if (!digits()) return 0;
  }
  if (next() == 'e' || next() == 'E') {
    ++at;
    if (next() == '+' || next() == '-') ++at;
    if (!digits()) return 0;
  }
  return at;
}

}  // namespace

bool PieceReader::Fail(std::string_view why) {
  if (error_.empty()) error_ = why;
  return false;
}

void PieceReader::SkipSpace() {
  while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
}

char PieceReader::Peek() {
  SkipSpace();
  return ok() && at_ < text_.size() ? text_[at_] : '\0';
}

bool PieceReader::Enter(char bracket) {
  if (Peek() != bracket) return false;
  if (first_.size() == kMaxDepth) return Fail("nested more than 1024 levels deep");
  ++at_;
  first_.push_back(true);
  return true;
}

// Goes to the next field or element of what was entered last, past a comma if it is not the first;
// false at the end of it, which is gone past.
bool PieceReader::Next(char closing) {
  const char next = Peek();
  if (!ok()) return false;
  if (next == closing) {
    ++at_;
    first_.pop_back();
    return false;
  }
  if (first_.back()) {
    first_.back() = false;
    return true;
  }
  if (next != ',') return Fail(next == '\0' ? kEndsEarly : "not valid JSON: a comma is missing");
  ++at_;
  return true;
}

bool PieceReader::TakeElement() { return Next(']'); }

bool PieceReader::TakeKey(std::string& key) {
  if (!Next('}')) return false;
  if (Peek() != '"') {
    return Fail(at_ == text_.size() ? kEndsEarly : "not valid JSON: a key is not a string");
  }
  const size_t begin = at_;
  if (!SkipString()) return false;
  const std::string_view piece = text_.substr(begin, at_ - begin);
  // A key that says nothing readable is none that anybody asks for.
  key = StringOf(piece).value_or("");
  if (Peek() != ':') {
    return Fail(at_ == text_.size() ? kEndsEarly : "not valid JSON: a colon is missing");
  }
  ++at_;
  return true;
}

bool PieceReader::SkipString() {
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return true;
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      return Fail("not valid JSON: a string has an unescaped control character");
    }
    if (c != '\\') continue;
    if (++at_ == text_.size()) break;
    if (text_[at_] == 'u') {
      for (int i = 0; i < 4; ++i) {
        if (++at_ == text_.size()) return Fail(kEndsEarly);
        if (!IsHexDigit(text_[at_])) return Fail("not valid JSON: a string has a bad escape");
      }
    } else if (std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos) {
      return Fail("not valid JSON: a string has a bad escape");
    }
  }
  return Fail(kEndsEarly);
}

bool PieceReader::SkipScalar() {
  const std::string_view rest = text_.substr(at_);
  size_t length = 0;
  for (const std::string_view literal : {"true", "false", "null"}) {
    if (rest.starts_with(literal)) length = literal.size();
  }
  if (length == 0) length = NumberLength(rest);
  if (length == 0) return Fail(rest.empty() ? kEndsEarly : "not valid JSON: no value is here");
  at_ += length;
  return true;
}

bool PieceReader::TakeValue(std::string_view& piece) {
  Peek();
  if (!ok()) return false;
  const size_t begin = at_;
  const size_t outer = first_.size();
  std::vector<bool> objects;  // of those entered here, which are objects
  std::string key;
  for (;;) {
    const char next = Peek();
    if (next == '{' || next == '[') {
      if (!Enter(next)) return false;
      objects.push_back(next == '{');
    } else if (next == '"' ? !SkipString() : !SkipScalar()) {
      return false;
    }
    // To the next value that belongs to this one, leaving what ends here.
    while (first_.size() > outer) {
      if (objects.back() ? TakeKey(key) : TakeElement()) break;
      if (!ok()) return false;
      objects.pop_back();
    }
    if (first_.size() == outer) break;
  }
  piece = text_.substr(begin, at_ - begin);
  return true;
}

bool PieceReader::TakeEnd() {
  Peek();
  return ok() && (at_ == text_.size() || Fail("not valid JSON: something follows its end"));
}

std::optional<std::string> StringOf(std::string_view piece) {
  if (piece.size() < 2 || piece.front() != '"') return std::nullopt;
  const std::string_view inside = piece.substr(1, piece.size() - 2);
  std::string text;
  if (inside.find('\\') == std::string_view::npos) {
    text = inside;
  } else {
    text.reserve(inside.size());
    if (!AppendUnescaped(inside, text)) return std::nullopt;
  }
  if (!IsUtf8(text)) return std::nullopt;
  return text;
}

std::optional<double> NumberOf(std::string_view piece) {
  double number = 0;
  if (piece.empty() || NumberLength(piece) != piece.size()) return std::nullopt;
  if (!absl::SimpleAtod(AbslView(piece), &number) || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace presence::json
