#ifndef TESTS_TRACE_MALFORMED_LINES_H_
#define TESTS_TRACE_MALFORMED_LINES_H_

#include <string_view>

namespace presence::testing {

// Lines that a trace must not have, and what is said of each after "FILE:LINE: ".
struct MalformedLine {
  std::string_view text;
  std::string_view message;
};

inline constexpr std::string_view kNoKnownKind =
    "no known kind of line: none of \"recv\", \"send\", \"call\", \"state\", \"connection\", "
    "\"options\", \"check\", \"note\", and no numeric \"action\"";

inline constexpr MalformedLine kMalformedLines[] = {
    // Not JSON.
    {"hello", "not valid JSON"},
    {"{\"note\":\"\"", "not valid JSON"},
    {"{\"note\":\"\"}}", "not valid JSON"},
    {"{\"note\":\"\"} {}", "not valid JSON"},
    {"{\"note\":'single'}", "not valid JSON"},
    {"{\"t\":01,\"note\":\"\"}", "not valid JSON"},
    {"{\"note\":\"unclosed}", "not valid JSON: a string is not closed"},
    {"{\"note\":\"bad escape \\x\"}",
     "not valid JSON: a string has a bad escape or a lone surrogate"},
    {"{\"note\":\"tab \t\"}", "not valid JSON: a string has an unescaped control character"},
    {"\xEF\xBB\xBF{\"note\":\"\"}", "not valid JSON: begins with a byte order mark"},
    // Lone surrogates, in a value, in a key, in what is kept as it stands.
    {"{\"note\":\"\\ud800\"}", "not valid JSON: a string has a bad escape or a lone surrogate"},
    {"{\"note\":\"\\udc00 \\ud800\"}",
     "not valid JSON: a string has a bad escape or a lone surrogate"},
    {"{\"recv\":{\"action\":14,\"presence\":[{\"extras\":{\"k\":\"\\ud83d\"}}]}}",
     "not valid JSON: a string has a bad escape or a lone surrogate"},
    {"{\"recv\":{\"action\":14,\"presence\":[{\"action\":2,\"clientId\":\"\\ud83d!\"}]}}",
     "not valid JSON: a string has a bad escape or a lone surrogate"},
    // Not UTF-8.
    {"{\"note\":\"\xFF\"}", "not valid UTF-8"},
    {"{\"note\":\"\xC3\"}", "not valid UTF-8"},
    {"{\"note\":\"\xED\xA0\x80\"}", "not valid UTF-8"},
    {"\x80", "not valid UTF-8"},
    // JSON, but not an object.
    {"[]", "not a JSON object"},
    {"[{\"note\":\"\"}]", "not a JSON object"},
    {"\"note\"", "not a JSON object"},
    {"7", "not a JSON object"},
    {"null", "not a JSON object"},
    // No kind.
    {"{}", kNoKnownKind},
    {"{\"t\":5}", kNoKnownKind},
    {"{\"action\":\"14\"}", kNoKnownKind},
    {"{\"action\":null}", kNoKnownKind},
    {"{\"Recv\":{\"action\":14}}", kNoKnownKind},
    // t, of every kind.
    {"{\"t\":\"5\",\"note\":\"\"}", "\"t\" is not a 64-bit integer"},
    {"{\"t\":5.0,\"note\":\"\"}", "\"t\" is not a 64-bit integer"},
    {"{\"t\":null,\"note\":\"\"}", "\"t\" is not a 64-bit integer"},
    {"{\"t\":9223372036854775808,\"note\":\"\"}", "\"t\" is not a 64-bit integer"},
    {"{\"t\":[],\"action\":14}", "\"t\" is not a 64-bit integer"},
    // Notes.
    {"{\"note\":5}", "\"note\" is not a string"},
    {"{\"note\":null}", "\"note\" is not a string"},
    // Frames: received, sent, bare.
    {"{\"recv\":5}", "\"recv\" is not an object"},
    {"{\"recv\":null}", "\"recv\" is not an object"},
    {"{\"recv\":[]}", "\"recv\" is not an object"},
    {"{\"send\":\"\"}", "\"send\" is not an object"},
    {"{\"recv\":{}}", "a frame without an integer \"action\""},
    {"{\"recv\":{\"action\":null}}", "a frame without an integer \"action\""},
    {"{\"recv\":{\"action\":\"\"}}", "a frame without an integer \"action\""},
    {"{\"recv\":{\"action\":\"14\"}}", "a frame without an integer \"action\""},
    {"{\"recv\":{\"action\":14.5}}", "a frame without an integer \"action\""},
    {"{\"send\":{\"channel\":\"room\"}}", "a frame without an integer \"action\""},
    {"{\"action\":14.0}", "a frame without an integer \"action\""},
    {"{\"action\":99999999999999999999}", "a frame without an integer \"action\""},
    {"{\"recv\":{\"action\":14,\"channel\":1}}", "\"channel\" is not a string"},
    {"{\"recv\":{\"action\":14,\"channelSerial\":{}}}", "\"channelSerial\" is not a string"},
    {"{\"recv\":{\"action\":14,\"id\":[]}}", "\"id\" is not a string"},
    {"{\"recv\":{\"action\":14,\"connectionId\":true}}", "\"connectionId\" is not a string"},
    {"{\"recv\":{\"action\":14,\"timestamp\":\"5\"}}", "\"timestamp\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":14,\"timestamp\":1e3}}", "\"timestamp\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":1,\"msgSerial\":\"0\"}}", "\"msgSerial\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":1,\"count\":{}}}", "\"count\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":11,\"flags\":true}}", "\"flags\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":9,\"error\":\"no\"}}", "\"error\" is not an object"},
    {"{\"recv\":{\"action\":9,\"error\":{\"code\":\"1\"}}}", "\"code\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":9,\"error\":{\"statusCode\":[]}}}",
     "\"statusCode\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":9,\"error\":{\"message\":1}}}", "\"message\" is not a string"},
    {"{\"recv\":{\"action\":9,\"error\":{\"cause\":1}}}", "\"cause\" is not an object"},
    {"{\"recv\":{\"action\":9,\"error\":{\"cause\":{\"message\":1}}}}",
     "\"message\" is not a string"},
    {"{\"recv\":{\"action\":4,\"connectionDetails\":1}}", "\"connectionDetails\" is not an object"},
    {"{\"recv\":{\"action\":4,\"connectionDetails\":{\"clientId\":1}}}",
     "\"clientId\" is not a string"},
    {"{\"recv\":{\"action\":4,\"connectionDetails\":{\"maxMessageSize\":\"1\"}}}",
     "\"maxMessageSize\" is not a 64-bit integer"},
    {"{\"recv\":{\"action\":14,\"presence\":{}}}", "\"presence\" is not an array"},
    {"{\"recv\":{\"action\":14,\"presence\":\"all\"}}", "\"presence\" is not an array"},
    {"{\"send\":{\"action\":14,\"msgSerial\":1.5}}", "\"msgSerial\" is not a 64-bit integer"},
    {"{\"action\":14,\"presence\":5}", "\"presence\" is not an array"},
    // Calls.
    {"{\"call\":5}", "\"call\" is not a string"},
    {"{\"call\":null}", "\"call\" is not a string"},
    {"{\"call\":\"\"}", "unknown call \"\""},
    {"{\"call\":\"Enter\"}", "unknown call \"Enter\""},
    {"{\"call\":\"enterclient\"}", "unknown call \"enterclient\""},
    {"{\"call\":\"entering\"}", "unknown call \"entering\""},
    {"{\"call\":\"line\\nend\"}", "unknown call \"line\\nend\""},
    {"{\"call\":\"enter\",\"channel\":5}", "\"channel\" is not a string"},
    {"{\"call\":\"enter\",\"id\":true}", "\"id\" is not a string or a number"},
    {"{\"call\":\"enter\",\"id\":{}}", "\"id\" is not a string or a number"},
    {"{\"call\":\"enter\",\"encoding\":5}", "\"encoding\" is not a string"},
    {"{\"call\":\"enter\",\"data\":{},\"encoding\":\"json\"}",
     "\"encoding\" beside \"data\" that is not a string"},
    {"{\"call\":\"enterClient\",\"clientId\":5}", "\"clientId\" is not a string"},
    {"{\"call\":\"leaveClient\",\"clientId\":[]}", "\"clientId\" is not a string"},
    {"{\"call\":\"isUserPresent\",\"clientId\":5}", "\"clientId\" is not a string"},
    {"{\"call\":\"get\",\"params\":[]}", "\"params\" is not an object"},
    {"{\"call\":\"get\",\"params\":{\"clientId\":5}}", "\"clientId\" is not a string"},
    {"{\"call\":\"get\",\"params\":{\"connectionId\":5}}", "\"connectionId\" is not a string"},
    {"{\"call\":\"get\",\"params\":{\"waitForSync\":0}}", "\"waitForSync\" is not true or false"},
    {"{\"call\":\"subscribe\",\"events\":\"enter\"}", "\"events\" is not an array"},
    {"{\"call\":\"subscribe\",\"events\":[5]}", "\"events\" is not an array of strings"},
    {"{\"call\":\"subscribe\",\"events\":[\"join\"]}", "unknown event \"join\""},
    {"{\"call\":\"unsubscribe\",\"of\":[]}", "\"of\" is not a string or a number"},
    // States.
    {"{\"state\":5}", "\"state\" is not a string"},
    {"{\"state\":\"Attached\"}", "unknown state \"Attached\""},
    {"{\"state\":\"initialized\"}", "unknown state \"initialized\""},
    {"{\"state\":\"failed\",\"channel\":{}}", "\"channel\" is not a string"},
    {"{\"state\":\"failed\",\"reason\":\"why\"}", "\"reason\" is not an object"},
    {"{\"state\":\"failed\",\"reason\":{\"code\":\"1\"}}", "\"code\" is not a 64-bit integer"},
    // Connections.
    {"{\"connection\":\"connected\"}", "\"connection\" is not an object"},
    {"{\"connection\":null}", "\"connection\" is not an object"},
    {"{\"connection\":{\"id\":5}}", "\"id\" is not a string"},
    {"{\"connection\":{\"clientId\":5}}", "\"clientId\" is not a string"},
    {"{\"connection\":{\"state\":5}}", "\"state\" is not a string"},
    {"{\"connection\":{\"state\":\"closing\"}}", "unknown connection state \"closing\""},
    {"{\"connection\":{\"reason\":5}}", "\"reason\" is not an object"},
    {"{\"connection\":{},\"reason\":5}", "\"reason\" is not an object"},
    // Checks.
    {"{\"check\":\"r\"}", "\"check\" is not an object"},
    {"{\"check\":{\"channel\":\"r\"}}", "a frame without an integer \"action\""},
    {"{\"check\":{\"action\":16},\"settled\":1}", "\"settled\" is not true or false"},
    {"{\"check\":[],\"settled\":true}", "\"check\" is not an object"},
    {"{\"check\":{\"channel\":5},\"settled\":true}", "\"channel\" is not a string"},
    // Options.
    {"{\"options\":[]}", "\"options\" is not an object"},
    {"{\"options\":{\"strictMode\":1}}", "\"strictMode\" is not true or false"},
    {"{\"options\":{\"queueMessages\":\"\"}}", "\"queueMessages\" is not true or false"},
    {"{\"options\":{\"attachOnSubscribe\":[]}}", "\"attachOnSubscribe\" is not true or false"},
    {"{\"options\":{\"maxMessageSize\":-1}}", "\"maxMessageSize\" is not a non-negative integer"},
    {"{\"options\":{\"maxQueued\":\"5\"}}", "\"maxQueued\" is not a non-negative integer"},
    {"{\"options\":{\"maxInFlight\":1.5}}", "\"maxInFlight\" is not a non-negative integer"},
    {"{\"options\":{\"maxTombstones\":true}}", "\"maxTombstones\" is not a non-negative integer"},
    {"{\"options\":{\"maxMembers\":-1}}", "\"maxMembers\" is not a non-negative integer"},
};

}  // namespace presence::testing

#endif  // TESTS_TRACE_MALFORMED_LINES_H_
