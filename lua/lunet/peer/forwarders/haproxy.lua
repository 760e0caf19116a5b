--- HAProxy in TCP mode, with the timeouts of Debian's configuration and one thread.
local CONFIGURATION = [[
global
  nbthread 1
  log stdout format raw local0
defaults
  mode tcp
  log global
  option tcplog
  timeout connect 5000
  timeout client 50000
  timeout server 50000
frontend clients
  bind 0.0.0.0:PORT
  default_backend servers
backend servers
  server one SERVER:BEHIND
]]

return {
  packages = { "haproxy" },
  program = "haproxy",
  version = { "-v" },
  command = function(running) return { "haproxy", "-db", "-f", running:write("haproxy.cfg", CONFIGURATION) } end,
  listens = true,
  delivers = { close = true, reset = false },
  logged = { "servers/one %S+ %S+ (%S+) " },
}
