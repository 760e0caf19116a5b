--- gunicorn with one worker of its default kind, which serves one client at a time.
local http = require "lunet.peer.http"

return http.server {
  packages = { "gunicorn" },
  program = "gunicorn",
  version = { "--version" },
  limit = function(n) return "--workers " .. n end,
  arguments = function(running)
    running:write("leave.py", http.WSGI)
    return { "--workers", running.clients, "--timeout", "600", "--bind", "0.0.0.0:" .. running.port,
      "--access-logfile", "-", "--worker-tmp-dir", running.place.path, "--chdir", running.place.path,
      "leave:application" }
  end,
}
