#include "tools/import_command.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/absl_view.h"
#include "sim/capture/capture.h"
#include "sim/capture/cdp_reader.h"
#include "sim/capture/clock.h"
#include "sim/capture/file_kind.h"
#include "sim/capture/frame_text_reader.h"
#include "sim/capture/har_reader.h"
#include "sim/capture/log_reader.h"
#include "sim/capture/redaction.h"
#include "sim/capture/sessions.h"
#include "sim/capture/trace_output.h"
#include "sim/capture/utf16.h"
#include "sim/capture/zip_reader.h"
#include "sim/trace/line_reader.h"
#include "tools/console.h"

namespace presence::tools {

namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

// All that a file holds.
absl::StatusOr<std::string> ReadFile(const std::string& name, Progress& progress) {
  absl::StatusOr<std::unique_ptr<sim::ByteSource>> source = sim::OpenFile(name);
  if (!source.ok()) return source.status();
  const uint64_t total = (*source)->total();
  std::string content;
  if (!std::string_view(name).ends_with(".gz")) content.reserve(total + 1);
  std::vector<char> chunk(kChunkBytes);
  for (;;) {
    if (Interrupted()) return absl::CancelledError("interrupted");
    const absl::StatusOr<size_t> got = (*source)->Read(chunk.data(), chunk.size());
    if (!got.ok() && absl::IsCancelled(got.status())) continue;
    if (!got.ok()) return got.status();
    if (*got == 0) return content;
    content.append(chunk.data(), *got);
    if (!progress.Due()) continue;
    const double read = static_cast<double>((*source)->position());
    progress.Show(
        total > 0 ? std::optional<double>(read / static_cast<double>(total)) : std::nullopt,
        absl::StrCat(content.size() / 1'000'000, " MB"));
  }
}

std::string Plural(size_t count, std::string_view what) {
  return absl::StrCat(count, " ", AbslView(what), count == 1 ? "" : "s");
}

std::string Listed(const std::vector<std::string>& names, std::string_view if_none) {
  constexpr size_t kShown = 8;
  const std::vector<std::string> shown(
      names.begin(), names.begin() + static_cast<ptrdiff_t>(std::min(names.size(), kShown)));
  std::string text = names.empty() ? std::string(if_none) : absl::StrJoin(shown, ", ");
  if (names.size() > kShown) absl::StrAppend(&text, " and ", names.size() - kShown, " more");
  return text;
}

void ListClients(const std::vector<sim::CapturedClient>& clients) {
  for (size_t i = 0; i < clients.size(); ++i) {
    const sim::CapturedClient& client = clients[i];
    const auto time = [](const std::optional<int64_t>& ms) {
      return ms.has_value() ? sim::FormatInstant(*ms) : "unknown";
    };
    Tell(absl::StrCat("  ", i + 1, "  client ",
                      client.client_id.empty() ? "unknown" : client.client_id, "; connections ",
                      Listed(client.connection_ids, "unknown"), "; rooms ",
                      Listed(client.channels, "none"), "; ", Plural(client.frames, "frame"),
                      "; from ", time(client.from), " to ", time(client.to)));
  }
}

class ImportRun {
 public:
  explicit ImportRun(const CommandLine& flags)
      : file_(flags.operands()[0]),
        from_(flags.Value("from", "auto")),
        output_(flags.Value("o", "-")),
        progress_(WantsProgress(flags.Value("progress", "auto")), file_),
        redactor_(!flags.Has("redact")             ? sim::Redactor::Level::kNothing
                  : flags.Value("redact") == "all" ? sim::Redactor::Level::kAll
                                                   : sim::Redactor::Level::kSecrets),
        warns_(!flags.Has("redact")) {}

  int Run(std::optional<size_t> chosen) {
    if (IsSameFile(file_, output_)) {
      Complain(absl::StrCat("import: ", output_, " is what is imported; write to another file"));
      return kExitUsage;
    }
    absl::StatusOr<std::string> content = ReadFile(file_, progress_);
    progress_.Clear();
    if (!content.ok()) return CannotRead(content.status());
    capture_.text = *std::move(content);
    if (const std::optional<int> wrong = Read()) return *wrong;
    Report();
    if (capture_.sockets.empty()) {
      Tell(absl::StrCat(file_, ": no frames: ", capture_.why_empty));
      return kExitFailed;
    }
    clients_ = sim::ClientsOf(capture_);
    if (chosen.has_value() && *chosen > clients_.size()) {
      Complain(absl::StrCat("import: ", file_, " has ", Plural(clients_.size(), "client"), ":"));
      ListClients(clients_);
      return kExitUsage;
    }
    if (output_.ends_with('/')) return WriteEach(chosen);
    if (!chosen.has_value() && clients_.size() > 1) {
      Complain(
          absl::StrCat("import: ", file_, " has ", Plural(clients_.size(), "client"),
                       "; choose one by --client=N, or write a trace for each by -o FOLDER/:"));
      ListClients(clients_);
      return kExitUsage;
    }
    return WriteOne(clients_[chosen.value_or(1) - 1]);
  }

 private:
  int CannotRead(const absl::Status& status) {
    if (absl::IsCancelled(status)) return kExitInterrupted;
    if (absl::IsNotFound(status)) {
      Complain(std::string(status.message()));
      return kExitUsage;
    }
    Tell(absl::StrCat(file_, ": ", status.message()));
    return kExitFailed;
  }

  // Reads the capture as what it is; an exit status if it is nothing of ours.
  std::optional<int> Read() {
    if (sim::IsUtf16(capture_.text)) capture_.text = sim::Utf8OfUtf16(capture_.text);
    sim::FileKind kind = sim::FileKind::kOther;
    if (from_ == "auto") kind = sim::KindOf(capture_.text);
    if (from_ == "har") kind = sim::FileKind::kHar;
    if (from_ == "ably-log") kind = sim::FileKind::kAblyLog;
    if (from_ == "cdp") kind = sim::FileKind::kCdp;
    if (from_ == "frames") kind = sim::FileKind::kFrames;
    switch (kind) {
      case sim::FileKind::kHar:
        sim::ReadHar([this](std::string_view name) { return ReadBeside(name); }, capture_);
        sim::LinkByKeys(capture_);
        return std::nullopt;
      case sim::FileKind::kCdp:
        sim::ReadCdpEvents(capture_);
        sim::LinkByKeys(capture_);
        return std::nullopt;
      case sim::FileKind::kAblyLog:
        sim::ReadAblyLog(capture_);
        return std::nullopt;
      case sim::FileKind::kFrames:
      case sim::FileKind::kStrings:
        sim::ReadFrameTexts(capture_);
        return std::nullopt;
      case sim::FileKind::kTrace:
        Complain(absl::StrCat("import: ", file_, " is a trace already: see presence replay"));
        return kExitUsage;
      case sim::FileKind::kZip:
        return ReadZip();
      default:
        Tell(absl::StrCat(file_, ":1: ", AbslView(WhyNotRead(kind))));
        return kExitFailed;
    }
  }

  static std::string_view WhyNotRead(sim::FileKind kind) {
    switch (kind) {
      case sim::FileKind::kEmpty:
        return "nothing is in it";
      case sim::FileKind::kGzip:
        return "compressed: decompress it first (gunzip -c)";
      case sim::FileKind::kObjects:
        return "frames as a console shows objects, which leaves things out: copy the messages "
               "themselves (Network, the socket, Messages, \"Copy message\"), or export a HAR";
      default:
        return "neither a HAR nor a log of ably-js at level 4 nor copied frames";
    }
  }

  // Of what Playwright packs: a HAR, and the messages of its sockets beside it.
  std::optional<int> ReadZip() {
    const std::string zip = std::move(capture_.text);
    const absl::StatusOr<sim::ZipReader> reader = sim::ZipReader::Open(zip);
    absl::StatusOr<std::string> har = absl::NotFoundError("the zip has no .har");
    if (!reader.ok()) {
      har = reader.status();
    } else {
      for (const std::string& name : reader->names()) {
        if (!name.ends_with(".har")) continue;
        har = reader->Read(name);
        break;
      }
    }
    if (!har.ok()) {
      Tell(absl::StrCat(file_, ":1: ", har.status().message()));
      return kExitFailed;
    }
    capture_.text = *std::move(har);
    sim::ReadHar([&reader](std::string_view name) { return reader->Read(name); }, capture_);
    sim::LinkByKeys(capture_);
    return std::nullopt;
  }

  absl::StatusOr<std::string> ReadBeside(std::string_view name) {
    const size_t slash = file_.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : file_.substr(0, slash + 1);
    return ReadFile(absl::StrCat(folder, AbslView(name)), progress_);
  }

  void Report() {
    std::stable_sort(capture_.left_out.begin(), capture_.left_out.end(),
                     [](const sim::LeftOut& a, const sim::LeftOut& b) { return a.line < b.line; });
    for (const sim::LeftOut& left : capture_.left_out) {
      Tell(absl::StrCat(file_, ":", left.line, ": ", left.why));
    }
    if (const size_t count = capture_.left_out.size(); count > 0) {
      Complain(absl::StrCat("import: left out for the reasons above: ", count));
    }
    if (const size_t count = capture_.sockets_passed_over; count > 0) {
      Complain(absl::StrCat("import: passed over ", Plural(count, "socket"),
                            " without frames of the Ably protocol"));
    }
  }

  int WriteOne(const sim::CapturedClient& client) { return Finish(Write(client, output_)); }

  int WriteEach(std::optional<size_t> chosen) {
    if (mkdir(output_.c_str(), 0777) != 0 && errno != EEXIST) {
      Complain(absl::StrCat("cannot make ", output_, ": ", std::strerror(errno)));
      return kExitUsage;
    }
    std::string error;
    for (size_t i = 0; i < clients_.size() && error.empty(); ++i) {
      if (chosen.has_value() && *chosen != i + 1) continue;
      error = Write(clients_[i], absl::StrCat(output_, "client-", i + 1, ".jsonl"));
    }
    return Finish(error);
  }

  // Why it could not be written; nothing if it could.
  std::string Write(const sim::CapturedClient& client, const std::string& name) {
    Output out;
    if (!out.Open(name)) return out.error();
    sim::WriteTrace(capture_, client, redactor_,
                    [&out](std::string_view line) { out.Write(line); });
    out.Close();
    return out.error();
  }

  int Finish(const std::string& error) {
    if (!error.empty()) {
      Complain(error);
      return kExitFailed;
    }
    if (warns_ && redactor_.connection_keys() + redactor_.tokens() > 0) {
      std::vector<std::string> kinds;
      if (redactor_.connection_keys() > 0) {
        kinds.push_back(Plural(redactor_.connection_keys(), "connection key"));
      }
      if (redactor_.tokens() > 0) kinds.push_back(Plural(redactor_.tokens(), "token"));
      Complain(absl::StrCat("import: warning: the trace holds ", absl::StrJoin(kinds, " and "),
                            "; --redact replaces such secrets"));
    }
    return capture_.left_out.empty() ? kExitOk : kExitFailed;
  }

  const std::string file_;
  const std::string from_;
  const std::string output_;
  Progress progress_;
  sim::Redactor redactor_;
  const bool warns_;
  sim::Capture capture_;
  std::vector<sim::CapturedClient> clients_;
};

}  // namespace

int RunImport(const CommandLine& line) {
  std::optional<size_t> client;
  if (line.Has("client")) client = line.Number("client", 1);
  return ImportRun(line).Run(client);
}

}  // namespace presence::tools
