--- The description of a forwarder that lunet itself plays, for lunet.peer.forwarder. It logs each client that it could
--- not take to the server.
local SCRIPT = [[
local lunet = require "lunet"
local listener = assert(lunet.listen { address = "0.0.0.0", port = PORT, backlog = 7 })
listener:serve(function(client)
  local server <close>, _, code = lunet.connect({ address = "SERVER", port = BEHIND }, 5)
  if not server then return print("failed: " .. code) end
  for line in client:lines() do server:send(line .. "\n") end
end)
]]

return {
  packages = { "lunet" },
  program = os.getenv "LUNET",
  version = { "-e", "print(_VERSION)" },
  command = function(running) return { os.getenv "LUNET", running:write("relay.lua", SCRIPT) } end,
  listens = true,
  delivers = { close = true, reset = true },
  logged = { "failed: (%u+)" },
}
