--- Redis, whose one thread carries out everything.
local options = require "lunet.text.options"

return options.merged(require "lunet.peer.servers.redis", {
  limit = function() return "one thread" end,
  arguments = function(running)
    return { "--port", running.port, "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no" }
  end,
  is_alone = true,
  handed = "taken",
  status = { request = "PING\r\n", says = "%+PONG", ends = "\n$" },
  graceful = { stop = "SIGTERM" },
})
