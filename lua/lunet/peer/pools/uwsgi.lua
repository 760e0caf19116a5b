--- uWSGI that speaks HTTP itself, with a master and processes. It has no signal that stops it gracefully: a letter in
--- the master's pipe does.
local options = require "lunet.text.options"

local base = require "lunet.peer.servers.uwsgi"

return options.merged(base, {
  arguments = function(running)
    local place, words = running.place.path, base.arguments(running)
    local more = { "--master", "--master-fifo", place .. "/orders", "--stats", place .. "/stats" }
    return table.move(more, 1, #more, #words + 1, words)
  end,
  handed = "taken",
  status = { unix = "stats", says = '"status":"(%l+)"' },
  graceful = {
    stop = function(running)
      local orders <close> = assert(io.open(running.place.path .. "/orders", "w"))
      assert(orders:write "q")
    end,
    reload = "SIGHUP",
  },
})
