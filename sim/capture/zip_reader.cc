#include "sim/capture/zip_reader.h"

#include <zlib.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"

namespace presence::sim {
namespace {

// A little-endian number; 0 beyond the end.
uint32_t NumberAt(std::string_view text, size_t at, size_t bytes) {
  uint32_t number = 0;
  for (size_t i = bytes; i-- > 0;) {
    const size_t place = at + i;
    const uint32_t byte = place < text.size() ? static_cast<unsigned char>(text[place]) : 0u;
    number = number << 8 | byte;
  }
  return number;
}

constexpr std::string_view kEndOfDirectory = "PK\x05\x06";
constexpr std::string_view kDirectoryEntry = "PK\x01\x02";
constexpr std::string_view kFileHeader = "PK\x03\x04";
constexpr size_t kEndBytes = 22;
constexpr size_t kEntryBytes = 46;
constexpr size_t kHeaderBytes = 30;

absl::Status Broken(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("not a zip that can be read: ", AbslView(why)));
}

absl::StatusOr<std::string> Inflated(std::string_view packed, size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return absl::ResourceExhaustedError("out of memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!whole) return Broken("a file in it is broken");
  return out;
}

}  // namespace

absl::StatusOr<ZipReader> ZipReader::Open(std::string_view zip) {
  // The directory's end is the last thing but for a comment.
  const size_t end = zip.rfind(kEndOfDirectory);
  if (end == zip.npos || zip.size() - end < kEndBytes) return Broken("it has no directory");
  ZipReader reader(zip);
  size_t at = NumberAt(zip, end + 16, 4);
  const uint32_t count = NumberAt(zip, end + 10, 2);
  for (uint32_t i = 0; i < count; ++i) {
    if (at > end || end - at < kEntryBytes ||
        zip.substr(at, kDirectoryEntry.size()) != kDirectoryEntry) {
      return Broken("its directory is broken");
    }
    Entry entry;
    const bool encrypted = (NumberAt(zip, at + 8, 2) & 1) != 0;
    entry.method = static_cast<uint16_t>(encrypted ? 0xFFFF : NumberAt(zip, at + 10, 2));
    entry.crc = NumberAt(zip, at + 16, 4);
    entry.packed_size = NumberAt(zip, at + 20, 4);
    entry.size = NumberAt(zip, at + 24, 4);
    entry.offset = NumberAt(zip, at + 42, 4);
    const size_t name_size = NumberAt(zip, at + 28, 2);
    const size_t more = size_t{NumberAt(zip, at + 30, 2)} + NumberAt(zip, at + 32, 2);
    at += kEntryBytes;
    if (end - at < name_size) return Broken("its directory is broken");
    entry.name = zip.substr(at, name_size);
    at += name_size + more;
    reader.entries_.push_back(entry);
  }
  return reader;
}

std::vector<std::string> ZipReader::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.emplace_back(entry.name);
  return names;
}

absl::StatusOr<std::string> ZipReader::Read(std::string_view name) const {
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [name](const Entry& known) { return known.name == name; });
  if (entry == entries_.end()) {
    return absl::NotFoundError(absl::StrCat("the zip has no ", AbslView(name)));
  }
  if (entry->size > kMaxFileBytes) return Broken("a file in it is larger than 1 GiB");
  const size_t header = entry->offset;
  if (header > zip_.size() || zip_.size() - header < kHeaderBytes ||
      zip_.substr(header, kFileHeader.size()) != kFileHeader) {
    return Broken("a file in it is broken");
  }
  const size_t begin =
      header + kHeaderBytes + NumberAt(zip_, header + 26, 2) + NumberAt(zip_, header + 28, 2);
  if (begin > zip_.size() || zip_.size() - begin < entry->packed_size) {
    return Broken("a file in it is broken");
  }
  const std::string_view packed = zip_.substr(begin, entry->packed_size);
  constexpr uint16_t kStored = 0;
  constexpr uint16_t kDeflated = 8;
  // Deflate makes at most some thousand bytes of one, so a size beyond is a lie.
  constexpr uint64_t kMostOfOne = 1100;
  std::string content;
  if (entry->method == kStored) {
    if (entry->size != packed.size()) return Broken("a file in it is broken");
    content = packed;
  } else if (entry->method == kDeflated) {
    if (entry->size > kMostOfOne * (packed.size() + 1)) return Broken("a file in it is broken");
    absl::StatusOr<std::string> inflated = Inflated(packed, entry->size);
    if (!inflated.ok()) return inflated.status();
    content = *std::move(inflated);
  } else {
    return Broken("a file in it is encrypted, or packed in an unusual way");
  }
  const uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  if (crc != entry->crc) return Broken("a file in it is broken");
  return content;
}

}  // namespace presence::sim
