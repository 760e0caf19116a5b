--- Node's module cluster whose workers take clients from one listening queue.
local options = require "lunet.text.options"

return options.merged(require "lunet.peer.pools.node_cluster", { policy = "SCHED_NONE", handed = "taken" })
