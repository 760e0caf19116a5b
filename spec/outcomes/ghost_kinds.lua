local LATE <const> = 0.02 -- s; from then on the check allows three times the age

return {
  shown = {
    lateness = "it says how late the machine was, and only widens the bounds of times by that",
    ["queued[].age"] = {
      why = "the bytes grow older while the killed program dies, for as long as that takes, and on a late machine",
      when = function(row, outcome) return row.departure == "killed" or outcome.lateness > LATE end,
    },
  },
  -- the kernel's segments and the receive buffer decide how many of the 40,000 bytes arrive
  sizes = { ["queued[].waiting"] = true, ["queued[].unread"] = true, ["queued[].age"] = true },
}
