local sizes = { taken = true, received = true, waiting_at_server = true, waiting_at_client = true }
for _, field in ipairs { "taken", "at_server", "at_client" } do sizes["absorbed[]." .. field] = true end

local bounds = {}
local function bound(row, part, why)
  for _, field in ipairs { "taken", "at_server", "at_client" } do
    bounds[("absorbed.%d.%s"):format(row, field)] = { part = part, why = why }
  end
end
bound(2, 0.2, "writes of 64 bytes fill a buffer as slowly as acknowledgements empty it, so that the speed of the "
  .. "client decides: to record a write takes 0.4 us, and an unrecorded client that is 1 us slower differs as much")
bound(9, 0.25, "lunet's own process keeps a delay of 1 ms, and how punctual it is decides which segments merge")

return { sizes = sizes, bounds = bounds }
