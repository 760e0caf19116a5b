return {
  shown = {
    lateness = "it says how late the machine was, and only widens the bounds of times by that",
    ["rows[].rto"] = { why = "it only widens the bounds of times, too", when = function() return true end },
    ["rows[].seconds"] = {
      why = "what comes at once may take 0.5 s; a RST comes with the next probe or retransmission, within a second; a "
        .. "late machine's first timeout is more than three times the least one, which is 0.2 s",
      when = function(row)
        return row.seconds < 0.5 or row.code == "ECONNRESET" or row.rto and row.seconds / 3 > 1.4 - 0.03
      end,
    },
  },
}
