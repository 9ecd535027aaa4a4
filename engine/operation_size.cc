#include "presence/operation_size.h"

#include <cstddef>

namespace presence {
namespace {

// The length of a JSON text without the white space between its tokens.
size_t CompactSize(std::string_view json) {
  size_t size = 0;
  bool in_string = false;
  for (size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
    ++size;
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string && c == '\\' && at + 1 < json.size()) {
      ++at;
      ++size;
    }
  }
  return size;
}

}  // namespace

int64_t OperationSize(const Payload& payload, std::string_view client_id) {
  size_t data = payload.data.size();
  const std::string_view encoding = payload.encoding.value_or("");
  if (encoding == "base64" || encoding.ends_with("/base64")) {
    size_t digits = data;
    // More than two are no padding, and count: they are sent and kept like anything else.
    for (int i = 0; i < 2 && digits > 0 && payload.data[digits - 1] == '='; ++i) --digits;
    data = digits / 4 * 3 + digits % 4 * 3 / 4;
  }
  return static_cast<int64_t>(data + client_id.size() + CompactSize(payload.extras.value_or("")));
}

}  // namespace presence
