return {
  shown = {
    ["kernel[].queued"] = {
      why = "of a queue that is emptied before the listener goes only matters that it was not empty",
      when = function(record) return record.order:find "accept" ~= nil end,
    },
    ["kernel[].rsts"] = {
      why = "a lost client is answered by one RST or more, by how much of what it sent was under way",
      when = function(record) return record.rsts > 0 end,
    },
  },
}
