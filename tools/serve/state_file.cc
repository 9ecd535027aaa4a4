#include "tools/serve/state_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "tools/serve/state_log.h"

namespace presence::serve {
namespace {

// "Pres": other programs' databases have another number, or none.
constexpr int64_t kApplication = 0x50726573;
constexpr int64_t kVersion = 1;
// An export is kept in pieces, as a value has a limit.
constexpr size_t kPiece = size_t{1} << 20;

constexpr const char* kSchema =
    "CREATE TABLE export(piece INTEGER PRIMARY KEY, text BLOB NOT NULL, checksum INTEGER NOT NULL);"
    "CREATE TABLE input(number INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL,"
    " transport INTEGER NOT NULL, body BLOB NOT NULL, checksum INTEGER NOT NULL);";

constexpr std::string_view kWhatToDo =
    "restore a copy of it, or move it away, with the -wal file beside it, to begin with nobody "
    "present";

void AddTo(uLong& sum, std::string_view bytes) {
  sum = crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}
void AddTo(uLong& sum, int64_t number) {
  unsigned char bytes[sizeof number];
  for (size_t i = 0; i < sizeof number; ++i) {
    bytes[i] = static_cast<unsigned char>(static_cast<uint64_t>(number) >> (8 * i));
  }
  sum = crc32_z(sum, bytes, sizeof bytes);
}
template <typename... Parts>
int64_t Checksum(const Parts&... parts) {
  uLong sum = crc32_z(0, nullptr, 0);
  (AddTo(sum, parts), ...);
  return static_cast<int64_t>(sum);
}
int64_t ChecksumOf(int64_t number, const InputRecord& record) {
  return Checksum(number, ToMs(record.time), std::string_view(record.kind),
                  static_cast<int64_t>(record.transport), std::string_view(record.body));
}

// A prepared statement, which is used again and again.
class Statement {
 public:
  Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  int Prepare(sqlite3* database, const char* sql) {
    return sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  }
  void Bind(int at, int64_t value) { sqlite3_bind_int64(statement_, at, value); }
  void BindText(int at, std::string_view text) {
    sqlite3_bind_text64(statement_, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  // Not null, even where it is empty.
  void BindBlob(int at, std::string_view bytes) {
    sqlite3_bind_blob64(statement_, at, bytes.empty() ? "" : bytes.data(), bytes.size(),
                        SQLITE_STATIC);
  }
  int Step() { return sqlite3_step(statement_); }
  // Runs it to its end, of which SQLITE_DONE is the good one.
  int Run() {
    const int result = Step();
    Reset();
    return result;
  }
  void Reset() { sqlite3_reset(statement_); }
  int64_t Number(int column) { return sqlite3_column_int64(statement_, column); }
  std::string_view Bytes(int column) {
    const void* const bytes = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return {static_cast<const char*>(bytes), bytes == nullptr ? 0 : static_cast<size_t>(size)};
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// Not readable by others from the first moment on. Empty: it is there; else why not.
std::string MakeFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return std::strerror(errno);
  close(file);
  return "";
}

}  // namespace

struct StateFile::Database {
  ~Database() {
    // Statements before what they belong to.
    insert.reset();
    sqlite3_close(handle);
  }
  int Run(const char* sql) { return sqlite3_exec(handle, sql, nullptr, nullptr, nullptr); }
  std::optional<int64_t> Pragma(const char* sql) {
    Statement statement;
    if (statement.Prepare(handle, sql) != SQLITE_OK || statement.Step() != SQLITE_ROW) {
      return std::nullopt;
    }
    return statement.Number(0);
  }

  sqlite3* handle = nullptr;
  std::optional<Statement> insert;  // of an input
};

StateFile::StateFile(std::string path, std::unique_ptr<Database> database)
    : path_(std::move(path)), database_(std::move(database)), count_(path_) {}

StateFile::~StateFile() = default;

absl::Status StateFile::Damaged(std::string_view what) const {
  return absl::DataLossError(absl::StrCat("the state ", path_, " is damaged (", AbslView(what),
                                          "): ", AbslView(kWhatToDo)));
}

// The latest error of the database, for people.
absl::Status StateFile::Failed(std::string_view what) const {
  sqlite3* const handle = database_->handle;
  const std::string why = sqlite3_errmsg(handle);
  switch (sqlite3_errcode(handle) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(
          absl::StrCat("the state ", path_, " is in use: another server has it open"));
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat("the state ", path_,
                       " is no database, or its beginning is damaged: ", AbslView(kWhatToDo)));
    case SQLITE_CORRUPT:
      return Damaged(why);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(
          absl::StrCat("there is no room to write the state ", path_));
    default:
      return absl::FailedPreconditionError(
          absl::StrCat("cannot ", AbslView(what), " the state ", path_, ": ", why));
  }
}

absl::StatusOr<std::unique_ptr<StateFile>> StateFile::Open(const std::string& path) {
  const bool is_made = access(path.c_str(), F_OK) != 0;
  if (const std::string wrong = MakeFile(path); !wrong.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open the state ", path, " to write: ", wrong));
  }
  auto database = std::make_unique<Database>();
  sqlite3_open_v2(path.c_str(), &database->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                  nullptr);
  std::unique_ptr<StateFile> file(new StateFile(path, std::move(database)));
  // What another one that was here has left is not its own.
  if (is_made && file->count_.Read().has_value()) file->count_.Reset();
  if (const absl::Status status = file->Prepare(); !status.ok()) return status;
  return file;
}

// A copy that was put back is often one that others may read.
absl::Status StateFile::KeepFromOthers() const {
  for (const char* const suffix : {"", "-wal", "-count"}) {
    const std::string path = path_ + suffix;
    struct stat about {};
    if (stat(path.c_str(), &about) != 0 || (about.st_mode & (S_IRWXG | S_IRWXO)) == 0) continue;
    if (chmod(path.c_str(), about.st_mode & S_IRWXU) != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("others may read ", path, ", which holds keys, and that cannot be changed (",
                       std::strerror(errno), "): make it your own, with mode 0600"));
    }
  }
  return absl::OkStatus();
}

absl::Status StateFile::Prepare() {
  Database& database = *database_;
  // Nobody else may have it, from the first transaction on until it is closed.
  if (database.Run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF;"
                   "BEGIN IMMEDIATE; COMMIT;") != SQLITE_OK) {
    const absl::Status status = Failed("open");
    database.Run("ROLLBACK");
    return status;
  }
  // Closing it must not take away a log that is refused.
  sqlite3_db_config(database.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (const std::string damage = DamageOfLog(path_ + "-wal"); !damage.empty()) {
    return Damaged(damage);
  }
  sqlite3_db_config(database.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  const std::optional<int64_t> application = database.Pragma("PRAGMA application_id");
  const std::optional<int64_t> version = database.Pragma("PRAGMA user_version");
  const std::optional<int64_t> tables = database.Pragma("SELECT count(*) FROM sqlite_schema");
  if (!application.has_value() || !version.has_value() || !tables.has_value()) {
    return Failed("read");
  }
  const bool is_new = *application == 0 && *version == 0 && *tables == 0;
  if (!is_new && *application != kApplication) {
    return absl::DataLossError(
        absl::StrCat("the state ", path_, " is another program's database: name another file"));
  }
  if (!is_new && *version != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the state ", path_, " has version ", *version, ", and this server knows ",
                     kVersion, ": start the server that wrote it"));
  }
  if (const absl::Status status = KeepFromOthers(); !status.ok()) return status;
  if (database.Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                   "PRAGMA journal_size_limit=67108864") != SQLITE_OK) {
    return Failed("write");
  }
  if (is_new && (database.Run("BEGIN") != SQLITE_OK || database.Run(kSchema) != SQLITE_OK ||
                 database.Run(absl::StrCat("PRAGMA application_id=", kApplication,
                                           ";PRAGMA user_version=", kVersion, ";COMMIT")
                                  .c_str()) != SQLITE_OK)) {
    return Failed("write");
  }
  database.insert.emplace();
  if (database.insert->Prepare(database.handle, "INSERT INTO input VALUES(?,?,?,?,?,?)") !=
      SQLITE_OK) {
    return Failed("write");
  }
  return absl::OkStatus();
}

absl::Status StateFile::Read(absl::FunctionRef<absl::Status(const Kept&)> take_export,
                             absl::FunctionRef<absl::Status(const InputRecord&)> take_input) {
  {
    Statement check;
    if (check.Prepare(database_->handle, "PRAGMA integrity_check(1)") != SQLITE_OK ||
        check.Step() != SQLITE_ROW) {
      return Failed("read");
    }
    if (check.Bytes(0) != "ok") return Damaged(check.Bytes(0));
  }
  Kept kept;
  {
    Statement pieces;
    if (pieces.Prepare(database_->handle,
                       "SELECT piece, text, checksum FROM export ORDER BY piece") != SQLITE_OK) {
      return Failed("read");
    }
    int result = SQLITE_ROW;
    int64_t expected = 0;
    std::string head;
    while ((result = pieces.Step()) == SQLITE_ROW) {
      const std::string_view text = pieces.Bytes(1);
      if (pieces.Number(0) != expected || Checksum(expected, text) != pieces.Number(2)) {
        return Damaged("an export");
      }
      // The first has the number of the input before it; the second the options.
      (expected == 0 ? head : expected == 1 ? kept.options : kept.snapshot) += text;
      ++expected;
    }
    if (result != SQLITE_DONE) return Failed("read");
    if (expected == 1 || expected == 2) return Damaged("an export that has no end");
    if (expected > 0 && !absl::SimpleAtoi(head, &last_input_)) return Damaged("an export");
  }
  if (const absl::Status status = take_export(kept); !status.ok()) return status;
  Statement inputs;
  if (inputs.Prepare(database_->handle,
                     "SELECT number, time, kind, transport, body, checksum FROM input "
                     "ORDER BY number") != SQLITE_OK) {
    return Failed("read");
  }
  int result = SQLITE_ROW;
  InputRecord record;
  while ((result = inputs.Step()) == SQLITE_ROW) {
    const int64_t number = inputs.Number(0);
    record.time = TimestampFromMs(inputs.Number(1));
    record.kind = inputs.Bytes(2);
    record.transport = static_cast<TransportHandle>(inputs.Number(3));
    record.body = inputs.Bytes(4);
    if (number != ++last_input_) return Damaged("an input is missing");
    if (ChecksumOf(number, record) != inputs.Number(5)) return Damaged("an input");
    if (const absl::Status status = take_input(record); !status.ok()) return status;
  }
  if (result != SQLITE_DONE) return Failed("read");
  if (const int64_t count = count_.Read().value_or(0); count > last_input_) {
    return absl::DataLossError(absl::StrCat(
        "the state ", path_, " lacks its last ", count - last_input_,
        " inputs, which were acknowledged, says ", count_.path(),
        ": restore a copy of it, or go on without them; for either, remove that file"));
  }
  return absl::OkStatus();
}

absl::Status StateFile::WriteExport(const StateTransaction& transaction) {
  Statement insert;
  if (database_->Run("DELETE FROM export; DELETE FROM input") != SQLITE_OK ||
      insert.Prepare(database_->handle, "INSERT INTO export VALUES(?,?,?)") != SQLITE_OK) {
    return Failed("write");
  }
  int64_t piece = 0;
  const auto write = [&](std::string_view text) {
    insert.Bind(1, piece);
    insert.BindBlob(2, text);
    insert.Bind(3, Checksum(piece, text));
    ++piece;
    return insert.Run() == SQLITE_DONE;
  };
  bool written = write(absl::StrCat(last_input_)) && write(transaction.options);
  for (size_t at = 0; written && at < transaction.snapshot.size(); at += kPiece) {
    written = write(std::string_view(transaction.snapshot).substr(at, kPiece));
  }
  return written ? absl::OkStatus() : Failed("write");
}

absl::Status StateFile::Write(const StateTransaction& transaction) {
  absl::Status status;
  int64_t number = last_input_;
  if (database_->Run("BEGIN IMMEDIATE") != SQLITE_OK) status = Failed("write");
  if (status.ok() && !transaction.snapshot.empty()) status = WriteExport(transaction);
  Statement& insert = *database_->insert;
  for (const InputRecord& record : transaction.inputs) {
    if (!status.ok()) break;
    ++number;
    insert.Bind(1, number);
    insert.Bind(2, ToMs(record.time));
    insert.BindText(3, record.kind);
    insert.Bind(4, static_cast<int64_t>(record.transport));
    insert.BindBlob(5, record.body);
    insert.Bind(6, ChecksumOf(number, record));
    if (insert.Run() != SQLITE_DONE) status = Failed("write");
  }
  if (status.ok() && database_->Run("COMMIT") != SQLITE_OK) status = Failed("write");
  if (!status.ok()) {
    if (sqlite3_get_autocommit(database_->handle) == 0) database_->Run("ROLLBACK");
    return status;
  }
  last_input_ = number;
  count_.Write(number);
  return absl::OkStatus();
}

int64_t StateFile::synchronous() const {
  return database_->Pragma("PRAGMA synchronous").value_or(-1);
}

void StateFile::LimitPages(int64_t pages) {
  database_->Run(absl::StrCat("PRAGMA max_page_count=", pages).c_str());
}

}  // namespace presence::serve
