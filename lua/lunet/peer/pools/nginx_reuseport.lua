--- nginx with a listening queue for each worker (SO_REUSEPORT).
local options = require "lunet.text.options"

return options.merged(require "lunet.peer.pools.nginx", { listen = "reuseport", handed = "by hash" })
