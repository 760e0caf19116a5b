return {
  shown = {
    lateness = "it says how late the machine was, and only widens the bounds of times by that",
    ["queued[].age"] = {
      why = "the bytes grow older while the killed program dies, for as long as that takes",
      when = function(row) return row.departure == "killed" end,
    },
  },
  -- the kernel's segments and the receive buffer decide how many of the 40,000 bytes arrive
  sizes = { ["queued[].waiting"] = true, ["queued[].unread"] = true, ["queued[].age"] = true },
}
