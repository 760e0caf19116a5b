--- memcached that does not refuse a client that is one too many: it stops accepting, and even listening.
local options = require "lunet.text.options"

local description = options.merged(require "lunet.peer.servers.memcached", {
  limit = function(n) return ("-c %d -o no_maxconns_fast"):format(n + 23) end,
  arguments = function(running)
    return { "-p", running.port, "-l", "0.0.0.0", "-U", "0", "-t", "4", "-m", "8", "-c", running.clients + 23, "-v",
      "-o", "no_maxconns_fast" }
  end,
})
description.refusal = nil

return description
