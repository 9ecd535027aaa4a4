#ifndef SIM_CAPTURE_REDACTION_H_
#define SIM_CAPTURE_REDACTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace presence::sim {

// Replaces in frames what is nobody else's business by stand-ins: the same for the same, another
// for another, in the order of their first appearance. Where it can, a stand-in is as long as what
// it stands for.
class Redactor {
 public:
  enum class Level : uint8_t {
    kNothing,  // only looks what secrets there are
    kSecrets,  // keys, tokens, connection keys
    kAll,      // also client ids, channel names, payloads, and whatever else is not known to be
               // harmless: what is left says what happened, not to whom
  };

  explicit Redactor(Level level) : level_(level) {}
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  // Before the frames: what the URL of a socket says that must not be said anywhere.
  void LearnUrl(std::string_view url);
  // Appends the frame, a valid JSON object, without what it must not say.
  void Append(std::string_view frame_json, std::string& out);

  // How many different ones the frames had.
  size_t connection_keys() const { return Count(Kind::kConnectionKey); }
  size_t tokens() const { return Count(Kind::kToken); }

 private:
  enum class Kind : uint8_t { kKey, kToken, kConnectionKey, kClient, kRoom, kPayload, kText };
  // What an object is, or the elements of an array are.
  enum class Place : uint8_t { kFrame, kItem, kDetails, kAuth, kError, kParameters, kOther };

  void AppendObject(std::string_view piece, Place place, std::string& out);
  void AppendArray(std::string_view piece, Place elements, std::string& out);
  void AppendField(Place place, const std::string& key, std::string_view piece,
                   std::string_view object, std::string& out);
  void AppendText(Place place, const std::string& key, const std::string& text, std::string& out);
  void AppendPayload(std::string_view piece, std::string_view item, std::string& out);

  // The number of a value among those of its kind, from 1.
  size_t NumberOf(Kind kind, std::string_view value);
  std::string StandIn(Kind kind, std::string_view value);
  static std::string StandIn(Kind kind, size_t number, size_t size);
  std::string Channel(std::string_view name);
  std::string WithoutSecrets(std::string text);
  void LearnSecret(Kind kind, std::string_view value);
  size_t Count(Kind kind) const;

  const Level level_;
  std::map<std::pair<Kind, std::string>, size_t, std::less<>> numbers_;
  std::map<Kind, size_t> counts_;
  std::vector<std::pair<std::string, std::string>> secrets_;  // with their stand-ins
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_REDACTION_H_
