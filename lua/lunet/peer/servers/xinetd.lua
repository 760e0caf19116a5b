--- xinetd, which starts a program for each client.
local CONFIGURATION = [[
defaults
{
  log_type = FILE PLACE/log
  log_on_failure = HOST
  log_on_success = PID
}
service leave
{
  type = UNLISTED
  socket_type = stream
  protocol = tcp
  wait = no
  user = nobody
  port = PORT
  LIMIT
  server = /bin/sh
  server_args = PLACE/leave.sh
}
]]

local SCRIPT = [[
read word
echo "$word" >>PLACE/asked
echo "done"
]]

return {
  packages = { "xinetd" },
  program = "xinetd",
  version = { "-version" },
  limit = function(n) return "instances = " .. n end,
  arguments = function(running)
    running:write("leave.sh", SCRIPT)
    local path = running:write("xinetd.conf", CONFIGURATION)
    return { "-dontfork", "-stayalive", "-f", path, "-pidfile", running.place.path .. "/pid" }
  end,
  workers = "read",
  holds = "",
  request = function(word) return word .. "\n" end,
  answer = "^done\n",
  evidence = function(running) return running:file "asked" end,
  logged = { "FAIL: leave (%S+)" },
}
