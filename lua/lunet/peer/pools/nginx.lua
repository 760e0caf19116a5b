--- nginx with workers that take clients from one listening queue.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
daemon off; LIMIT; pid PLACE/pid; lock_file PLACE/lock; error_log PLACE/log info;
events { worker_connections 64; }
http {
  client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
  log_format brief '"$request" $status';
  access_log PLACE/log brief;
  server {
    listen PORTHOW;
    location / { return 200 "served"; }
    location = /status { stub_status; access_log off; }
  }
}
]]

return http.server {
  packages = { "nginx" },
  program = "nginx",
  version = { "-v" },
  listen = "", -- options of the directive
  limit = function(n) return "worker_processes " .. n end,
  arguments = function(running)
    local text = CONFIGURATION:gsub("PORTHOW", "PORT " .. running.description.listen)
    return { "-e", running.place.path .. "/log", "-c", running:write("nginx.conf", text) }
  end,
  evidence = function(running) return running:log() end,
  handed = "taken",
  status = { path = "/status", says = "Active connections: %d+" },
  graceful = { stop = "SIGQUIT", reload = "SIGHUP" },
}
