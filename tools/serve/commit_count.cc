#include "tools/serve/commit_count.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "engine/base/absl_view.h"

namespace presence::serve {
namespace {

constexpr size_t kDigits = 20;

// The number and a checksum, always of one length, so that it is written over in its place.
std::string LineOf(int64_t number) {
  const std::string digits = absl::StrFormat("%0*d", static_cast<int>(kDigits), number);
  const uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(digits.data()), digits.size());
  return absl::StrFormat("%s %08x\n", digits, sum);
}

}  // namespace

CommitCount::~CommitCount() {
  if (file_ >= 0) close(file_);
}

std::optional<int64_t> CommitCount::Read() const {
  std::ifstream file(path_, std::ios::binary);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  int64_t number = 0;
  const std::string_view digits = std::string_view(line).substr(0, kDigits);
  if (!absl::SimpleAtoi(AbslView(digits), &number) || number < 0) return std::nullopt;
  if (line + "\n" != LineOf(number)) return std::nullopt;
  return number;
}

void CommitCount::Write(int64_t number) {
  if (file_ < 0) file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file_ < 0) return;
  const std::string line = LineOf(number);
  if (pwrite(file_, line.data(), line.size(), 0) < 0) return;
}

void CommitCount::Reset() {
  Write(0);
  if (file_ >= 0) fdatasync(file_);
}

}  // namespace presence::serve
