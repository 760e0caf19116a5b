local sizes = { taken = true, received = true, waiting_at_server = true, waiting_at_client = true }
for _, field in ipairs { "taken", "at_server", "at_client" } do sizes["absorbed[]." .. field] = true end

-- The second row has writes of 64 bytes.
local WHY <const> = "to fill a buffer by 64 bytes takes as long as acknowledgements do; how fast the client is decides "
  .. "how much of it they free after its last write"

return {
  sizes = sizes,
  bounds = { ["absorbed.2.taken"] = { part = 0.15, why = WHY }, ["absorbed.2.at_client"] = { part = 0.2, why = WHY },
    ["absorbed.2.at_server"] = { part = 0.05, why = WHY } },
}
