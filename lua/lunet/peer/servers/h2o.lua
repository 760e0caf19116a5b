--- H2O before a server of lunet's own.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
listen:
  port: PORT
  host: 0.0.0.0
num-threads: 1
LIMIT
http1-request-timeout: 600
access-log:
  path: PLACE/log
  format: "\"%r\" %s"
error-log: PLACE/errors
pid-file: PLACE/pid
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: http://127.0.0.1:BACKEND/
        proxy.timeout.keepalive: 0
]]

return http.server {
  packages = { "h2o" },
  program = "h2o",
  version = { "--version" },
  limit = function(n) return "max-connections: " .. n end,
  begin = http.begin_backend,
  arguments = function(running)
    return { "-c", running:write("h2o.conf", CONFIGURATION) }
  end,
}
