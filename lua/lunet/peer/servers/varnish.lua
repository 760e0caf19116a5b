--- Varnish before a server of lunet's own. It has no limit of clients: those that wait take no thread.
local http = require "lunet.peer.http"

return http.server {
  packages = { "varnish" },
  program = "varnishd",
  version = { "-V" },
  begin = http.begin_backend,
  workers = "accept",
  arguments = function(running)
    return { "-F", "-j", "none", "-a", "0.0.0.0:" .. running.port, "-b", "127.0.0.1:" .. running.backend_port,
      "-n", running.place.path .. "/varnish", "-s", "malloc,16m" }
  end,
  logged = {},
}
