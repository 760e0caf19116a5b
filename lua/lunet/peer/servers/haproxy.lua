--- HAProxy before a server of lunet's own. Its limit of clients is the limit of its listening queue, too.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
global
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend clients
  bind 0.0.0.0:PORT
  maxconn N
  default_backend servers
backend servers
  server one 127.0.0.1:BACKEND
]]

return http.server {
  packages = { "haproxy" },
  program = "haproxy",
  version = { "-v" },
  limit = function(n) return "frontend maxconn " .. n end,
  begin = http.begin_backend,
  arguments = function(running)
    return { "-db", "-f", running:write("haproxy.cfg", CONFIGURATION) }
  end,
  logged = { " (%d+) %d+ %- %- (%S+) %S+ %S+ \"GET /WORD " },
}
