return {
  shown = {
    ["rows[].log"] = "what is logged is told beside the claim; the spec of frozen_servers has it for some servers",
  },
}
