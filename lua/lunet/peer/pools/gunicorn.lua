--- gunicorn with workers of its default kind, each of which serves one client at a time. It ends a worker that has not
--- touched its file for 30 s, by default.
local options = require "lunet.text.options"

local base = require "lunet.peer.servers.gunicorn"

return options.merged(base, {
  arguments = function(running)
    local words = base.arguments(running)
    return table.move({ "--timeout", "30" }, 1, 2, #words + 1, words)
  end,
  handed = "taken",
  graceful = { stop = "SIGTERM", reload = "SIGHUP" },
})
