--- Node's module cluster. By default its primary process accepts, and hands each connection to a worker that is ready
--- for one.
local http = require "lunet.peer.http"

local SCRIPT = [[
const cluster = require('cluster')
cluster.schedulingPolicy = cluster.POLICY
if (cluster.isPrimary) {
  for (let i = 0; i < N; i++) cluster.fork()
  process.on('SIGTERM', () => cluster.disconnect())
} else {
  const server = require('http').createServer((request, response) => {
    require('fs').appendFileSync('PLACE/asked', request.url + '\n')
    console.log(`${request.url} 200`)
    response.end('served')
  })
  server.listen({ port: PORT, host: '0.0.0.0' })
}
]]

return http.server {
  packages = { "nodejs" },
  program = "node",
  version = { "--version" },
  policy = "SCHED_RR",
  limit = function(n) return ("%d times cluster.fork()"):format(n) end,
  arguments = function(running)
    return { running:write("leave.js", (SCRIPT:gsub("POLICY", running.description.policy))) }
  end,
  logged = { "/WORD (%d+)" },
  handed = "when ready",
  graceful = { stop = "SIGTERM" },
}
