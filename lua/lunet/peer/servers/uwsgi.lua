--- uWSGI that speaks HTTP itself, with one process.
local http = require "lunet.peer.http"

return http.server {
  packages = { "uwsgi-core", "uwsgi-plugin-python3" },
  program = "uwsgi",
  needs = { ["/usr/lib/uwsgi/plugins/python3_plugin.so"] = "uwsgi-plugin-python3" },
  version = { "--version" },
  limit = function(n) return "--processes " .. n end,
  arguments = function(running)
    return { "--plugin", "python3", "--http-socket",
      running.is_handed and "fd://3" or "0.0.0.0:" .. running.port, "--socket-timeout", "600",
      "--processes", running.clients, "--wsgi-file", running:write("leave.py", http.WSGI) }
  end,
  logged = { "GET /WORD =>[^\n]-%(HTTP/1.1 (%d+)%)" },
}
