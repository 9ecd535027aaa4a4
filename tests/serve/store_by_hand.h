#ifndef TESTS_SERVE_STORE_BY_HAND_H_
#define TESTS_SERVE_STORE_BY_HAND_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/wire/snapshot.h"
#include "tools/serve/input_record.h"
#include "tools/serve/state_file.h"
#include "tools/serve/state_store.h"

namespace presence::testing {

// Writes a real file when it is told to.
class StoreByHand final : public serve::StateStore {
 public:
  explicit StoreByHand(serve::StateFile& file) : file_(file) {}
  void Write(serve::StateTransaction transaction, std::function<void(absl::Status)> done) override {
    EXPECT_FALSE(done_) << "one at a time";
    transaction_ = std::move(transaction);
    done_ = std::move(done);
  }
  absl::Status WriteLast(const serve::StateTransaction& transaction) override {
    done_ = nullptr;
    return file_.Write(transaction);
  }
  bool is_writing() const { return done_ != nullptr; }
  const serve::StateTransaction& transaction() const { return transaction_; }
  void Finish() {
    const auto done = std::exchange(done_, nullptr);
    done(fail ? absl::ResourceExhaustedError("no room") : file_.Write(transaction_));
  }
  // Until nothing is left to be written.
  void FinishAll() {
    while (is_writing()) Finish();
  }
  bool fail = false;

 private:
  serve::StateFile& file_;
  serve::StateTransaction transaction_;
  std::function<void(absl::Status)> done_;
};

inline std::string TextOf(const ServerSnapshot& snapshot) {
  std::string text;
  wire::AppendSnapshot(snapshot, text);
  return text;
}

// The state with its transports as the file has it, its inputs done again; empty, and the test
// fails: it cannot be read.
inline std::string StateReadAgain(serve::StateFile& file) {
  ServerEffects effects;
  serve::RecordReader reader;
  std::unique_ptr<Server> replica;
  const absl::Status status = file.Read(
      [&](const serve::StateFile::Kept& kept) -> absl::Status {
        replica = *Server::Replicate(*serve::ReadOptions(kept.options),
                                     *wire::ParseServerSnapshot(kept.snapshot));
        return absl::OkStatus();
      },
      [&](const serve::InputRecord& record) -> absl::Status {
        const auto input = reader.Read(record);
        if (!input.ok()) return input.status();
        if (const auto* const one = std::get_if<ServerInput>(&*input)) {
          replica->Apply(record.time, *one, effects).IgnoreError();
        } else if (std::holds_alternative<serve::DeadlineCome>(*input)) {
          replica->AdvanceTo(record.time, effects);
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  return status.ok() ? TextOf(replica->ExportWithTransports()) : "";
}

}  // namespace presence::testing

#endif  // TESTS_SERVE_STORE_BY_HAND_H_
