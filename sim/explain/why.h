#ifndef SIM_EXPLAIN_WHY_H_
#define SIM_EXPLAIN_WHY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/explain/near_names.h"
#include "sim/explain/story.h"

namespace presence::sim {

// Says why a client is present, or is not: listens to a story, and at its end has a paragraph for
// each channel in which the client was ever seen, or one that says that it was not.
//
// A paragraph says what is so; the chain of lines that made it so, each with its rule and in the
// story's words; what would have changed it; and what is odd about the server, the client or the
// capture.
//
// Memory: what is present of this client, and of its connections that have gone the last kMaxGone;
// of each a few lines; of everything else O(1) a channel.
class Why : public StorySink {
 public:
  static constexpr size_t kMaxGone = 100;
  static constexpr size_t kMaxLinks = 6;  // of one kind, in a chain

  enum class Question : uint8_t { kPresent, kAbsent };

  Why(Question question, std::string client_id) : question_(question), client_(client_id) {}

  void WriteBlock(const StoryBlock& block) override;
  void WriteEnd(const StoryState& state) override;

  // After the story's end. Control characters are escaped.
  std::vector<std::string> Paragraphs() const;

 private:
  // A line in a chain.
  struct Link {
    uint64_t line = 0;
    std::string text;  // "line 7: LEAVE of ... (RTP2h)"
  };
  using Links = std::deque<Link>;

  // One connection of the client.
  struct Life {
    std::string connection_id;
    bool present = false;
    bool ours = false;  // when it was seen last, its connection was the client's own
    std::optional<Link> joined;
    std::optional<Link> stored;                         // if it is another one than that
    std::string id;                                     // of what is stored
    int64_t t = 0;                                      // when it was stored
    std::optional<std::pair<int64_t, int64_t>> serial;  // of what is stored, if it has one
    std::optional<Link> spared;                         // the last completed sync, which named it
    uint64_t seen = 0;                                  // the last line that named it
    Links stale_leaves;                                 // since it joined
    std::optional<Link> lost;  // the client's connection, between what is stored and its going
    std::optional<Link> sync;  // that swept it: its beginning
    std::optional<Link> gone;
    StoryKind gone_by = StoryKind::kItemAccepted;
    LeaveReason reason = LeaveReason::kNone;
    Links since;  // what came since it has gone, to no effect
    Links odd;
    size_t lives = 0;  // how often it joined
  };
  struct Room {
    std::string name;
    bool is_named = false;
    std::list<Life> lives;  // of the client, in the order in which they were seen first
    size_t present = 0;
    Links own;                  // what the client did about this user
    std::optional<Link> state;  // the last change of state
    std::optional<ChannelState> state_is;
    std::optional<Link> given_up;  // the last change to one that forgets all members
    std::optional<Link> attached;
    std::optional<Link> cleared;         // the set, last
    std::optional<Link> sync;            // the running one
    std::optional<Link> completed;       // the last one that was
    std::optional<Link> no_mode;         // PRESENCE_SUBSCRIBE is lacking
    std::optional<uint64_t> first_item;  // the line of the first item of anybody
    std::optional<uint64_t> first_set;   // of the first ATTACHED or sync
    size_t ignored = 0;                  // items in a state that takes none
    std::optional<Link> ended;           // what it is in the end, in words
    bool syncing_at_end = false;
    uint64_t end_line = 0;
    int64_t end_t = 0;
    bool at_end = true;
    std::string state_name;
  };

  Room& RoomOf(const std::optional<std::string_view>& name);
  Life& LifeOf(Room& room, std::string_view connection_id);
  void Note(Room& room, const StoryItem& item);
  void NoteMember(Room& room, const StoryItem& item);
  void NoteConnection(const StoryItem& head);
  void Go(Room& room, Life& life, const StoryItem& item);
  static Link LinkOf(const StoryItem& item);
  static void Keep(Links& links, Link link);

  std::string PresentParagraph(const Room& room) const;
  std::string AbsentParagraph(const Room& room) const;
  std::string UnknownParagraph() const;
  std::string Where(const Room& room) const;
  void AppendOwn(const Room& room, std::string& text) const;
  void AppendOdd(const Room& room, const Links& odd, std::string& text) const;
  void AppendElsewhere(const Room& room, std::string& text) const;

  const Question question_;
  const std::string client_;
  NearNames near_{client_};
  std::vector<std::unique_ptr<Room>> rooms_;  // in order of first appearance
  std::map<std::string, Room*, std::less<>> by_name_;
  Room* last_room_ = nullptr;
  std::string identity_;       // of the client's own connection
  std::string connection_id_;  // its own
  std::optional<Link> connection_lost_;
  std::optional<Link> connection_new_;  // another id than before
  std::map<std::string, Link, std::less<>>
      earlier_;  // own connections of before, and what ended them
  std::deque<std::string> earlier_order_;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_WHY_H_
