--- The queues of a run's listeners, programs' listeners among them: their depths over time.
local depths = {}

---@class lunet.depths: table the queue events of one listener, in order
---@field host integer
---@field label? string
---@field port? integer none of a Unix socket
---@field address? string
---@field deepest integer
---@field highest integer the highest limit
---@field finish? number the time of its close; nil if it outlives the run
---@field is_foreign? boolean whether a program owns it

--- Finds them.
---@param events table[] from lunet.recording
---@return lunet.depths[] in the order of their first events
function depths.of(events)
  local list, by_socket, found = {}, {}, {}
  for _, e in ipairs(events) do
    local queue = e.socket and by_socket[e.socket]
    if e.kind == "found" then
      found[e.socket] = true
    elseif e.kind == "queue" then
      if not queue then
        queue = { host = e.host or 0, label = e.label, port = e.local_port, address = e.local_address, deepest = 0,
          highest = 0, is_foreign = found[e.socket] }
        by_socket[e.socket] = queue
        list[#list + 1] = queue
      end
      queue[#queue + 1] = e
      queue.deepest, queue.highest = math.max(queue.deepest, e.depth), math.max(queue.highest, e.limit)
    elseif queue and (e.kind == "close" or e.kind == "gone") then
      queue.finish = e.at
    end
  end
  return list
end

return depths
