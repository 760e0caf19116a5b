--- The cast of a list of events: every socket's name, and the name at its other end. text.shown has escaped the names.
local address = require "lunet.network.address"
local options = require "lunet.text.options"
local text = require "lunet.text.width"

---@class lunet.cast
---@field names table<integer, string> by the numbers of sockets
local cast = {}
cast.__index = cast

cast.ITSELF = "itself" -- the other end of a connection that a socket has with itself

---@class lunet.known a recording's knowledge besides its events; all of it may be missing
---@field hosts? table<integer, string> the hosts' names by their numbers
---@field addresses? table<string, integer> the host of an address, such as "10.0.0.1" or "fd00:1::1"

local function near_of(e) return e.local_address or e.local_port end
local function far_of(e) return e.peer_address or e.peer_port end
local function port_of(end_point)
  return type(end_point) == "string" and address.port_text(end_point) or tostring(end_point)
end
local function ip_of(end_point) return type(end_point) == "string" and address.ip(end_point) or nil end

local function is_loopback(ip) return ip and address.is_loopback(ip) end

-- Every host has the loopback's addresses; any other address belongs to one host of a run.
local function key_of(host, near, far)
  return (is_loopback(ip_of(near)) and host or "") .. "|" .. near .. ">" .. far
end

local function pair_of(e) return near_of(e) and far_of(e) and key_of(e.host or "", near_of(e), far_of(e)) end

local NO_SOCKET = { note = true, segment = true, loss = true, counters = true, sockets = true, unseen = true }

-- The host of an address, for a socket on `host` that talks to it.
local function owner_of(self, end_point, host)
  local ip = ip_of(end_point)
  if is_loopback(ip) then return host end
  return ip and self.owners[ip]
end

local function learn_owner(self, end_point, host)
  local ip = ip_of(end_point)
  if ip and host and not is_loopback(ip) and not address.is_any(ip) then self.owners[ip] = self.owners[ip] or host end
end

local function learn_owners(self, e)
  if e.kind == "segment" or e.kind == "tap" or not e.host then return end
  learn_owner(self, near_of(e), e.host)
  for _, socket in ipairs(e.changed or {}) do learn_owner(self, socket.local_address, e.host) end
end

local function name_of(self, e)
  if self:is_listener(e) then return "server" end
  return self.by_port[near_of(e) and port_of(near_of(e)) or ""] or e.kind == "accept" and "server" or "client"
end

local function serves(self, host, port) return host and self.serving[host .. "|" .. port] end

--- Follows the events.
---@param events table[]
---@param known? lunet.known
---@return lunet.cast
function cast.of(events, known)
  known = known or {}
  local self = setmetatable({ names = {}, pairs = {}, by_port = {}, listeners = {}, unconnected = {}, serving = {},
    servers = {}, hosts = known.hosts or {}, owners = setmetatable({}, { __index = known.addresses }) }, cast)
  -- An event may come before the one that introduces its far end, or that one may be lost. So meet the last socket
  -- first: if several use the same addresses one after the other, the first one stays.
  for i = #events, 1, -1 do
    local e = events[i]
    learn_owners(self, e)
    if not NO_SOCKET[e.kind] and (e.label or e.kind == "listen" or e.kind == "connect") then self:meet(e) end
  end
  return self
end

--- Makes a copy, which can follow the events once more without a change of this cast.
---@return lunet.cast
function cast:again()
  local copy = options.merged(self)
  for _, field in ipairs { "names", "pairs", "by_port", "listeners", "unconnected", "serving", "servers" } do
    copy[field] = options.merged(self[field])
  end
  return setmetatable(copy, cast)
end

function cast:is_listener(e) return self.listeners[e.socket] or near_of(e) and not far_of(e) end
function cast:is_unconnected(e) return self.unconnected[e.socket] end

--- The name of the socket of an event. From here on the event's addresses belong to it.
---@param e table
---@return string
function cast:meet(e)
  if e.kind == "listen" then self.listeners[e.socket] = true end
  if e.kind == "connect" then self.unconnected[e.socket] = e.code ~= nil end
  local name = self.names[e.socket] or e.label and text.shown(e.label) or name_of(self, e)
  self.names[e.socket] = name
  local pair = pair_of(e)
  if pair then
    self.pairs[pair] = name
  elseif near_of(e) then
    self.by_port[port_of(near_of(e))] = name
    if e.host then
      self.serving[e.host .. "|" .. port_of(near_of(e))] = name
      self.servers[e.host] = true
    end
  end
  return name
end

--- The host of an address; nil if unknown.
---@param end_point string
---@return integer?
function cast:owner(end_point) return owner_of(self, end_point) end

--- A host's name; nil if it has none.
---@param host? integer
---@return string?
function cast:host(host) return host and self.hosts[host] and text.shown(self.hosts[host]) end

--- The name at an address that has a connection with another address; nil if unknown. The calls on that connection give
--- it, or else the listener there, or else the host of the address.
---@param near string|integer
---@param far string|integer
---@param host? integer its host, if the address does not tell
---@return string?
function cast:at(near, far, host)
  local owner = owner_of(self, near, host) or host
  return self.pairs[key_of(host or "", near, far)] or serves(self, owner, port_of(near)) or self:host(owner)
end

--- The name at `far`, to which `near` talks: cast.ITSELF if the two are one end.
---@param near string|integer
---@param far string|integer
---@param host? integer of `far`, if the address does not tell
---@return string?
function cast:beyond(near, far, host)
  if near == far then return cast.ITSELF end
  return self:at(far, near, host)
end

-- The name at the far end, from the calls on the same connection, or from the listener there; and the host there.
local function far_end(self, e, far)
  local near = near_of(e)
  if near == far then return cast.ITSELF end
  local owner = owner_of(self, far, e.host)
  return near and self.pairs[key_of(e.host or "", far, near)] or serves(self, owner, port_of(far))
    or not owner and self.by_port[port_of(far)] or nil, owner
end

--- The name at the other end of an event's socket; nil if unknown.
---@param e table
---@return string?
function cast:other(e)
  local far = far_of(e)
  if not far then return nil end
  local name, owner = far_end(self, e, far)
  return name or self:host(owner)
end

--- The target of a failed connect: the listener there, or else a port of a host with other listeners, or else the
--- address; nil without an address.
---@param e table
---@return string?
function cast:target(e)
  local far = far_of(e)
  if not far then return nil end
  local name, owner = far_end(self, e, far)
  local host = owner and self.servers[owner] and self:host(owner)
  return name or host and ("%s port %s"):format(host, port_of(far)) or type(far) == "string" and far or "port " .. far
end

return cast
