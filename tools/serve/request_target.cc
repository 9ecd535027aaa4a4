#include "tools/serve/request_target.h"

#include <algorithm>
#include <cstddef>

namespace presence::serve {
namespace {

// The value of a hexadecimal digit; -1: it is none.
int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Undo(std::string_view text, bool plus_is_blank) {
  std::string undone;
  undone.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = Digit(text[i + 1]);
      const int low = Digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        undone += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    undone += plus_is_blank && text[i] == '+' ? ' ' : text[i];
  }
  return undone;
}

}  // namespace

std::string_view RequestTarget::Parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

RequestTarget ParseTarget(std::string_view target) {
  RequestTarget parsed;
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  parsed.path = Undo(path, false);
  for (size_t begin = 1; begin < path.size() || (begin > 1 && begin == path.size());) {
    const size_t end = std::min(path.find('/', begin), path.size());
    parsed.segments.push_back(Undo(path.substr(begin, end - begin), false));
    begin = end + 1;
  }
  std::string_view rest = question == target.npos ? "" : target.substr(question + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view one = rest.substr(0, end);
    rest = end == rest.npos ? "" : rest.substr(end + 1);
    if (one.empty()) continue;
    const size_t equals = one.find('=');
    parsed.parameters.emplace_back(Undo(one.substr(0, equals), true),
                                   equals == one.npos ? "" : Undo(one.substr(equals + 1), true));
  }
  return parsed;
}

std::string Escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string escaped;
  for (const char c : text) {
    if (kPlain.find(c) != kPlain.npos) {
      escaped += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped += {'%', kDigits[byte / 16], kDigits[byte % 16]};
  }
  return escaped;
}

}  // namespace presence::serve
