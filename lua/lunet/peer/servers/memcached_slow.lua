--- memcached that does not refuse a client that is one too many: it stops accepting, and even listening.
local description = {}
for field, value in pairs(require "lunet.peer.servers.memcached") do description[field] = value end

description.limit = function(n) return ("-c %d -o no_maxconns_fast"):format(n + 23) end
description.arguments = function(running)
  return { "-p", running.port, "-l", "0.0.0.0", "-U", "0", "-t", "4", "-m", "8", "-c", running.clients + 23, "-v",
    "-o", "no_maxconns_fast" }
end
description.refusal = nil

return description
