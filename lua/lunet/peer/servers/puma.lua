--- puma with one thread for each client. A request whose head does not end takes no thread. So a client holds one by a
--- request whose connection the program reads on. Before a thread carries out a request, puma asks the kernel whether
--- the client has closed its side (TCP_INFO).
local http = require "lunet.peer.http"

local CONFIGURATION = [=[
threads N, N
bind "tcp://0.0.0.0:PORT"
app do |environment|
  environment["rack.hijack"].call.read if environment["PATH_INFO"] == "/hold"
  File.write("PLACE/asked", environment["PATH_INFO"] + "\n", mode: "a")
  [200, { "Content-Length" => "6" }, ["served"]]
end
]=]

return http.server {
  packages = { "puma" },
  program = "puma",
  version = { "--version" },
  limit = function(n) return ("threads %d, %d"):format(n, n) end,
  arguments = function(running) return { "-C", running:write("puma.rb", CONFIGURATION) } end,
  ready = "Use Ctrl%-C to stop",
  holds = "GET /hold HTTP/1.1\r\nHost: server\r\n\r\n",
  looks = true,
  logged = {},
}
