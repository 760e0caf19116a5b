--- Tinyproxy, which has a thread for each client, before a server of lunet's own. It logs that it refuses new
--- connections when it has stopped accepting them. Its receive timeout makes a read end with EINTR when the program was
--- stopped meanwhile (signal(7)), and it then drops the client.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
Port PORT
Listen 0.0.0.0
Timeout 600
LogFile "PLACE/log"
LogLevel Connect
LIMIT
ReversePath "/" "http://127.0.0.1:BACKEND/"
ReverseOnly Yes
]]

return http.server {
  packages = { "tinyproxy-bin" },
  program = "tinyproxy",
  version = { "-v" },
  limit = function(n) return "MaxClients " .. n end,
  is_interrupted = true,
  begin = http.begin_backend,
  arguments = function(running)
    return { "-d", "-c", running:write("tinyproxy.conf", CONFIGURATION) }
  end,
  logged = { "(Refusing) new connections", "GET /(WORD) HTTP" },
}
