--- Every call that can wait, waiting.
local api = require "spec.api"
local lunet = require "lunet"
local room = require "spec.support.room"

local waits = {}

--- Calls a function for each public function that waits.
---@param visit fun(name: string, entry: table) name: "connection.send"; entry: see spec/api.lua
function waits.each(visit)
  for class, functions in pairs(api) do
    for name, entry in pairs(functions) do
      if entry.wait then visit(class .. "." .. name, entry) end
    end
  end
end

--- Begins a wait in a task.
---@param entry table of the API
---@param place table an open room
---@return lunet.task
function waits.start(entry, place, ...)
  local task = lunet.spawn(entry.wait, place, ...)
  lunet.sleep(0)
  return task
end

--- Begins every wait there is, each in a task and a room of its own.
---@return integer how many
function waits.start_all()
  local count = 0
  waits.each(function(_, entry)
    waits.start(entry, room.open(entry.besides))
    count = count + 1
  end)
  return count
end

return waits
