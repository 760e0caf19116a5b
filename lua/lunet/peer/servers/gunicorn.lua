--- gunicorn with workers of its default kind, each of which serves one client at a time. Sockets that it is handed
--- (LISTEN_FDS) replace its --bind; with --bind fd://3 beside them it takes the same one twice, and dies.
local http = require "lunet.peer.http"

return http.server {
  packages = { "gunicorn" },
  program = "gunicorn",
  version = { "--version" },
  limit = function(n) return "--workers " .. n end,
  workers = "accept",
  arguments = function(running)
    running:write("leave.py", http.WSGI)
    return { "--workers", running.clients, "--timeout", "600", "--bind", "0.0.0.0:" .. running.port,
      "--access-logfile", "-", "--worker-tmp-dir", running.place.path, "--chdir", running.place.path,
      "leave:application" }
  end,
}
