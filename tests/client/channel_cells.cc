#include "tests/client/channel_cells.h"

#include <iterator>

#include "gtest/gtest.h"

namespace presence {

void ExpectCells(const std::vector<Cell>& cells, const Input& input, const Input& before) {
  ASSERT_EQ(cells.size(), std::size(kAllStates));
  for (size_t i = 0; i < cells.size(); ++i) {
    SCOPED_TRACE(StateName(cells[i].from));
    EXPECT_EQ(cells[i].from, kAllStates[i]) << "every state once";
    ChannelHarness harness;
    if (before) before(harness);
    harness.BringTo(cells[i].from);
    EXPECT_EQ(input(harness), cells[i].effects);
    EXPECT_EQ(harness.channel.state(), cells[i].to);
  }
}

}  // namespace presence
