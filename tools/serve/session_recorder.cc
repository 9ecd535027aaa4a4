#include "tools/serve/session_recorder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/absl_view.h"
#include "presence/wire/packed_frame.h"

namespace presence::serve {
namespace {

constexpr std::string_view kEnding = ".jsonl";
constexpr size_t kTimeDigits = 15;  // milliseconds since the epoch, so that names are in order
constexpr size_t kNumberDigits = 6;
constexpr size_t kNameCharacters = 32;  // of a client's id

// What of an id may stand in a name of a file, whatever somebody calls himself.
std::string Harmless(std::string_view id) {
  std::string name(id.substr(0, kNameCharacters));
  for (char& c : name) {
    const bool harmless = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    if (!harmless) c = '_';
  }
  return name.empty() ? "nobody" : name;
}

// Whether a file of this name is one of ours, which may be removed.
bool IsOurs(std::string_view name) {
  const auto digits = [&](size_t from, size_t count) {
    const std::string_view part = name.substr(from, count);
    return part.size() == count &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return name.size() > kTimeDigits + kNumberDigits + 2 && digits(0, kTimeDigits) &&
         name[kTimeDigits] == '-' && digits(kTimeDigits + 1, kNumberDigits) &&
         name[kTimeDigits + kNumberDigits + 1] == '-' && name.ends_with(kEnding);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SessionRecorder>> SessionRecorder::Open(Options options) {
  std::unique_ptr<SessionRecorder> recorder(new SessionRecorder(std::move(options)));
  const std::string& folder = recorder->options_.folder;
  if (mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make the folder ", folder, ": ", std::strerror(errno)));
  }
  struct stat about {};
  if (stat(folder.c_str(), &about) == 0 && !S_ISDIR(about.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot record to ", folder, ": it is a file, where a folder is to be"));
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write to the folder ", folder, ": ", std::strerror(errno)));
  }
  recorder->FindFiles();
  recorder->MakeRoom(0, 0, "");
  return recorder;
}

SessionRecorder::~SessionRecorder() {
  for (const auto& [connection, session] : sessions_) {
    if (session.file >= 0) close(session.file);
  }
}

void SessionRecorder::FindFiles() {
  DIR* const folder = opendir(options_.folder.c_str());
  if (folder == nullptr) return;
  while (const dirent* const entry = readdir(folder)) {
    const std::string name = entry->d_name;
    struct stat about {};
    if (!IsOurs(name) || stat(Path(name).c_str(), &about) != 0) continue;
    files_[name].bytes = static_cast<uint64_t>(about.st_size);
    bytes_ += static_cast<uint64_t>(about.st_size);
  }
  closedir(folder);
}

std::string SessionRecorder::Path(std::string_view name) const {
  return absl::StrCat(options_.folder, "/", AbslView(name));
}

// --- What happens ---

// On one line; empty: it cannot be read.
std::string SessionRecorder::JsonOf(wire::Format format, std::string_view bytes) {
  std::string json;
  if (format == wire::Format::kMessagePack) {
    if (!wire::AppendUnpacked(bytes, json).ok()) json.clear();
    return json;
  }
  json = bytes;
  // In JSON they stand between things only.
  std::replace_if(
      json.begin(), json.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return json;
}

void SessionRecorder::Sent(std::span<const TransportHandle> to, Timestamp now, wire::Format format,
                           std::string_view bytes) {
  if (has_ended_) return;
  const std::string json = JsonOf(format, bytes);
  for (const TransportHandle transport : to) {
    if (json.starts_with("{\"action\":4,")) OnConnected(transport, now, json);
    WriteFrame(transport, now, "recv", json);
    if (!json.starts_with("{\"action\":8") && !json.starts_with("{\"action\":9")) continue;
    Session* const session = SessionOf(transport);
    const auto frame = reader_.Read(json);
    if (session != nullptr && frame.ok()) session->is_over = wire::SpeaksOfConnection(*frame);
  }
}

void SessionRecorder::Received(TransportHandle from, Timestamp now, wire::Format format,
                               std::string_view bytes) {
  if (has_ended_ || !connections_.contains(from)) return;
  WriteFrame(from, now, "send", JsonOf(format, bytes));
}

void SessionRecorder::WriteFrame(TransportHandle transport, Timestamp now, std::string_view kind,
                                 std::string_view json) {
  Session* const session = SessionOf(transport);
  if (session == nullptr || json.empty()) return;
  Write(*session,
        absl::StrCat("{\"t\":", ToMs(now), ",\"", AbslView(kind), "\":", AbslView(json), "}\n"));
}

void SessionRecorder::Gone(TransportHandle transport, Timestamp now) {
  Session* const session = SessionOf(transport);
  connections_.erase(transport);
  // Another one may have taken its connection over.
  if (session == nullptr || session->transport != transport) return;
  if (!session->is_over &&
      !Write(*session, absl::StrCat("{\"t\":", ToMs(now),
                                    ",\"connection\":{\"state\":\"disconnected\"}}\n"))) {
    return;
  }
  close(std::exchange(session->file, -1));
  session->transport = 0;
  files_[session->name].connection.clear();
}

void SessionRecorder::OnConnected(TransportHandle transport, Timestamp now, std::string_view json) {
  const auto frame = reader_.Read(json);
  if (!frame.ok()) return;
  const std::string connection(frame->connection_id);
  Session* session = nullptr;
  if (const auto found = sessions_.find(connection); found != sessions_.end()) {
    session = &found->second;
  } else {
    session = Begin(connection, frame->details_client_id, now);
    if (session == nullptr) return;
  }
  if (session->file < 0) {
    session->file = open(Path(session->name).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (session->file < 0) return End(std::strerror(errno));
  } else if (session->transport != 0 && session->transport != transport) {
    Write(*session,
          absl::StrCat("{\"t\":", ToMs(now), ",\"connection\":{\"state\":\"disconnected\"}}\n"));
  }
  // It may have come to its bound just now.
  if (!sessions_.contains(connection)) return;
  session->transport = transport;
  session->is_over = false;
  files_[session->name].connection = connection;
  connections_[transport] = connection;
}

// --- Files ---

SessionRecorder::Session* SessionRecorder::Begin(std::string connection, std::string_view client,
                                                 Timestamp now) {
  if (!MakeRoom(0, 1, "")) {
    ++stats_.skipped;
    return nullptr;
  }
  const std::string name =
      absl::StrFormat("%0*d-%0*d-%s-%s%s", static_cast<int>(kTimeDigits), ToMs(now),
                      static_cast<int>(kNumberDigits), ++last_number_ % 1'000'000, Harmless(client),
                      connection, AbslView(kEnding));
  const int file = open(Path(name).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
                        S_IRUSR | S_IWUSR);
  if (file < 0) {
    End(std::strerror(errno));
    return nullptr;
  }
  ++stats_.sessions;
  files_[name].connection = connection;
  Session& session = sessions_[std::move(connection)];
  session.name = name;
  session.file = file;
  return &session;
}

SessionRecorder::Session* SessionRecorder::SessionOf(TransportHandle transport) {
  const auto connection = connections_.find(transport);
  if (connection == connections_.end()) return nullptr;
  const auto session = sessions_.find(connection->second);
  return session == sessions_.end() ? nullptr : &session->second;
}

bool SessionRecorder::Write(Session& session, std::string_view line) {
  File& file = files_[session.name];
  if (file.bytes + line.size() > options_.max_file_bytes ||
      !MakeRoom(line.size(), 0, session.name)) {
    Cut(session);
    return false;
  }
  const ssize_t written = write(session.file, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    const std::string why = written < 0 ? std::strerror(errno) : "no room";
    // Whole lines only.
    if (written > 0 && ftruncate(session.file, static_cast<off_t>(file.bytes)) != 0) {
      file.bytes += static_cast<uint64_t>(written);
    }
    End(why);
    return false;
  }
  file.bytes += line.size();
  bytes_ += line.size();
  return true;
}

// What comes later of this session is not recorded, until it connects anew.
void SessionRecorder::Cut(Session& session) {
  ++stats_.cut;
  Forget(session);
}

void SessionRecorder::Forget(Session& session) {
  if (session.file >= 0) close(session.file);
  connections_.erase(session.transport);
  File& file = files_[session.name];
  const std::string connection = std::move(file.connection);
  file.connection.clear();
  for (auto each = sessions_.begin(); each != sessions_.end(); ++each) {
    if (&each->second != &session) continue;
    sessions_.erase(each);
    return;
  }
}

// Removes the oldest files, as long as there are too many with these, but none that is being
// written.
bool SessionRecorder::MakeRoom(uint64_t bytes, size_t files, std::string_view but) {
  auto next = files_.begin();
  while (bytes_ + bytes > options_.max_bytes || files_.size() + files > options_.max_files) {
    while (next != files_.end() && (!next->second.connection.empty() || next->first == but)) {
      ++next;
    }
    if (next == files_.end()) return false;
    const std::string name = next->first;
    ++next;
    Remove(name);
  }
  return true;
}

void SessionRecorder::Remove(const std::string& name) {
  unlink(Path(name).c_str());
  ++stats_.removed;
  bytes_ -= files_[name].bytes;
  files_.erase(name);
  std::erase_if(sessions_, [&](const auto& each) { return each.second.name == name; });
}

void SessionRecorder::End(const std::string& why) {
  if (std::exchange(has_ended_, true)) return;
  for (auto& [connection, session] : sessions_) {
    if (session.file >= 0) close(std::exchange(session.file, -1));
  }
  sessions_.clear();
  connections_.clear();
  if (options_.tell == nullptr) return;
  options_.tell(absl::StrCat("no sessions are recorded any more: ", options_.folder, ": ", why));
}

}  // namespace presence::serve
