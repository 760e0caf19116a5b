return {
  shown = {
    ["rows[].backlog"] = "each server has a backlog of its own, which the claim is not about",
    ["servers[].log"] = "what is logged is told beside the claim; spec/field.lua has it by version",
  },
}
