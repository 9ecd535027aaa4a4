#ifndef TOOLS_KEPT_BEGINNING_H_
#define TOOLS_KEPT_BEGINNING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "sim/trace/line_reader.h"

namespace presence::tools {

// A source of which the first bytes are kept, so that what it is can be told from them if it turns
// out not to be what it should.
class KeptBeginning : public sim::ByteSource {
 public:
  static constexpr size_t kKept = size_t{64} << 10;

  explicit KeptBeginning(std::unique_ptr<sim::ByteSource> source) : source_(std::move(source)) {}

  absl::StatusOr<size_t> Read(char* to, size_t size) override {
    absl::StatusOr<size_t> read = source_->Read(to, size);
    if (read.ok() && beginning_.size() < kKept) {
      beginning_.append(to, std::min(*read, kKept - beginning_.size()));
    }
    return read;
  }
  uint64_t position() const override { return source_->position(); }
  uint64_t total() const override { return source_->total(); }

  // As much of the beginning as has been read, at most kKept.
  std::string_view beginning() const { return beginning_; }

 private:
  const std::unique_ptr<sim::ByteSource> source_;
  std::string beginning_;
};

}  // namespace presence::tools

#endif  // TOOLS_KEPT_BEGINNING_H_
