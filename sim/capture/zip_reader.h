#ifndef SIM_CAPTURE_ZIP_READER_H_
#define SIM_CAPTURE_ZIP_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace presence::sim {

// The files of a zip, as far as Playwright and the usual programs make them: stored or deflated,
// neither split nor encrypted, below 4 GiB. One thread at a time.
class ZipReader {
 public:
  // A file that would be larger is refused.
  static constexpr size_t kMaxFileBytes = size_t{1} << 30;

  // Reads the directory of a zip, which must outlive the reader. InvalidArgument with a message for
  // people: it is none, or broken.
  static absl::StatusOr<ZipReader> Open(std::string_view zip);

  // The names of its files, in the order of the directory.
  std::vector<std::string> names() const;
  // What a file holds. NotFound: it has none of that name; InvalidArgument: it is broken.
  absl::StatusOr<std::string> Read(std::string_view name) const;

 private:
  struct Entry {
    std::string_view name;
    uint16_t method = 0;
    uint32_t crc = 0;
    uint32_t packed_size = 0;
    uint32_t size = 0;
    uint32_t offset = 0;
  };
  explicit ZipReader(std::string_view zip) : zip_(zip) {}

  std::string_view zip_;
  std::vector<Entry> entries_;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_ZIP_READER_H_
