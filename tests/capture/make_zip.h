#ifndef TESTS_CAPTURE_MAKE_ZIP_H_
#define TESTS_CAPTURE_MAKE_ZIP_H_

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace presence::testing {

// A zip of files, as the usual programs make them.
inline std::string MakeZip(const std::vector<std::pair<std::string, std::string>>& files,
                           bool deflated) {
  const auto put = [](std::string& out, size_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
  };
  std::string zip;
  std::string directory;
  for (const auto& [name, content] : files) {
    std::string packed = content;
    if (deflated) {
      z_stream stream{};
      deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
      packed.resize(deflateBound(&stream, static_cast<uLong>(content.size())));
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
      stream.avail_in = static_cast<uInt>(content.size());
      stream.next_out = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_out = static_cast<uInt>(packed.size());
      deflate(&stream, Z_FINISH);
      packed.resize(stream.total_out);
      deflateEnd(&stream);
    }
    std::string fields;  // that both headers have
    put(fields, 20, 2);
    put(fields, 0, 2);
    put(fields, deflated ? 8 : 0, 2);
    put(fields, 0, 4);
    put(fields,
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())),
        4);
    put(fields, packed.size(), 4);
    put(fields, content.size(), 4);
    put(fields, name.size(), 2);
    put(fields, 0, 2);
    directory += "PK\x01\x02";
    put(directory, 20, 2);
    directory += fields;
    directory += std::string(10, '\0');
    put(directory, zip.size(), 4);
    directory += name;
    zip += "PK\x03\x04" + fields + name + packed;
  }
  const size_t begin = zip.size();
  zip += directory;
  zip += std::string("PK\x05\x06\0\0\0\0", 8);
  put(zip, files.size(), 2);
  put(zip, files.size(), 2);
  put(zip, directory.size(), 4);
  put(zip, begin, 4);
  put(zip, 0, 2);
  return zip;
}

}  // namespace presence::testing

#endif  // TESTS_CAPTURE_MAKE_ZIP_H_
