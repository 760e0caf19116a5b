--- HAProxy with threads, in its master-worker mode, before a server of lunet's own.
local http = require "lunet.peer.http"
local threads = require "lunet.peer.threads"

local CONFIGURATION = [[
global
  log stdout format raw local0
  LIMIT
  stats socket PLACE/stats
defaults
  mode http
  log global
  option httplog
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend clients
  bind 0.0.0.0:PORT
  default_backend servers
backend servers
  server one 127.0.0.1:BACKEND
]]

return http.server {
  packages = { "haproxy" },
  program = "haproxy",
  version = { "-v" },
  limit = function(n) return "nbthread " .. n end,
  begin = http.begin_backend,
  arguments = function(running)
    return { "-W", "-db", "-f", running:write("haproxy.cfg", CONFIGURATION) }
  end,
  logged = { " (%d+) %d+ %- %- (%S+) %S+ %S+ \"GET /WORD " },
  through = threads.words,
  thread = "^haproxy",
  handed = "least loaded",
  hands_over = 1,
  status = { unix = "stats", request = "show info\n", says = "Idle_pct: %d+" },
  graceful = { stop = "SIGUSR1", reload = "SIGUSR2" },
}
