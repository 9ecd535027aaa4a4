#include "sim/capture/socket_kind.h"

#include "engine/json/piece_reader.h"
#include "engine/json/raw_text.h"

namespace presence::sim {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Decoded(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && HexDigit(text[at + 1]) >= 0 &&
        HexDigit(text[at + 2]) >= 0) {
      decoded += static_cast<char>(HexDigit(text[at + 1]) * 16 + HexDigit(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

std::string ConnectionKeyOf(const wire::Frame& connected, std::string_view json) {
  if (!connected.details_connection_key.empty()) {
    return std::string(connected.details_connection_key);
  }
  const std::optional<std::string_view> piece = json::RawField(json, "connectionKey");
  return piece.has_value() ? json::StringOf(*piece).value_or("") : "";
}

std::optional<std::string> QueryParameter(std::string_view url, std::string_view name) {
  const size_t query = url.find('?');
  if (query == url.npos) return std::nullopt;
  std::string_view rest = url.substr(query + 1);
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(pair.size() < rest.size() ? pair.size() + 1 : pair.size());
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == pair.npos ? "" : Decoded(pair.substr(equals + 1));
  }
  return std::nullopt;
}

SocketKind::SocketKind(std::string_view url) {
  const bool credentials = QueryParameter(url, "key").has_value() ||
                           QueryParameter(url, "access_token").has_value() ||
                           QueryParameter(url, "accessToken").has_value();
  const bool version = QueryParameter(url, "v").has_value();
  const bool agent = QueryParameter(url, "agent").value_or("").find("ably") != std::string::npos;
  ably_ = version && (agent || (credentials && QueryParameter(url, "format").has_value()));
}

void SocketKind::See(const wire::Frame& frame, bool sent) {
  const bool of_channel = !frame.channel.empty();
  switch (frame.action) {
    case wire::kConnected:
      ably_ = ably_ || (!sent && !frame.connection_id.empty());
      break;
    case wire::kAttach:
    case wire::kDetach:
      ably_ = ably_ || (sent && of_channel);
      break;
    case wire::kAttached:
      ably_ = ably_ || (!sent && of_channel && frame.flags.has_value());
      break;
    case wire::kPresence:
    case wire::kSync:
      ably_ = ably_ || (of_channel && !frame.presence.empty());
      break;
    default:
      break;
  }
}

bool OnlyClientsSend(const wire::Frame& frame) {
  switch (frame.action) {
    case wire::kAttach:
    case wire::kDetach:
    case wire::kClose:
      return true;
    case wire::kAuth:
      // The server asks for a new token by one that has none.
      return !frame.auth_access_token.empty();
    case wire::kPresence:
    case wire::kMessage:
      return frame.msg_serial.has_value() && frame.id.empty();
    default:
      return false;
  }
}

}  // namespace presence::sim
