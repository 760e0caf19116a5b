--- HAProxy that lets every client in, and bounds how many it forwards to a server at once. The others wait in HAProxy.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
global
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  OPTION
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  timeout queue 60s
frontend clients
  bind 0.0.0.0:PORT
  default_backend servers
backend servers
  server one 127.0.0.1:BACKEND maxconn N
]]

return http.server {
  packages = { "haproxy" },
  program = "haproxy",
  version = { "-v" },
  option = "", -- one more of the section defaults
  limit = function(n) return "server maxconn " .. n end,
  begin = http.begin_backend,
  arguments = function(running)
    local words = { OPTION = running.description.option, BACKEND = tostring(running.backend_port) }
    return { "-db", "-f", running:write("haproxy.cfg", (CONFIGURATION:gsub("%u+", words))) }
  end,
  -- A body that does not end: HAProxy forwards the head at once.
  holds = "POST /hold HTTP/1.1\r\nHost: server\r\nContent-Length: 10\r\n\r\n",
  logged = { " (%-?%d+) %d+ %- %- (%S+) %S+ %S+ \"GET /WORD " },
}
