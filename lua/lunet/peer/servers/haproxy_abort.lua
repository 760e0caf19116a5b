--- HAProxy as in haproxy_server.lua, told to look whether a client that waits has left.
local description = {}
for field, value in pairs(require "lunet.peer.servers.haproxy_server") do description[field] = value end

description.option = "option abortonclose"
description.limit = function(n) return ("maxconn %d, abortonclose"):format(n) end
description.looks = true

return description
