--- The files of `lunet queues`: `--log` and `--prometheus`. A file that fails is complained of once, and tried again at
--- each look: what is watched goes on, and so does the watch.
local change_log = require "lunet.queues.change_log"
local core = require "lunet.core"
local prometheus = require "lunet.queues.prometheus"

---@class lunet.queue_outputs
---@field has_failed? boolean
local outputs = {}
outputs.__index = outputs

local MEBIBYTE <const> = 2 ^ 20

-- A pipe would wait for its reader.
local function check_regular(option, path)
  local former, why = core.can_replace_file(path)
  if former == "stream" then return nil, ("%s: %s is no regular file"):format(option, path) end
  return former, why and ("%s: %s"):format(option, why)
end

--- Finds out whether the files can be written.
---@param options {log: string?, log_size: number, prometheus: string?}
---@param complain fun(words: string)
---@return lunet.queue_outputs|nil outputs the caller closes them
---@return string? why not
function outputs.open(options, complain)
  local self = setmetatable({ prometheus = options.prometheus, complain = complain, complained = {} }, outputs)
  for _, name in ipairs { "log", "prometheus" } do
    local ok, why = true, nil
    if options[name] then ok, why = check_regular("--" .. name, options[name]) end
    if not ok then return nil, why end
  end
  if options.log then
    local why
    self.log, why = change_log.open(options.log, math.floor(options.log_size * MEBIBYTE))
    if not self.log then return nil, "--log: " .. why end
  end
  return self
end

local function note(self, option, ok, why)
  self.has_failed = self.has_failed or not ok
  if ok or self.complained[option] then return end
  self.complained[option] = true
  self.complain(("queues: %s: %s"):format(option, why))
end

--- Writes a look.
---@param look lunet.queue_look
function outputs:write(look)
  if self.log then note(self, "--log", self.log:add(look)) end
  if self.prometheus then
    note(self, "--prometheus", core.replace_file(self.prometheus, prometheus.encode(look)))
  end
end

function outputs:close()
  if self.log then self.log:close() end
end

outputs.__close = outputs.close

return outputs
