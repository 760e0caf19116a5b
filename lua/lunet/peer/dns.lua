--- The parts that servers of DNS over TCP share. Their evidence is a log of queries.
---
---     return dns.server { packages = { "dnsmasq-base" }, program = "dnsmasq", ... }
local dns = {}

--- The address that a server gives for each name, unless it says otherwise.
dns.ADDRESS = "192.0.2.1"

local A <const>, INTERNET <const> = 1, 1

--- A query for a name of one label (RFC 1035, 4.1), with its length before it (4.2.2).
---@param name string
---@param kind? integer the type of the record; default 1, an address
---@return string
function dns.query(name, kind)
  return string.pack(">s2", string.pack(">HHHHHHs1BHH", 1, 0x100, 1, 0, 0, 0, name, 0, kind or A, INTERNET))
end

--- Completes a description by what all of them have. A client holds its place by half of a length.
---@param description table of lunet.server
---@return lunet.server description the same
function dns.server(description)
  description.holds = description.holds or "\0"
  description.request = description.request or function(word) return dns.query(word) end
  description.answer = description.answer or "\192\0\2\1$"
  description.evidence = description.evidence or function(running) return running:log() end
  return description
end

return dns
