#ifndef TESTS_WIRE_GENERATORS_H_
#define TESTS_WIRE_GENERATORS_H_

// RapidCheck generators of text in which the rare cases are not rare.

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "rapidcheck.h"

namespace presence::wire {

inline void AppendUtf8(uint32_t code_point, std::string& out) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

// Any Unicode scalar value: every range that UTF-8 or JSON treats in its own way, and its borders.
inline rc::Gen<uint32_t> AnyCodePoint() {
  return rc::gen::weightedOneOf<uint32_t>({
      {4, rc::gen::inRange<uint32_t>(0x20, 0x7F)},
      {3, rc::gen::inRange<uint32_t>(0, 0x20)},
      {3, rc::gen::element<uint32_t>('"', '\\', '/', 0x7F, 0x80, 0x7FF, 0x800, 0x2028, 0x2029,
                                     0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFF, 0x10000, 0x10FFFF)},
      {1, rc::gen::inRange<uint32_t>(0x80, 0xD800)},
      {1, rc::gen::inRange<uint32_t>(0xE000, 0x110000)},
  });
}

// Text of any Unicode, perhaps empty.
inline rc::Gen<std::string> AnyText() {
  return rc::gen::map(rc::gen::container<std::vector<uint32_t>>(AnyCodePoint()),
                      [](const std::vector<uint32_t>& code_points) {
                        std::string text;
                        for (const uint32_t code_point : code_points) AppendUtf8(code_point, text);
                        return text;
                      });
}

// White space between the tokens of a JSON text.
inline rc::Gen<std::string> AnySpace() {
  return rc::gen::element<std::string>("", "", "", " ", "\t", "\r\n", "  ");
}

// The text of a JSON value, spelt in every way that the grammar allows. Has no string at its top
// and is not null.
inline rc::Gen<std::string> AnyJsonText(int depth = 3) {
  const rc::Gen<std::string> number = rc::gen::element<std::string>(
      "0", "-0", "1.0", "1.00", "-0.0", "1e5", "1E+05", "5e-324", "1e-9999", "0.1",
      "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
      "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "1e400",
      "-1E400", "3.141592653589793238462643383279502884197");
  const rc::Gen<std::string> scalar =
      rc::gen::oneOf(number, rc::gen::element<std::string>("true", "false", "[]", "{}", "[ ]"));
  if (depth == 0) return scalar;
  const rc::Gen<std::string> inner = rc::gen::oneOf(
      AnyJsonText(depth - 1),
      rc::gen::element<std::string>("null", R"("")", R"("a b")", R"("\u0041\/\"\\\n")",
                                    R"("\ud83d\ude00")", "\"\xF0\x9F\x98\x80\"", R"("[1e400,{")"));
  const rc::Gen<std::string> key = rc::gen::element<std::string>(
      R"("a")", R"("data")", R"("extras")", R"("\u0064ata")", R"("__proto__")", R"("")");
  // The members with white space around them, to stand between commas.
  const auto spaced = [](const rc::Gen<std::string>& gen) {
    return rc::gen::map(rc::gen::tuple(AnySpace(), gen, AnySpace()),
                        [](const std::tuple<std::string, std::string, std::string>& parts) {
                          return std::get<0>(parts) + std::get<1>(parts) + std::get<2>(parts);
                        });
  };
  const auto joined = [](char open, char close) {
    return [open, close](const std::vector<std::string>& parts) {
      std::string text(1, open);
      for (size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += ',';
        text += parts[i];
      }
      return text += close;
    };
  };
  const rc::Gen<std::string> field =
      rc::gen::map(rc::gen::pair(spaced(key), spaced(inner)),
                   [](const std::pair<std::string, std::string>& parts) {
                     return parts.first + ':' + parts.second;
                   });
  const auto few = [](const rc::Gen<std::string>& gen) {
    return rc::gen::mapcat(rc::gen::inRange<size_t>(0, 4), [gen](size_t count) {
      return rc::gen::container<std::vector<std::string>>(count, gen);
    });
  };
  return rc::gen::oneOf(scalar, rc::gen::map(few(spaced(inner)), joined('[', ']')),
                        rc::gen::map(few(field), joined('{', '}')));
}

}  // namespace presence::wire

#endif  // TESTS_WIRE_GENERATORS_H_
