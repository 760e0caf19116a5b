--- Whether this process runs in a guest, under another kernel than the machine's own, and by which clock.
local guest = {}

--- The variable by which a guest's lunet knows: "user-mode Linux real 1000", the engine, the clock and the user.
guest.VARIABLE = "LUNET_GUEST"

--- Nil on a machine's own kernel.
---@return {engine: string, clock: "real"|"virtual", uid: integer}?
function guest.here()
  local engine, clock, uid = (os.getenv(guest.VARIABLE) or ""):match "^(.*) (%l+) (%d+)$"
  return engine and { engine = engine, clock = clock, uid = math.tointeger(tonumber(uid)) }
end

--- Whether the clock is virtual: waiting takes no time of anybody's.
---@return boolean
function guest.is_virtual()
  local here = guest.here()
  return here ~= nil and here.clock == "virtual"
end

return guest
