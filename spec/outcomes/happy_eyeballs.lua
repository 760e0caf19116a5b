return {
  shown = {
    lateness = "it says how late the machine was, and only keeps a late run from being judged",
    ["rows[].seconds"] = {
      why = "a client that need not wait for long may take half a second",
      when = function(row) return row.seconds < 0.5 end,
    },
  },
}
