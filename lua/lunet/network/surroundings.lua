--- What holds where hosts are made: the sysctls that each new host gets, who observes, and what to do when a host is
--- refused. A run enters surroundings of its own, and leaves them when it ends.
local surroundings = {}

---@class lunet.surroundings
---@field sysctls? table<string, string|number> what every new host is set to, besides its own
---@field observer? lunet.observer
---@field on_refused? fun(): boolean called when a host is refused: whether another try may succeed

---@class lunet.observer
---@field host_made fun(self: lunet.observer, host: lunet.host) called before anything happens on the host
---@field addresses_given fun(self: lunet.observer, host: lunet.host, addresses: string[])
---@field rule_opened fun(self: lunet.observer, options: lunet.drop_options)

---@type lunet.surroundings
local current = { sysctls = {} }

--- Those that hold now.
---@return lunet.surroundings
function surroundings.current() return current end

--- Enters surroundings; those around them hold on for the fields that are not given. Ends with its to-be-closed value.
---@param given lunet.surroundings
function surroundings.enter(given)
  local outer = current
  current = setmetatable(given, { __index = outer })
  return setmetatable({}, { __close = function() current = outer end })
end

return surroundings
