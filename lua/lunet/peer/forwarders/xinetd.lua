--- xinetd's redirect, which has a process for each client.
local CONFIGURATION = [[
service lunet
{
  type = UNLISTED
  socket_type = stream
  protocol = tcp
  wait = no
  user = USER
  port = PORT
  redirect = SERVER BEHIND
  log_type = FILE PLACE/log
  log_on_success = HOST EXIT
  log_on_failure = HOST
}
]]

return {
  packages = { "xinetd" },
  program = "xinetd",
  version = { "-version" },
  command = function(running)
    return { "xinetd", "-dontfork", "-filelog", running.place.path .. "/log", "-pidfile", running.place.path .. "/pid",
      "-f", running:write("xinetd.conf", CONFIGURATION) }
  end,
  listens = true,
  delivers = { close = true, reset = true },
  logged = { "can't connect to remote host %S+: ([%a ]+) %(" },
}
