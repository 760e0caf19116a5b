--- The lanes of the diagram: one for each host, and for each listener's queue. A host that is both client and server
--- has two. Hosts of the same name that come one after the other share a lane.
local address = require "lunet.network.address"

---@class lunet.lanes
---@field list table[] from left to right: {kind: "client"|"queue"|"server", name, detail?, number, spans}
local lanes = {}
lanes.__index = lanes

local HOME <const> = 0

local function port_of(end_point) return type(end_point) == "string" and address.port(end_point) or nil end

local function host_of(e) return e.host or HOME end

local SERVES <const> = { listen = true, found = true, accept = true, queue = true }

-- Finds the ports of each host that lunet or a program listens on.
local function find_served(self, events)
  local function serve(host, port)
    self.served[host] = self.served[host] or {}
    if port then self.served[host][port] = true end
  end
  for _, e in ipairs(events) do
    if SERVES[e.kind] then serve(host_of(e), e.local_port) end
    local answers = e.kind == "segment" and e.flags == "SYN,ACK" and e.from ~= e.to -- to itself nobody serves
    if answers and e.host then serve(e.host, port_of(e.from)) end
  end
end

local function side(self, host, port)
  local served = self.served[host]
  return served and port and served[port] and "server" or "client"
end

local function span_at(self, key, fields, from, to)
  local span = self.spans[key]
  if not span then
    span = fields
    span.from, span.to = from, to
    self.spans[key] = span
    self.in_order[#self.in_order + 1] = span
  end
  if from < span.from then span.from = from end
  if to > span.to then span.to = to end
  return span
end

local function see(self, host, on, from, to)
  self.seen[host] = self.seen[host] or {}
  self.seen[host][on] = span_at(self, host .. on, { host = host, kind = on }, from, to)
end

local SPEAKS_OF_HOST <const> = { counters = true, sockets = true, unseen = true, drop = true, drop_end = true }

local function side_of(self, e)
  if e.local_port then return side(self, host_of(e), e.local_port) end
  return nil
end

local function look(self, e)
  if e.kind == "note" then return end
  if e.kind == "segment" then
    if e.host then see(self, e.host, side(self, e.host, port_of(e.from)), e.at, e.at) end
    if e.to_host then see(self, e.to_host, side(self, e.to_host, port_of(e.to)), e.at, e.arrived or e.at) end
  elseif not SPEAKS_OF_HOST[e.kind] then
    local on = side_of(self, e) or SERVES[e.kind] and "server"
    if on then see(self, host_of(e), on, e.since or e.at, e.at) end
    if e.kind == "queue" or self.listeners[e.socket] then
      self.listeners[e.socket] = true
      span_at(self, "queue" .. e.socket, { host = host_of(e), kind = "queue", socket = e.socket,
        port = e.local_port }, e.at, e.at)
    end
  end
end

-- An event without a port, such as a program's end, is on the side that its host has; if it has both, on the server's.
local function look_again(self, e)
  if e.kind == "note" or e.kind == "segment" or e.local_port then return end
  local host = host_of(e)
  local sides = self.seen[host]
  local on = sides and sides.server and "server" or "client"
  if not sides and SPEAKS_OF_HOST[e.kind] then return end
  see(self, host, on, e.since or e.at, e.at)
end

-- Puts a span into the first free lane of its group, or into a new one.
local function put_span(self, span, in_groups, run)
  local of = run:host_name(span.host)
  local name = of
  local sides = self.seen[span.host] or {}
  if sides.client and sides.server and span.kind ~= "queue" then name = ("%s (%s)"):format(name, span.kind) end
  local owner = span.kind == "queue" and self.by_key[span.host .. "server"]
  local group = span.kind .. (owner and owner.number or name)
  in_groups[group] = in_groups[group] or {}
  local lane
  for _, candidate in ipairs(in_groups[group]) do
    if candidate.to < span.from then lane = candidate break end
  end
  if not lane then
    local number = #in_groups[group] + 1
    lane = { kind = span.kind, name = number > 1 and ("%s %d"):format(name, number) or name, of = of,
      spans = {}, number = #self.list + 1, owner = owner }
    table.insert(in_groups[group], lane)
    self.list[#self.list + 1] = lane
  end
  lane.to = span.to
  lane.spans[#lane.spans + 1] = span
  self.by_key[span.kind == "queue" and "queue" .. span.socket or span.host .. span.kind] = lane
end

local function name_queue(lane)
  local port = lane.spans[1].port
  lane.name = "queue"
  for _, span in ipairs(lane.spans) do
    if span.port ~= port then port = nil end
  end
  if port then lane.detail = ("port %d"):format(port) end
end

-- Clients, then each server with its queues before it.
local function sort(self)
  local ordered = {}
  for _, lane in ipairs(self.list) do
    if lane.kind == "client" then ordered[#ordered + 1] = lane end
  end
  for _, lane in ipairs(self.list) do
    if lane.kind == "server" then
      for _, queue in ipairs(self.list) do
        if queue.kind == "queue" and queue.owner == lane then
          name_queue(queue)
          ordered[#ordered + 1] = queue
        end
      end
      ordered[#ordered + 1] = lane
    end
  end
  for i, lane in ipairs(ordered) do lane.number = i end
  self.list = ordered
end

--- Finds the lanes for a list of events.
---@param events table[]
---@param run lunet.run whose events they are
---@return lunet.lanes with `list`, from left to right: {kind: "client"|"queue"|"server", name, detail?, number,
--- spans: {host, socket?, from, to}[]}
function lanes.of(events, run)
  local self = setmetatable({ served = {}, seen = {}, spans = {}, in_order = {}, listeners = {},
    by_key = {}, list = {} }, lanes)
  find_served(self, events)
  for _, e in ipairs(events) do look(self, e) end
  for _, e in ipairs(events) do look_again(self, e) end
  table.sort(self.in_order, function(a, b)
    if a.kind ~= b.kind then return a.kind > b.kind end -- servers before their queues
    if a.from ~= b.from then return a.from < b.from end
    return a.host < b.host
  end)
  local in_groups = {}
  for _, span in ipairs(self.in_order) do put_span(self, span, in_groups, run) end
  table.sort(self.list, function(a, b) return a.spans[1].from < b.spans[1].from end)
  sort(self)
  return self
end

--- The lane of an event; nil for an event without one, such as a note.
function lanes:of_event(e)
  if e.kind == "note" or e.kind == "segment" then return nil end
  local host = host_of(e)
  local on = side_of(self, e)
  return on and self.by_key[host .. on] or self.by_key[host .. "server"] or self.by_key[host .. "client"]
end

--- The lane of a listener's queue.
function lanes:of_queue(e) return e.socket and self.by_key["queue" .. e.socket] end

--- The lanes of a segment's ends; nil for an end without a lane.
function lanes:of_segment(e)
  return e.host and self.by_key[e.host .. side(self, e.host, port_of(e.from))],
    e.to_host and self.by_key[e.to_host .. side(self, e.to_host, port_of(e.to))]
end

return lanes
