#include "engine/json/shape.h"

#include <bit>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/json/padded_text.h"
#include "engine/json/read_int.h"
#include "engine/json/unescape.h"
#include "engine/json/whole_text.h"

namespace presence::json {
namespace {

// A backslash at the very end makes a block be read from behind the byte after it.
static_assert(kBlockBytes + 1 <= kPadding && kWordBytes <= kPadding);

size_t FirstOf(BlockMask mask) { return static_cast<size_t>(std::countr_zero(mask)); }

}  // namespace

void Shape::Begin(std::string_view text) {
  known_ = false;
  learned_ = text;
  bytes_.clear();
  pieces_.clear();
}

void Shape::Add(std::string_view value) {
  if (pieces_.size() > kMaxValues) return;
  const bool is_text = value.front() == '"';
  // Quotes belong to what stands around a string.
  if (is_text) value = value.substr(1, value.size() - 2);
  const auto before = static_cast<size_t>(value.data() - learned_.data());
  AddPiece(learned_.substr(0, before), is_text);
  learned_.remove_prefix(before + value.size());
}

void Shape::AddPiece(std::string_view bytes, bool is_text) {
  const size_t blocks = (bytes.size() + kBlockBytes - 1) / kBlockBytes;
  const size_t unused = blocks * kBlockBytes - bytes.size();
  pieces_.push_back({is_text, static_cast<uint32_t>(bytes.size()),
                     static_cast<uint32_t>(blocks * kBlockBytes), kWholeBlock >> unused});
  bytes_ += bytes;
  bytes_.append(unused, '\0');
}

bool Shape::End() {
  if (pieces_.size() > kMaxValues || !learned_.ends_with('}')) return false;
  AddPiece(learned_, false);
  values_.resize(pieces_.size() - 1);
  known_ = true;
  return true;
}

// Whether the piece, whose bytes are at `bytes`, stands at `at`.
inline bool Shape::Stands(const Piece& piece, const char* bytes, const char* at) {
  size_t left = piece.size;
  for (; left > kBlockBytes; left -= kBlockBytes) {
    if (ByteBlock(at).SameAs(ByteBlock(bytes)) != kWholeBlock) return false;
    at += kBlockBytes;
    bytes += kBlockBytes;
  }
  return (~ByteBlock(at).SameAs(ByteBlock(bytes)) & piece.last_block) == 0;
}

// Goes through a text.
class Shape::Reader {
 public:
  Reader(const char* end, char* unescaped) : end_(end), unescaped_(unescaped) {}

  // Reads a string whose inside begins at `at`; returns the place of its closing quote, or null if
  // there is none, or the string is not valid.
  const char* ReadText(const char* at, std::string_view& text) {
    const char* const begin = at;
    for (; at < end_; at += kBlockBytes) {
      const ByteBlock block(at);
      not_ascii_ |= block.NotAscii();
      const BlockMask special = block.Special();
      if (special == 0) continue;
      at += FirstOf(special);
      if (at >= end_) return nullptr;
      if (*at == '\\') return ReadEscapedText(begin, at, text);
      if (*at != '"') return nullptr;
      text = std::string_view(begin, static_cast<size_t>(at - begin));
      return at;
    }
    return nullptr;
  }
  // Whether a string had such bytes, or what stands behind one.
  bool not_ascii() const { return not_ascii_ != 0; }

 private:
  // The same, if the first backslash is at `at`. What is special in a block is found for all of it,
  // so that the processor need not wait for the end of one escape before it looks for the next.
  const char* ReadEscapedText(const char* begin, const char* at, std::string_view& text) {
    char* to = AppendBytes(unescaped_, std::string_view(begin, static_cast<size_t>(at - begin)));
    // What is before `at` has been written; the last escape may have reached into the block.
    for (const char* block_at = at; block_at < end_; block_at += kBlockBytes) {
      const ByteBlock block(block_at);
      not_ascii_ |= block.NotAscii();
      BlockMask special = From(at - block_at, block.Special());
      while (special != 0) {
        const char* const found = block_at + FirstOf(special);
        if (found >= end_) return nullptr;
        ByteBlock(at).Write(to);
        to += found - at;
        at = found;
        if (*at != '\\') {
          if (*at != '"') return nullptr;
          text = std::string_view(unescaped_, static_cast<size_t>(to - unescaped_));
          unescaped_ = to;
          return at;
        }
        if (at[1] == '"') {  // as most are
          *to++ = '"';
          at += 2;
          special &= ~((special & (0 - special)) * 3);
        } else {
          const char* behind = at;
          to = WriteEscape(behind, end_, to);
          if (to == nullptr) return nullptr;
          at = behind;
          special = From(at - block_at, special);
        }
      }
      const char* const block_end = block_at + kBlockBytes;
      if (at >= block_end) continue;
      ByteBlock(at).Write(to);
      to += block_end - at;
      at = block_end;
    }
    return nullptr;
  }
  // Of the mask only what is from the `place`th byte on.
  static BlockMask From(ptrdiff_t place, BlockMask mask) {
    return static_cast<size_t>(place) < kBlockBytes ? mask >> place << place : 0;
  }

  const char* const end_;
  char* unescaped_;  // where the next string with escapes goes
  BlockMask not_ascii_ = 0;
};

bool Shape::Match(std::string_view text) {
  if (!known_ || text.size() > kMaxBytes) return false;
  // All strings of the text fit, with what is copied too much behind the last one.
  const size_t room = text.size() + 2 * kBlockBytes;
  if (unescaped_.size() < room) unescaped_.resize(room);
  const char* at = text.data();
  const char* const end = at + text.size();
  // No number is read beyond the end then.
  if (!text.ends_with('}')) return false;
  const char* bytes = bytes_.data();
  Value* value = values_.data();
  Reader reader(end, unescaped_.data());
  const Piece& last = pieces_.back();
  for (const Piece& piece : pieces_) {
    if (static_cast<size_t>(end - at) < piece.size || !Stands(piece, bytes, at)) return false;
    at += piece.size;
    if (&piece == &last) break;
    bytes += piece.stored;
    at = piece.is_text ? reader.ReadText(at, value->text) : ReadInt(at, value->number);
    if (at == nullptr) return false;
    ++value;
  }
  return at == end && (!reader.not_ascii() || IsUtf8(text));
}

}  // namespace presence::json
