#ifndef SIM_EXPLAIN_STORY_FILTER_H_
#define SIM_EXPLAIN_STORY_FILTER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/explain/near_names.h"
#include "sim/explain/story.h"

namespace presence::sim {

// Whom a story is wanted of: CLIENT or CLIENT@CONNECTION. A client id may itself hold an "@", so a
// name with one is both a client and a client on a connection.
class MemberName {
 public:
  explicit MemberName(std::string name);
  // Whether it names a member; an empty connection is that of any.
  bool Names(std::string_view client_id, std::string_view connection_id) const;
  // The client, if it is a name of both.
  std::string_view client() const {
    return std::string_view(name_).substr(0, at_.value_or(name_.size()));
  }

 private:
  std::string name_;
  std::optional<size_t> at_;  // of the last "@" in it
};

// Passes on only what concerns one channel, or one member: of a block its first item, which says
// what the line is, and those that are wanted.
class StoryFilter : public StorySink {
 public:
  // `next` must outlive this.
  StoryFilter(std::optional<std::string> channel, std::optional<MemberName> member, StorySink& next)
      : channel_(std::move(channel)), member_(std::move(member)), next_(next) {
    if (member_.has_value()) near_.emplace(member_->client());
  }

  void WriteBlock(const StoryBlock& block) override;
  void WriteEnd(const StoryState& state) override;

  // Whether somebody was wanted and nothing has named him; and the nearest names that there are.
  bool lacks_member() const { return near_.has_value() && !met_; }
  std::vector<std::string> NearMembers() const { return near_->Nearest(); }

 private:
  bool Wants(const StoryItem& item) const;

  const std::optional<std::string> channel_;
  const std::optional<MemberName> member_;
  std::optional<NearNames> near_;
  bool met_ = false;
  StorySink& next_;
  std::vector<StoryItem> wanted_;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_STORY_FILTER_H_
