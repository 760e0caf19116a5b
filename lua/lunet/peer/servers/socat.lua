--- socat, which starts a program for each client.
local SCRIPT = [[
read word
echo "$word" >>PLACE/asked
echo "done"
]]

return {
  packages = { "socat" },
  program = "socat",
  version = { "-V" },
  limit = function(n) return "max-children=" .. n end,
  arguments = function(running)
    running:write("leave.sh", SCRIPT)
    local listen = ("TCP-LISTEN:%d,fork,max-children=%d"):format(running.port, running.clients)
    return { "-d", "-d", listen, ("EXEC:/bin/sh %s/leave.sh"):format(running.place.path) }
  end,
  workers = "read",
  holds = "",
  request = function(word) return word .. "\n" end,
  answer = "^done\n",
  evidence = function(running) return running:file "asked" end,
  logged = { "(maxchildren) are active" },
}
