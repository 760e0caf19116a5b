--- Addresses as texts: "10.0.0.1", "fd00::1/64"; and end points, which have an address and a port: "10.0.0.1:80",
--- "[fe80::1%eth0]:80". core.is_address knows whether the kernel takes an address.
local core = require "lunet.core"

local address = {}

-- -- addresses ----------------------------------------------------------------------------------

--- Whether an address is one of IPv6.
---@param text string
---@return boolean
function address.is_ipv6(text) return text:find(":", 1, true) ~= nil end

--- Whether an address belongs to the loopback. On every host it means that host.
---@param text string
---@return boolean
function address.is_loopback(text) return text:find "^127%." ~= nil or text == "::1" end

--- Whether an address stands for all of a host's.
---@param text string
---@return boolean
function address.is_any(text) return text == "0.0.0.0" or text == "::" end

--- Whether an address is valid only on its link, and so needs a zone (RFC 4291, 2.5.6; RFC 4007).
---@param text string
---@return boolean
function address.is_link_local(text) return text:find "^fe[89ab]%x:" ~= nil end

--- The IPv4 address, or range of addresses, behind a mapped one: ::ffff:10.0.0.2.
---@param text string
---@return string the same text if the address is not mapped
function address.unmapped(text)
  local ip, bits = text:match "^::ffff:(%d+%.[%d.]+)/?(%d*)$"
  if not ip or bits ~= "" and tonumber(bits) < 96 then return text end
  return bits == "" and ip or ("%s/%d"):format(ip, tonumber(bits) - 96)
end

--- An address without the length of its prefix.
---@param text string "10.0.0.1/24"
---@return string "10.0.0.1"
function address.without_prefix(text) return text:match "^[^/]+" end

--- An address as a range of addresses.
---@param text string "10.0.0.1", "fd00::/64"
---@return string "10.0.0.1/32", "fd00::/64"
function address.with_prefix(text)
  return text .. (text:find "/" and "" or address.is_ipv6(text) and "/128" or "/32")
end

--- An address and its zone.
---@param text string "fe80::1%eth0"
---@return string address "fe80::1"
---@return string? zone "eth0"
function address.split_zone(text)
  local ip, zone = text:match "^(.-)%%(.+)$"
  return ip or text, zone
end

-- -- end points ---------------------------------------------------------------------------------

--- An address with a port.
---@param ip string "fd00::1"
---@param port integer
---@return string "[fd00::1]:80"
function address.join(ip, port) return (address.is_ipv6(ip) and "[%s]:%d" or "%s:%d"):format(ip, port) end

--- The address of an end point.
---@param end_point string "[fd00::1]:80"
---@return string? "fd00::1"; nil if it is no end point, such as a path
function address.ip(end_point) return end_point:match "^%[(.*)%]:%d+$" or end_point:match "^([^:]*):%d+$" end

--- The port of an end point, as a text.
---@param end_point string "10.0.0.1:80"
---@return string? port "80"; nil if it is no end point
function address.port_text(end_point) return end_point:match ":(%d+)$" end

--- The port of an end point.
---@param end_point string "10.0.0.1:80"
---@return integer? port 80; nil if it is no end point
function address.port(end_point) return math.tointeger(tonumber(address.port_text(end_point))) end

--- Whether an end point is in a range of addresses.
---@param end_point string "10.0.0.1:80"
---@param range string "10.0.0.0/24", "10.0.0.1"
---@return boolean
function address.is_within(end_point, range)
  return core.is_within(end_point, address.with_prefix(address.unmapped(range)))
end

return address
