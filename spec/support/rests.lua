--- How often the thread has gone to sleep (proc(5)): a wait that asks again and again does so each time.
---@return integer
return function()
  local file <close> = assert(io.open "/proc/self/status")
  return math.tointeger(file:read("a"):match "\nvoluntary_ctxt_switches:%s*(%d+)")
end
