local function is_hashed(row) return row.handed == "by hash" end
local function is_stop(row) return row.order == "stop" end

return {
  shown = {
    ["rows[].says"] = "what a server says of itself is told beside the claim, which is about its clients",
    ["rows[].log"] = { why = "what is logged of clients that left is told beside the claim, server by server",
      when = function(row) return row.hang > 0 end },
    ["rows[].hang_again"] = { why = "the kernel's hash of new ports deals the clients out, each time anew",
      when = is_hashed },
    ["orders[].queued"] = "a thread or process that accepts for busy workers leaves none of them in the kernel's queue",
    ["orders[].newcomer"] = { why = "a server that stops may refuse newcomers, or reset or serve them; none is claimed",
      when = is_stop },
  },
}
