--- Who is who in a list of events: every socket's name, and whose is at its other end.
local cast = {}
cast.__index = cast

-- Addresses of the loopback mean another place on every host; all others are one of a kind in a run.
local function place_of(e, near)
  return type(near) == "string" and (near:match "^127%." or near:match "^%[::1%]") and e.host or ""
end

local function near_of(e) return e.local_address or e.local_port end
local function far_of(e) return e.peer_address or e.peer_port end
local function port_of(address) return type(address) == "string" and address:match ":(%d+)$" or tostring(address) end

local function key_of(e, near, far) return place_of(e, near) .. "|" .. near .. ">" .. far end

local function pair_of(e) return near_of(e) and far_of(e) and key_of(e, near_of(e), far_of(e)) end

local NO_SOCKET = { note = true, segment = true, counters = true, sockets = true }

local function name_of(self, e)
  if self:is_listener(e) then return "server" end
  return self.ends[near_of(e) and port_of(near_of(e)) or ""] or e.kind == "accept" and "server" or "client"
end

--- Follows the events.
---@param events table[]
---@return lunet.cast
function cast.of(events)
  local self = setmetatable({ names = {}, ends = {}, listeners = {}, unconnected = {} }, cast)
  -- An event may come before the one that introduces its far end, or that one may be lost. Of those
  -- who use the same addresses one after the other, the first is met last.
  for i = #events, 1, -1 do
    local e = events[i]
    if not NO_SOCKET[e.kind] and (e.label or e.kind == "listen" or e.kind == "connect") then self:meet(e) end
  end
  return self
end

function cast:is_listener(e) return self.listeners[e.socket] or near_of(e) and not far_of(e) end
function cast:is_unconnected(e) return self.unconnected[e.socket] end

--- The name of whom an event is about, which from here on is what its addresses belong to.
---@param e table
---@return string
function cast:meet(e)
  if e.kind == "listen" then self.listeners[e.socket] = true end
  if e.kind == "connect" then self.unconnected[e.socket] = e.code ~= nil end
  self.names[e.socket] = self.names[e.socket] or e.label or name_of(self, e)
  local pair = pair_of(e)
  if pair then
    self.ends[pair] = self.names[e.socket]
  elseif near_of(e) then
    self.ends[port_of(near_of(e))] = self.names[e.socket]
  end
  return self.names[e.socket]
end

--- Who is at the other end of an event's socket; nil if nobody knows.
---@param e table
---@return string?
function cast:other(e)
  local far = far_of(e)
  if not far then return nil end
  return near_of(e) and self.ends[key_of(e, far, near_of(e))] or self.ends[port_of(far)]
end

--- Who is at an address that has a connection with another address; nil if nobody knows.
---@param near string
---@param far string
---@param host? integer
---@return string?
function cast:at(near, far, host) return self.ends[key_of({ host = host }, near, far)] end

return cast
