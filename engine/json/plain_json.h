#ifndef ENGINE_JSON_PLAIN_JSON_H_
#define ENGINE_JSON_PLAIN_JSON_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/json/parser.h"
#include "simdjson.h"

namespace presence::json {

// Reads JSON in one pass, checking it while it is read, where Parser builds a tree that is then
// walked. For texts of the usual kind, plain ones: objects whose fields the caller all knows, which
// are strings, integers, objects, or arrays of objects. All readers answer false for what is not
// plain; that says nothing about why, nor whether the text is valid: Parser must read it then,
// from the start.
//
// What is read is exactly what Parser would give. One thread at a time.
class PlainJson {
 public:
  using Array = simdjson::ondemand::array;
  using Object = simdjson::ondemand::object;

  // Hands the object that `text` is to `read`, which is to read all of it by Fields, and says
  // whether it could. True if it could, and nothing follows the object. What was read holds until
  // the next Read, and as long as `text`, which it views. REQUIRES: padding as for Parser.
  template <typename ReadObject>
  bool Read(std::string_view text, const ReadObject& read) {
    if (!text.starts_with('{') || !Reserve(text.size())) return false;
    escapes_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
    Object object;
    return parser_.iterate(Padded(text)).get(document_) == simdjson::SUCCESS &&
           document_.get_object().get(object) == simdjson::SUCCESS && read(object) && AtEnd();
  }

  // Calls `take` with the key of each field and its value, which is a std::string_view, an int64_t,
  // an Object, to be read by Fields, or an Array, to be read by Elements; it says whether it could.
  // A key is as it is written, escapes and all, and part of the padded text.
  template <typename Take>
  bool Fields(Object& object, const Take& take) {
    // simdjson's fields and values are not handed to anybody, nor copied: where they come to lie in
    // memory, each one stalls the processor, which must load as a whole what was stored in parts.
    for (auto result : object) {
      if (result.error()) return false;
      simdjson::ondemand::field& field = result.value_unsafe();
      simdjson::ondemand::value& value = field.value();
      const std::string_view token = value.raw_json_token();
      // Nothing but a colon and white space is between a key and its value.
      const char* key_end = token.data() - 1;
      while (*key_end != ':') --key_end;
      do --key_end;
      while (*key_end != '"');
      const char* const key_begin = field.key().raw();
      const std::string_view key(key_begin, static_cast<size_t>(key_end - key_begin));

      switch (token.front()) {
        case '"': {
          std::string_view text;
          if (escapes_ && token.find('\\') != token.npos) {
            if (value.get_string().get(text)) return false;
          } else {
            simdjson::ondemand::raw_json_string raw;
            if (value.get_raw_json_string().get(raw)) return false;
            text = token.substr(1, token.rfind('"') - 1);
          }
          if (!take(key, text)) return false;
          break;
        }
        case '[': {
          Array array;
          if (value.get_array().get(array) || !take(key, array)) return false;
          break;
        }
        case '{': {
          Object inner;
          if (value.get_object().get(inner) || !take(key, inner)) return false;
          break;
        }
        default: {
          int64_t number = 0;
          if (value.get_int64().get(number) || !take(key, number)) return false;
        }
      }
    }
    return true;
  }
  // Calls `take` with each element of an array of objects.
  template <typename Take>
  bool Elements(Array& array, const Take& take) {
    for (auto result : array) {
      Object object;
      if (result.get_object().get(object) || !take(object)) return false;
    }
    return true;
  }

 private:
  bool Reserve(size_t bytes) { return bytes <= parser_.capacity() || Grow(bytes); }
  bool Grow(size_t bytes);
  bool AtEnd();

  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  bool escapes_ = false;  // in the text
};

}  // namespace presence::json

#endif  // ENGINE_JSON_PLAIN_JSON_H_
