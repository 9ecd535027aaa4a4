#include "engine/wire/message_pack.h"

#include <bit>
#include <limits>

namespace presence::wire {
namespace {

using Kind = PackedValue::Kind;

// Without a rounding: also by floats, as JavaScript has no other numbers.
void SetNumber(double number, PackedValue& value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (number >= -kLimit && number < kLimit &&
      static_cast<double>(static_cast<int64_t>(number)) == number) {
    value.kind = Kind::kInt;
    value.integer = static_cast<int64_t>(number);
    return;
  }
  value.kind = Kind::kDouble;
  value.number = number;
}

void AppendBigEndian(uint64_t number, size_t bytes, std::string& out) {
  for (size_t i = bytes; i-- > 0;) out += static_cast<char>(number >> 8 * i & 0xFF);
}

// One of a row of heads whose lengths take 1, 2 and 4 bytes; `first` is the one of 1 byte.
void AppendLength(uint8_t first, size_t length, std::string& out) {
  const size_t width = length <= 0xFF ? 0 : length <= 0xFFFF ? 1 : 2;
  out += static_cast<char>(first + width);
  AppendBigEndian(length, size_t{1} << width, out);
}

// A head with its count in it, or one with 2 or 4 bytes of count behind it.
void AppendCount(uint8_t small, uint8_t first, size_t count, std::string& out) {
  if (count < 16) {
    out += static_cast<char>(small | count);
    return;
  }
  const bool wide = count > 0xFFFF;
  out += static_cast<char>(first + (wide ? 1 : 0));
  AppendBigEndian(count, wide ? 4 : 2, out);
}

}  // namespace

bool MessagePackReader::TakeBigEndian(size_t bytes, uint64_t& number) {
  if (rest_.size() < bytes) return false;
  number = 0;
  for (size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(bytes);
  return true;
}

bool MessagePackReader::TakeBytes(uint64_t length, std::string_view& bytes) {
  if (rest_.size() < length) return false;
  bytes = rest_.substr(0, static_cast<size_t>(length));
  rest_.remove_prefix(bytes.size());
  return true;
}

bool MessagePackReader::TakeFloat(size_t bytes, PackedValue& value) {
  uint64_t bits = 0;
  if (!TakeBigEndian(bytes, bits)) return false;
  SetNumber(bytes == 4 ? static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits)))
                       : std::bit_cast<double>(bits),
            value);
  return true;
}

// Each value takes a byte at least, so a longer array or map is refused before anything is done
// for it.
bool MessagePackReader::Counted(uint64_t count, PackedValue& value) {
  const uint64_t values = value.kind == Kind::kMap ? 2 * count : count;
  if (values > rest_.size()) return false;
  value.count = static_cast<uint32_t>(count);
  return true;
}

bool MessagePackReader::Next(PackedValue& value) {
  value = PackedValue();
  uint64_t head = 0;
  if (!TakeBigEndian(1, head)) return false;
  // A number that is packed as such: of so many bytes, or a length, then bytes of that length.
  uint64_t number = 0;
  const auto is_signed = [&](size_t bytes) {
    if (!TakeBigEndian(bytes, number)) return false;
    const size_t unused_bits = 64 - 8 * bytes;
    value.kind = Kind::kInt;
    value.integer = static_cast<int64_t>(number << unused_bits) >> unused_bits;
    return true;
  };
  const auto is_unsigned = [&](size_t bytes) {
    if (!TakeBigEndian(bytes, number)) return false;
    constexpr auto kMaxInt = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    value.kind = number <= kMaxInt ? Kind::kInt : Kind::kUnsigned;
    value.integer = number <= kMaxInt ? static_cast<int64_t>(number) : 0;
    value.magnitude = number;
    return true;
  };
  const auto is_text = [&](Kind kind, size_t length_bytes) {
    value.kind = kind;
    return TakeBigEndian(length_bytes, number) && TakeBytes(number, value.bytes);
  };
  const auto is_extension = [&](uint64_t length) {
    uint64_t type = 0;
    value.kind = Kind::kExtension;
    if (!TakeBigEndian(1, type)) return false;
    value.extension_type = static_cast<int8_t>(type);
    return TakeBytes(length, value.bytes);
  };
  const auto is_counted = [&](Kind kind, size_t count_bytes) {
    value.kind = kind;
    return TakeBigEndian(count_bytes, number) && Counted(number, value);
  };

  if (head < 0x80 || head >= 0xE0) {
    value.kind = Kind::kInt;
    value.integer = static_cast<int8_t>(head);
    return true;
  }
  if (head < 0x90) {
    value.kind = Kind::kMap;
    return Counted(head & 0x0F, value);
  }
  if (head < 0xA0) {
    value.kind = Kind::kArray;
    return Counted(head & 0x0F, value);
  }
  if (head < 0xC0) {
    value.kind = Kind::kString;
    return TakeBytes(head & 0x1F, value.bytes);
  }
  switch (head) {
    case 0xC0:
      return true;  // nil
    case 0xC2:
    case 0xC3:
      value.kind = Kind::kBool;
      value.flag = head == 0xC3;
      return true;
    case 0xC4:
    case 0xC5:
    case 0xC6:
      return is_text(Kind::kBinary, size_t{1} << (head - 0xC4));
    case 0xC7:
    case 0xC8:
    case 0xC9:
      return TakeBigEndian(size_t{1} << (head - 0xC7), number) && is_extension(number);
    case 0xCA:
      return TakeFloat(4, value);
    case 0xCB:
      return TakeFloat(8, value);
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF:
      return is_unsigned(size_t{1} << (head - 0xCC));
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3:
      return is_signed(size_t{1} << (head - 0xD0));
    case 0xD4:
    case 0xD5:
    case 0xD6:
    case 0xD7:
    case 0xD8:
      return is_extension(uint64_t{1} << (head - 0xD4));
    case 0xD9:
    case 0xDA:
    case 0xDB:
      return is_text(Kind::kString, size_t{1} << (head - 0xD9));
    case 0xDC:
    case 0xDD:
      return is_counted(Kind::kArray, size_t{2} << (head - 0xDC));
    case 0xDE:
    case 0xDF:
      return is_counted(Kind::kMap, size_t{2} << (head - 0xDE));
    default:
      return false;  // 0xC1 is never used
  }
}

bool MessagePackReader::Skip() {
  PackedValue value;
  // No sum overflows: each count is at most the bytes that are left, and each value takes one.
  for (uint64_t left = 1; left > 0; --left) {
    if (!Next(value)) return false;
    if (value.Is(Kind::kArray)) left += value.count;
    if (value.Is(Kind::kMap)) left += uint64_t{2} * value.count;
  }
  return true;
}

void AppendPackedNil(std::string& out) { out += '\xC0'; }

void AppendPackedBool(bool value, std::string& out) { out += value ? '\xC3' : '\xC2'; }

void AppendPackedInt(int64_t number, std::string& out) {
  if (number >= 0) return AppendPackedUnsigned(static_cast<uint64_t>(number), out);
  if (number >= -32) {
    out += static_cast<char>(number);
    return;
  }
  const size_t width = number >= std::numeric_limits<int8_t>::min()    ? 0
                       : number >= std::numeric_limits<int16_t>::min() ? 1
                       : number >= std::numeric_limits<int32_t>::min() ? 2
                                                                       : 3;
  out += static_cast<char>(0xD0 + width);
  AppendBigEndian(static_cast<uint64_t>(number), size_t{1} << width, out);
}

void AppendPackedUnsigned(uint64_t number, std::string& out) {
  if (number < 0x80) {
    out += static_cast<char>(number);
    return;
  }
  const size_t width = number <= 0xFF ? 0 : number <= 0xFFFF ? 1 : number <= 0xFFFFFFFF ? 2 : 3;
  out += static_cast<char>(0xCC + width);
  AppendBigEndian(number, size_t{1} << width, out);
}

void AppendPackedDouble(double number, std::string& out) {
  out += '\xCB';
  AppendBigEndian(std::bit_cast<uint64_t>(number), 8, out);
}

void AppendPackedString(std::string_view text, std::string& out) {
  if (text.size() < 32) {
    out += static_cast<char>(0xA0 | text.size());
  } else {
    AppendLength(0xD9, text.size(), out);
  }
  out += text;
}

void AppendPackedBinary(std::string_view bytes, std::string& out) {
  AppendLength(0xC4, bytes.size(), out);
  out += bytes;
}

void AppendPackedArray(size_t values, std::string& out) { AppendCount(0x90, 0xDC, values, out); }

void AppendPackedMap(size_t pairs, std::string& out) { AppendCount(0x80, 0xDE, pairs, out); }

}  // namespace presence::wire
