--- nginx whose first orders to reload come too late, for stuck_servers: package.loaded["spec.fakes.slow_orders"] says
--- how many are slow, and counts them all.
local lunet = require "lunet"
local nginx = require "lunet.peer.pools.nginx"
local options = require "lunet.text.options"

local HANDS_OVER <const>, TOO_LONG <const> = 1, 1.2 -- s

return options.merged(nginx, {
  hands_over = HANDS_OVER,
  graceful = {
    reload = function(running)
      local orders = package.loaded["spec.fakes.slow_orders"]
      orders.given = orders.given + 1
      if orders.given <= orders.slow then lunet.sleep(TOO_LONG) end
      assert(running.process:kill("SIGHUP", { only = running.process:pid() }))
    end,
  },
})
