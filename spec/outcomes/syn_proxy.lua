return {
  shown = {
    lateness = "it says how late the machine was, and only keeps a late run from being judged",
    ["rows[].seconds"] = {
      why = "what needs no timer may take 0.5 s; a second's wait, and data that come again, some more",
      when = function(row) return row.seconds < 0.5 end,
    },
    ["rows[].bad_ts"] = { why = "how often the client repeated its data before the server took them",
      when = function(row) return row.speaks == "later" end },
    ["rows[].syns"] = { why = "how often the client probed its window before the server had room",
      when = function(row) return row.mtu == 1400 end },
  },
}
