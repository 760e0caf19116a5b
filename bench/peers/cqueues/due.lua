-- due.lua COUNT: so many coroutines sleep, and are due within one second; how late each wakes, and how many wake
-- early.
local cqueues = require "cqueues"
local round = require "round"

local count = round.argument(1)
local queue = cqueues.new()
local late = round.zeros(count)
local base = cqueues.monotime() + round.LEAD
for i = 1, count do
  queue:wrap(function()
    local due = round.due(base, i, count)
    cqueues.sleep(due - cqueues.monotime())
    late[i] = cqueues.monotime() - due
  end)
end
assert(queue:loop())
round.print_late(late)
