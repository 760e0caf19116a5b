--- Two linked hosts between which segments are lost, and what the specs of rules ask of them.
local lunet = require "lunet"

local lossy = {}

local BOUND <const> = require "spec.support.bound"

--- Opens them; the caller closes the hosts.
---@return lunet.host server
---@return lunet.host client
---@return lunet.network link
function lossy.hosts()
  local server, client = assert(lunet.host "server"), assert(lunet.host "client")
  for _, host in ipairs { server, client } do
    host:sysctl("net.ipv4.tcp_rto_min_us", 5000) -- since Linux 6.11; without it all takes 0.2 s
  end
  return server, client, lunet.link(server, client)
end

--- Both ends of a new connection.
---@param client lunet.host
---@param listener lunet.listener
---@return lunet.connection near
---@return lunet.connection far
function lossy.pair(client, listener)
  return assert(client:connect(listener, BOUND)), assert(listener:accept(BOUND))
end

--- How many segments a rule has lost, of a kind that nobody sends again.
---@param rule lunet.rule
---@return integer
function lossy.count(rule) return (assert(rule:lost())) end

return lossy
