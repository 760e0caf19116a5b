return {
  shown = {
    ["rows[].carried_out"] = {
      why = "two servers may hear of an RST before they have carried out what the client asked for: chance decides",
      when = function(row) return (row.server == "lighttpd" or row.server == "nats") and row.departure == "reset" end,
    },
    ["rows[].log"] = "what is logged is told beside the claim; the spec of frozen_servers has it for some servers",
  },
}
