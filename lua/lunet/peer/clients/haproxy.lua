--- HAProxy as a client, with the timeouts of Debian's configuration. It tries a connect four times.
local CONFIGURATION = [[
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
  OPTION
listen clients
  bind 127.0.0.1:7400
  server one ADDRESS:PORT
]]

return require("lunet.peer.proxy").client {
  packages = { "haproxy" },
  program = "haproxy",
  version = { "-v" },
  files = { ["haproxy.cfg"] = CONFIGURATION },
  arguments = { "-db", "-f", "haproxy.cfg" },
  waits = {
    default = { connect = 20, answer = 50, words = "504" },
    connect = { option = "timeout connect 1s", connect = 4, answer = 50 },
    answer = { option = "timeout server 3s", connect = 20, answer = 3, words = "504" },
  },
}
