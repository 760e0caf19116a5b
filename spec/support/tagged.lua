--- Processes that a spec has started, found by a variable in their environment: whatever a program
--- starts inherits it, and lunet-guard has it too.
local lunet = require "lunet"

local BOUND = require "spec.support.bound"

local tagged = {}

local tags = 0

--- A value of NONCE that no other process has.
---@return string nonce
function tagged.new()
  tags = tags + 1
  return ("lunet-%d-%.0f"):format(tags, lunet.now() * 1e9)
end

local function read_file(path)
  local file = io.open(path, "rb")
  local text = file and file:read "a"
  if file then file:close() end
  return text or ""
end

--- The processes with this nonce, by their numbers: their names. Ended ones that nobody has waited for
--- have no environment any more, and one that is in execve(2) has none for a moment.
---@param nonce string
---@return table<integer, string>
function tagged.all(nonce)
  local found = {}
  local pipe = assert(io.popen("grep -lsF NONCE=" .. nonce .. " /proc/[0-9]*/environ"))
  for path in pipe:lines() do
    local number = math.tointeger(tonumber(path:match "%d+"))
    found[number] = read_file("/proc/" .. number .. "/comm")
  end
  pipe:close()
  return found
end

--- Waits until so many of them are programs, not lunet's own.
---@param nonce string
---@param count integer
---@return integer[] numbers
function tagged.wait_for_programs(nonce, count)
  return assert(lunet.eventually(function()
    local found = {}
    for number, name in pairs(tagged.all(nonce)) do
      if not name:match "^lunet" then found[#found + 1] = number end
    end
    return #found == count and found
  end, BOUND))
end

--- Waits until there is none, not even a guard.
---@param nonce string
function tagged.wait_until_gone(nonce)
  assert(lunet.eventually(function() return next(tagged.all(nonce)) == nil end, BOUND))
end

--- The fields of /proc/PID/stat from the third on (proc(5)): state, ppid, pgrp, session, tty_nr.
---@param number integer of any process
---@return (string|integer)[]
function tagged.stat(number)
  local fields = {}
  for field in (read_file("/proc/" .. number .. "/stat"):match "%) (.*)" or ""):gmatch "%S+" do
    fields[#fields + 1] = tonumber(field) or field
  end
  return fields
end

--- Waits until each is in this state.
---@param numbers integer[]
---@param state string "T"
function tagged.wait_for_states(numbers, state)
  for _, number in ipairs(numbers) do
    assert(lunet.eventually(function() return tagged.stat(number)[1] == state end, BOUND))
  end
end

return tagged
