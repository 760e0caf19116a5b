--- Descriptions of servers that behave as no real one does, for lunet.peer.server and experiments that compare servers.
--- A liar tells a client that is one too many that it is full, and carries out its request all the same. A forgetful
--- one leaves it waiting, and carries out nothing.
local SCRIPT = [[
local lunet = require "lunet"
local listener = assert(lunet.listen { address = "0.0.0.0", port = PORT, backlog = 7 })
local count, lies = 0, LIES
listener:serve(function(client)
  count = count + 1
  local number = count
  if number == 2 and lies then client:send "full\n" end
  for line in client:lines() do
    if number ~= 2 or lies then assert(io.open("PLACE/asked", "a")):write(line, "\n"):close() end
    client:send(line == "hold" and "held\n" or number ~= 2 and "done\n" or "")
  end
end)
]]

---@param is_liar boolean
---@return lunet.server
return function(is_liar)
  return {
    packages = { "lunet" },
    program = os.getenv "LUNET",
    version = { "-e", "print(_VERSION)" },
    limit = function(n) return "at most " .. n end,
    arguments = function(running) return { running:write("fake.lua", (SCRIPT:gsub("LIES", tostring(is_liar)))) } end,
    holds = "hold\n",
    held = "^held",
    request = function(word) return word .. "\n" end,
    answer = "^done",
    refusal = "full",
    evidence = function(running) return running:file "asked" end,
    logged = {},
  }
end
