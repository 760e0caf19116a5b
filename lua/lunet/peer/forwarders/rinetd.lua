--- rinetd, which redirects ports.
local CONFIGURATION = [[
0.0.0.0 PORT SERVER BEHIND
logfile PLACE/log
pidlogfile PLACE/pid
]]

return {
  packages = { "rinetd" },
  program = "rinetd",
  version = { "--version" },
  command = function(running) return { "rinetd", "-f", "-c", running:write("rinetd.conf", CONFIGURATION) } end,
  listens = true,
  delivers = { close = true, reset = true },
  logged = { "\t(opened)\n", "\t(done%-[%l-]+)\n" },
}
