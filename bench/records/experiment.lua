-- An experiment without any traffic, whose record is as long as those of most others. Its runs are made up by
-- bench/records/make.lua; lunet sweep can add to them.
local experiment = require "lunet.experiment"
local random = require "lunet.load.random"

return experiment {
  claim = "A longer queue keeps more clients waiting.",
  knobs = {
    backlog = { 100, "connections", "how many the kernel may queue", min = 0 },
    patience = { 0.2, "s", "how long a client waits", min = 0 },
    seed = { 1, "", "of the clients' times", min = 0 },
  },
  measures = {
    goodput = { "/s", "requests answered in time", better = "more" },
    waited = { "s", "how long the last client waited", better = "less" },
  },
  run = function(knobs)
    local stream = random.new(knobs.seed, "clients")
    return {
      goodput = 100 * stream:uniform(), waited = knobs.patience * stream:uniform(), state = "ESTABLISHED",
      queue = { depth = knobs.backlog + 1, limit = knobs.backlog, dropped = 0 }, served = { "login A", "login B" },
      accepted = 1, ghosts = 0, first_reply = "sent", second_reply = "EPIPE", is_full = true,
    }
  end,
  check = function(outcome) assert(outcome.is_full, "the queue was not full") end,
}
