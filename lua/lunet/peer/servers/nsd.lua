--- NSD's DNS over TCP. It logs no queries, except those for the transfer of a zone that it does not have.
local dns = require "lunet.peer.dns"

local CONFIGURATION = [[
server:
  ip-address: 0.0.0.0@PORT
  username: ""
  chroot: ""
  zonesdir: "PLACE"
  database: ""
  pidfile: ""
  zonelistfile: "PLACE/zones"
  xfrdfile: ""
  xfrdir: "PLACE"
  verbosity: 2
  tcp-timeout: 600
  LIMIT
remote-control:
  control-enable: no
]]

local TRANSFER <const> = 252 -- the type AXFR

return dns.server {
  packages = { "nsd" },
  program = "nsd",
  version = { "-v" },
  limit = function(n) return "tcp-count: " .. n end,
  arguments = function(running) return { "-d", "-c", running:write("nsd.conf", CONFIGURATION) } end,
  ready = "nsd started",
  request = function(word) return dns.query(word, TRANSFER) end,
  answer = "^....[\x80\x81]\x09", -- the code NOTAUTH
  workers = "accept",
  logged = { "(axfr) for WORD%. from" },
}
