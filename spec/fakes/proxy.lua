--- A proxy of lunet's own that answers as soon as it is connected to the server.
local SCRIPT = [[
local lunet = require "lunet"
local listener = assert(lunet.listen { address = "127.0.0.1", port = 7400, backlog = 1 })
listener:serve(function(client)
  assert(client:receive "l")
  local connection = assert(lunet.connect({ address = "ADDRESS", port = PORT }, 60))
  client:send "HTTP/1.1 504 too late\r\n\r\n"
  connection:close()
end)
]]

return require("lunet.peer.proxy").client {
  packages = { "lunet" },
  program = os.getenv "LUNET",
  version = { "-e", "print(_VERSION)" },
  files = { ["proxy.lua"] = SCRIPT },
  arguments = { "proxy.lua" },
  waits = { default = { connect = 0, answer = 0, words = "504" } },
}
