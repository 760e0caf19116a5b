return {
  shown = { lateness = "it says how late the machine was, and only widens the bounds of times by that" },
  -- the kernel's segments and the receive buffer decide how many of the 40,000 bytes arrive
  sizes = { ["queued[].waiting"] = true, ["queued[].unread"] = true, ["queued[].age"] = true },
}
