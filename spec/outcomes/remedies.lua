local HELD <const> = "the number of connections of a server that accepts early is judged by its bound"
local HALF <const> = "half-closing clients are judged in the scenario, where all else is the same"

return {
  shown = {
    ["with.half_closing"] = HALF, ["without.half_closing"] = HALF, ["with.held"] = HELD,
    ["with.stale_work"] = "stale work that a remedy has ended is judged by its bound, a fifth of what was served",
    late_ms = "tells how much the machine disturbed the run, which is not judged if it is too much",
  },
}
