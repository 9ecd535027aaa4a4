#ifndef TESTS_CLIENT_CHANNEL_CELLS_H_
#define TESTS_CLIENT_CHANNEL_CELLS_H_

// What an input does in each state of a channel, as a table.

#include <functional>
#include <vector>

#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {

using Input = std::function<Lines(ChannelHarness&)>;

// What an input does in one state; alice@c1 is present unless the state has nobody.
struct Cell {
  ChannelState from;
  Lines effects;
  ChannelState to;
};

// Tries `input` in each state, on a channel of its own. The cells are in the order of kAllStates;
// `before` happens to the channel while it is new.
void ExpectCells(const std::vector<Cell>& cells, const Input& input, const Input& before = {});

}  // namespace presence

#endif  // TESTS_CLIENT_CHANNEL_CELLS_H_
