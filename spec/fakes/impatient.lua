--- A client of lunet's own, for lunet.peer.client and client_patience. By its options it gives up at once, and ends or
--- runs on.
local SCRIPT = [[
local address, port, place, option = "ADDRESS", PORT, "PLACE", "OPTION"
local lunet = require "lunet"
io.stdout:setvbuf "no"
local connection, why = lunet.connect({ address = address, port = port }, 60)
print(connection and "connected" or why)
if not connection then os.exit(1) end
if option == "end 7" then
  print "no answer"
  os.exit(7)
end
if option == "run on" then print "gave up" end
connection:receive()
]]

return {
  packages = { "lunet" },
  program = os.getenv "LUNET",
  version = { "-e", "print(_VERSION)" },
  files = { ["client.lua"] = SCRIPT },
  arguments = { "client.lua", "OPTION" },
  gave_up = "gave up",
  waits = {
    default = {},
    answer = { option = "end 7", connect = 0, answer = 0, status = 7, words = "no answer" },
    connect = { option = "run on", connect = 0, answer = 0, ghosts = 0, status = "runs on", words = "gave up" },
  },
}
