--- A server of Node's module http, whose connections are limited.
local http = require "lunet.peer.http"

local SCRIPT = [[
const server = require('http').createServer((request, response) => {
  require('fs').appendFileSync('PLACE/asked', request.url + '\n')
  console.log(`${request.url} 200`)
  response.end('served')
})
server.maxConnections = 1
server.requestTimeout = server.headersTimeout = 0
server.listen(PORT, '0.0.0.0')
]]

return http.server {
  packages = { "nodejs" },
  program = "node",
  version = { "--version" },
  limit = "server.maxConnections = 1",
  arguments = function(running) return { running:write("leave.js", SCRIPT) } end,
  logged = { "/WORD (%d+)" },
}
