--- puma in cluster mode: processes of one thread.
local http = require "lunet.peer.http"

local CONFIGURATION = [=[
LIMIT
threads 1, 1
bind "tcp://0.0.0.0:PORT"
activate_control_app "unix://PLACE/control", { no_token: true }
app do |environment|
  File.write("PLACE/asked", environment["PATH_INFO"] + "\n", mode: "a")
  [200, { "Content-Length" => "6" }, ["served"]]
end
]=]

return http.server {
  packages = { "puma" },
  program = "puma",
  version = { "--version" },
  limit = function(n) return "workers " .. n end,
  arguments = function(running) return { "-C", running:write("puma.rb", CONFIGURATION) } end,
  ready = "Worker 1 %(PID: %d+%) booted",
  logged = {},
  handed = "taken",
  status = { unix = "control", path = "/stats", says = '"booted_workers":%d+' },
  graceful = { stop = "SIGTERM", reload = "SIGUSR1" },
}
