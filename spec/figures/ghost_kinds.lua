return {
  sizes = { ["accepted[].lost"] = true, ["accepted[].read"] = true, ["queued[].unread"] = true,
    ["queued[].waiting"] = true },
  bounds = {
    ["queued[].age"] = { part = 2, why = "the time between two looks of the script, whenever it comes to look" },
  },
}
