--- How far the runs of a directory are, on standard error: one line that changes on a terminal, a few lines elsewhere.
local text = require "lunet.text.width"

local progress = {}
progress.__index = progress

local LINES = 10 -- at most so many, where there is no terminal

--- To be closed at the end, by `progress:close()` or a <close> variable.
---@param total integer how many there are
---@param is_terminal boolean whether standard error is one
function progress.start(total, is_terminal)
  return setmetatable({ total = total, is_terminal = is_terminal, done = 0, running = {} }, progress)
end

local function clear(self)
  if self.is_terminal then io.stderr:write "\r\27[K" end
end

-- The names that run, as far as there is room for them.
local function show(self)
  local line = ("%d of %d"):format(self.done, self.total)
  local separator = ": "
  for i, name in ipairs(self.running) do
    local longer = line .. separator .. name
    local is_last = i == #self.running
    if text.width(longer) + (is_last and 0 or #" ...") >= text.WIDTH then
      line = line .. " ..."
      break
    end
    line, separator = longer, ", "
  end
  clear(self)
  io.stderr:write(text.shown(line))
end

function progress:began(name)
  table.insert(self.running, name)
  if self.is_terminal then show(self) end
end

function progress:ended(name)
  for i, running in ipairs(self.running) do
    if running == name then
      table.remove(self.running, i)
      break
    end
  end
  self.done = self.done + 1
  local tenths = self.done * LINES // self.total
  if self.is_terminal then
    show(self)
  elseif tenths > (self.done - 1) * LINES // self.total then
    io.stderr:write(("lunet: %d of %d experiments\n"):format(self.done, self.total))
  end
end

--- Says something else, which stays.
function progress:say(words)
  clear(self)
  io.stderr:write(text.lines_shown(words))
end

function progress:close() clear(self) end

progress.__close = progress.close

return progress
