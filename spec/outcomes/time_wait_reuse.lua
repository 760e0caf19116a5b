return {
  shown = {
    lateness = "it says how late the machine was, and only widens the bounds of times by that",
    ["rows[].seconds"] = {
      why = "the kernel lets the client have the port after the delay, and the next try comes a little later",
      when = function(row) return row.seconds >= row.delay end,
    },
  },
}
