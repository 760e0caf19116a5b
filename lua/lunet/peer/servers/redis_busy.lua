--- Redis while a client's command takes long: it has one thread for all. A client holds it for SECONDS, and not longer
--- if it stays.
local options = require "lunet.text.options"

local base = require "lunet.peer.servers.redis"

local SECONDS <const> = 6

return options.merged(base, {
  limit = function() return ("DEBUG SLEEP %d"):format(SECONDS) end,
  arguments = function(running)
    local words = base.arguments(running)
    return table.move({ "--maxclients", 100, "--enable-debug-command", "yes" }, 1, 4, #words + 1, words)
  end,
  holds = ("DEBUG SLEEP %d\r\n"):format(SECONDS),
  holds_for = SECONDS,
  held = false,
  refusal = false,
  statistics = false,
})
