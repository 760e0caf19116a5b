--- memcached, whose main thread accepts, and hands a connection to each of its threads in turn.
local options = require "lunet.text.options"
local threads = require "lunet.peer.threads"

return options.merged(require "lunet.peer.servers.memcached", {
  limit = function(n) return "-t " .. n end,
  arguments = function(running)
    return { "-p", running.port, "-l", "0.0.0.0", "-U", "0", "-t", running.clients, "-m", "8", "-v" }
  end,
  through = threads.words,
  thread = "^mc%-worker",
  handed = "in turn",
  status = { request = "stats\r\n", says = "curr_connections %d+", ends = "END\r\n$" },
  graceful = { stop = "SIGUSR1" },
})
