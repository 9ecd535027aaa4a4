#ifndef SIM_EXPLAIN_NEAR_NAMES_H_
#define SIM_EXPLAIN_NEAR_NAMES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace presence::sim {

// Of the names that are seen, those that somebody may have meant who asked for another one: kMost
// at most, the nearest first. Letters in the other case count less than wrong ones.
class NearNames {
 public:
  static constexpr size_t kMost = 3;

  explicit NearNames(std::string_view asked) : asked_(asked) {}

  void See(std::string_view name);
  std::vector<std::string> Nearest() const;

 private:
  struct Seen {
    std::string name;
    size_t difference = 0;
  };
  const std::string asked_;
  std::string last_;  // the one seen last: names come in runs
  std::vector<Seen> nearest_;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_NEAR_NAMES_H_
