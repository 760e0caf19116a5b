--- A server of Node's module http, whose connections are limited.
local http = require "lunet.peer.http"

local SCRIPT = [[
const server = require('http').createServer((request, response) => {
  require('fs').appendFileSync('PLACE/asked', request.url + '\n')
  console.log(`${request.url} 200`)
  response.end('served')
})
LIMIT
server.requestTimeout = server.headersTimeout = 0
server.listen(process.env.LISTEN_FDS ? { fd: 3 } : { port: PORT, host: '0.0.0.0' })
]]

return http.server {
  packages = { "nodejs" },
  program = "node",
  version = { "--version" },
  limit = function(n) return "server.maxConnections = " .. n end,
  arguments = function(running) return { running:write("leave.js", SCRIPT) } end,
  logged = { "/WORD (%d+)" },
}
