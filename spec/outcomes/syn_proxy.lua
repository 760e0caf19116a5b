return {
  shown = {
    lateness = "it says how late the machine was, and only keeps a late run from being judged",
    ["rows[].seconds"] = {
      why = "what needs no timer may take 0.5 s; a second's wait may take 1.5 s",
      when = function(row) return row.seconds < 0.5 end,
    },
    ["rows[].syns"] = { why = "how often the client probed its window before the server had room",
      when = function(row) return row.mtu == 1400 end },
  },
}
