--- The server of Python's module http.server: one client at a time, or a thread for each of more.
local http = require "lunet.peer.http"

local SCRIPT = [[
import http.server, os, socket

asked = open("PLACE/asked", "a", buffering=1)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.write(self.path + "\n")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"served")

Server = http.server.HTTPServer if N == 1 else http.server.ThreadingHTTPServer
is_handed = "LISTEN_FDS" in os.environ
server = Server(("0.0.0.0", PORT), Handler, bind_and_activate=not is_handed)
if is_handed:
    server.socket = socket.socket(fileno=3)
server.serve_forever()
]]

return http.server {
  packages = { "python3" },
  program = "/usr/bin/python3",
  version = { "--version" },
  limit = function(n) return n == 1 and "HTTPServer" or "ThreadingHTTPServer" end,
  arguments = function(running) return { "-u", running:write("server.py", SCRIPT) } end,
}
