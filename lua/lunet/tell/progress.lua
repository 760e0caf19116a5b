--- The progress of a directory's runs, on standard error: one line that changes on a terminal, a few lines elsewhere.
local text = require "lunet.text.width"

local progress = {}
progress.__index = progress

local LINES <const> = 10 -- at most, without a terminal

--- Starts to show progress, until `progress:close()` or the end of a <close> variable.
---@param total integer the number of runs
---@param is_terminal boolean whether standard error is one
function progress.start(total, is_terminal)
  return setmetatable({ total = total, is_terminal = is_terminal, done = 0, running = {} }, progress)
end

local function clear(self)
  if self.is_terminal then io.stderr:write "\r\27[K" end
end

-- Shows as many names of running experiments as fit.
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

--- Prints other words, which stay on the terminal.
function progress:say(words)
  clear(self)
  io.stderr:write(text.lines_shown(words))
end

function progress:close() clear(self) end

progress.__close = progress.close

return progress
