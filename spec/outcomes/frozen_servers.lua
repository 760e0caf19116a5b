return {
  shown = {
    ["rows[].carried_out"] = {
      why = "lighttpd kills the program of a client that was reset, and which of the two is first is chance",
      when = function(row) return row.server == "lighttpd" and row.departure == "reset" end,
    },
    ["rows[].log"] = "what is logged is told beside the claim; the spec of frozen_servers has it for some servers",
  },
}
