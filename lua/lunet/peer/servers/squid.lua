--- Squid before a server of lunet's own. It has no limit of all clients, only one for each address.
local http = require "lunet.peer.http"

local CONFIGURATION = [[
http_port PORT accel defaultsite=server
cache_peer 127.0.0.1 parent BACKEND 0 no-query originserver
http_access allow all
cache deny all
cache_mem 8 MB
visible_hostname server
pid_filename none
coredump_dir PLACE
cache_log PLACE/cache.log
pinger_enable off
logformat brief "%rm %ru" %Ss/%03>Hs
access_log stdio:PLACE/log brief
]]

return http.server {
  packages = { "squid" },
  program = "squid",
  version = { "--version" },
  looks_frozen = true, -- the backend's handshake takes longer than to see that the client has left
  begin = http.begin_backend,
  arguments = function(running)
    return { "-N", "-f", running:write("squid.conf", CONFIGURATION) }
  end,
  logged = { '/WORD" (%S+)' },
}
