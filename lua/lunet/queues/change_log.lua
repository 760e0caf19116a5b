--- A file that keeps what changed in the queues: JSON Lines, one for each queue that is new, has changed or is gone. It
--- is bounded: at a size it becomes FILE.1, in the place of the former FILE.1, and a new one begins.
local json = require "lunet.text.json"
local report = require "lunet.queues.report"

---@class lunet.queue_change_log
---@field file file*|nil nil: it is lost
---@field known table<integer, table> the entries of the last look, by inode
local change_log = {}
change_log.__index = change_log

-- A change of these is worth a line.
local TOLD <const> = { "depth", "limit", "drops", "left_by_fin", "left_by_reset", "half_open", "pid" }
local FIRST <const> = { "time", "what", "listener", "address", "port", "pid", "program", "depth", "limit" }

--- Opens the file, which it continues.
---@param path string
---@param most integer bytes
---@return lunet.queue_change_log|nil log the caller closes it
---@return string? why not
function change_log.open(path, most)
  local file, why = io.open(path, "a")
  if not file then return nil, why end
  return setmetatable({ path = path, most = most, file = file, known = {} }, change_log)
end

local function has_changed(one, other)
  for _, name in ipairs(TOLD) do
    if one[name] ~= other[name] then return true end
  end
  return false
end

local function begin_anew(self)
  self.file:close()
  self.file = nil
  local ok, why = os.rename(self.path, self.path .. ".1")
  if ok then self.file, why = io.open(self.path, "a") end
  return self.file ~= nil or nil, why
end

local function write(self, line)
  if self.file and self.file:seek "end" + #line > self.most then
    local ok, why = begin_anew(self)
    if not ok then return nil, why end
  end
  if not self.file then return nil, self.path .. ": the file is lost" end
  local ok, why = self.file:write(line)
  return ok and true or nil, why
end

local function lines_of(self, look)
  local lines, known = {}, {}
  local function add(what, entry)
    local change = { time = look.time, what = what, listener = report.plain_queue(entry) }
    lines[#lines + 1] = json.line(change, FIRST) .. "\n"
  end
  for _, entry in ipairs(look.listeners) do
    local former = self.known[entry.inode]
    if not former then add("new", entry) elseif has_changed(former, entry) then add("changed", entry) end
    known[entry.inode] = entry
  end
  for inode, entry in pairs(self.known) do
    if not known[inode] then add("gone", entry) end
  end
  self.known = known
  return lines
end

--- Writes what has changed since the look before.
---@param look lunet.queue_look
---@return true|nil ok
---@return string? why not
function change_log:add(look)
  local failure
  for _, line in ipairs(lines_of(self, look)) do
    local ok, why = write(self, line)
    if not ok then failure = why end
  end
  if self.file then
    local ok, why = self.file:flush()
    if not ok then failure = why end
  end
  return not failure or nil, failure
end

function change_log:close()
  if self.file then self.file:close() end
  self.file = nil
end

change_log.__close = change_log.close

return change_log
