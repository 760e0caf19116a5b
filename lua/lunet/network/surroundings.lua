--- The surroundings of new hosts: the sysctls that each one gets, its observer, and a handler for refused hosts. A run
--- enters surroundings of its own, and leaves them when it ends.
local surroundings = {}

---@class lunet.surroundings
---@field sysctls? table<string, string|number> the settings of every new host, besides its own
---@field observer? lunet.observer
---@field on_refused? fun(): boolean after a refused host: whether another try may succeed

---@class lunet.observer
---@field host_made fun(self: lunet.observer, host: lunet.host) called before anything happens on the host
---@field addresses_given fun(self: lunet.observer, host: lunet.host, addresses: string[])
---@field rule_opened fun(self: lunet.observer, options: lunet.drop_options|false) false: one that loses nothing
---@field wires_made fun(self: lunet.observer, network: lunet.network) a link or a LAN with wires is up

---@type lunet.surroundings
local current = { sysctls = {} }

--- The present surroundings.
---@return lunet.surroundings
function surroundings.current() return current end

--- Enters surroundings; missing fields keep their outer values. Ends with its to-be-closed value.
---@param given lunet.surroundings
function surroundings.enter(given)
  local outer = current
  current = setmetatable(given, { __index = outer })
  return setmetatable({}, { __close = function() current = outer end })
end

return surroundings
