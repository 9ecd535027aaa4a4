#ifndef TOOLS_SERVE_SESSION_RECORDER_H_
#define TOOLS_SERVE_SESSION_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "presence/message.h"
#include "presence/session/server_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::serve {

// Writes down the session of each connection as a trace, as its client has seen it: a file for each
// in one folder, which goes on when the connection is resumed. One thread at a time.
//
// The folder never has more files, nor more bytes in them, than allowed: the oldest whose client is
// not connected goes first, those of earlier processes included; where there is none, a session is
// not recorded, or not to its end. When the disk is full, or cannot be written, recording ends.
class SessionRecorder {
 public:
  struct Options {
    std::string folder;
    size_t max_files = 1'000;
    uint64_t max_bytes = uint64_t{1} << 30;  // of all
    uint64_t max_file_bytes = uint64_t{64}
                              << 20;  // of one; the session's next connect begins another
    // A line for the owner, such as that recording has ended.
    std::function<void(const std::string&)> tell;
  };
  struct Stats {
    uint64_t sessions = 0;  // recorded
    uint64_t skipped = 0;   // not recorded, for want of room
    uint64_t cut = 0;       // not to their end
    uint64_t removed = 0;   // files
  };

  // Makes the folder if there is none. FailedPrecondition: it cannot be made or written.
  static absl::StatusOr<std::unique_ptr<SessionRecorder>> Open(Options options);
  ~SessionRecorder();
  SessionRecorder(const SessionRecorder&) = delete;
  SessionRecorder& operator=(const SessionRecorder&) = delete;

  // A number for a transport that no other one gets, whichever server it is of.
  TransportHandle NewTransport() { return ++last_transport_; }
  // A frame is sent to these.
  void Sent(std::span<const TransportHandle> to, Timestamp now, wire::Format format,
            std::string_view bytes);
  // A frame has come.
  void Received(TransportHandle from, Timestamp now, wire::Format format, std::string_view bytes);
  void Gone(TransportHandle transport, Timestamp now);

  const Stats& stats() const { return stats_; }
  size_t files() const { return files_.size(); }
  uint64_t bytes() const { return bytes_; }
  // The disk was full, or something else went wrong.
  bool has_ended() const { return has_ended_; }

 private:
  struct File {
    uint64_t bytes = 0;
    std::string connection;  // that it is open for; empty: none
  };
  struct Session {
    std::string name;  // of its file
    int file = -1;
    TransportHandle transport = 0;  // the latest
    bool is_over = false;           // its client was told that it is closed, or has failed
  };

  explicit SessionRecorder(Options options) : options_(std::move(options)) {}
  void FindFiles();
  std::string Path(std::string_view name) const;
  std::string JsonOf(wire::Format format, std::string_view bytes);
  void OnConnected(TransportHandle transport, Timestamp now, std::string_view json);
  Session* Begin(std::string connection, std::string_view client, Timestamp now);
  Session* SessionOf(TransportHandle transport);
  // A line of a session; false: it is over.
  bool Write(Session& session, std::string_view line);
  void WriteFrame(TransportHandle transport, Timestamp now, std::string_view kind,
                  std::string_view json);
  void Cut(Session& session);
  void Forget(Session& session);
  bool MakeRoom(uint64_t bytes, size_t files, std::string_view but);
  void Remove(const std::string& name);
  void End(const std::string& why);

  const Options options_;
  std::map<std::string, File> files_;  // by name, which begins with the time
  uint64_t bytes_ = 0;
  std::unordered_map<std::string, Session> sessions_;  // by connection, as long as it may go on
  std::unordered_map<TransportHandle, std::string> connections_;
  wire::FrameReader reader_;
  uint64_t last_number_ = 0;  // of a file
  TransportHandle last_transport_ = 0;
  bool has_ended_ = false;
  Stats stats_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_SESSION_RECORDER_H_
