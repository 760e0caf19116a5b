--- Groups of hosts that talked to each other. If an experiment runs each case on hosts of its own, one after the other
--- or at the same time, each case is a group.
local address = require "lunet.network.address"

local groups = {}

local HOME <const> = 0

-- The address of an end point, if it belongs to one host.
local function ip_of(end_point)
  local ip = type(end_point) == "string" and address.ip(end_point)
  return ip and not (address.is_loopback(ip) or address.is_any(ip)) and ip or false
end

local function root_of(parents, host)
  while parents[host] ~= host do host = parents[host] end
  return host
end

local function join(parents, a, b)
  if not (a and b) or a == b then return end
  a, b = root_of(parents, a), root_of(parents, b)
  if a ~= b then parents[math.max(a, b)] = math.min(a, b) end
end

-- Learns the host of each address from every event that sends or accepts.
local function owners_of(events, parents)
  local owners = {}
  local function learn(end_point, host)
    if not host then return end
    parents[host] = parents[host] or host
    local ip = ip_of(end_point)
    if ip then owners[ip] = host end
  end
  for _, e in ipairs(events) do
    if e.kind == "segment" then
      learn(e.from, e.host)
      learn(e.to, e.to_host)
    elseif e.kind ~= "note" then
      learn(e.local_address, e.host or HOME)
      for _, socket in ipairs(e.kind == "sockets" and e.changed or {}) do
        learn(socket.local_address, e.host or HOME)
      end
    end
  end
  return owners
end

-- A segment belongs to the known one of its hosts.
local function host_of(e) return e.host or e.to_host or HOME end

local function add(group, e, line)
  group.events[#group.events + 1] = e
  group.lines[#group.events] = line
end

-- A note belongs to the groups that are under way, and to those that begin before the next note.
local function add_note(list, note, line, next_note)
  for _, group in ipairs(list) do
    if group.last >= note.at and (not next_note or next_note.at > group.first) then add(group, note, line) end
  end
end

-- The groups without their events, and the group of each event that is no note.
local function find_groups(events, parents)
  local list, by_root, by_event = {}, {}, {}
  for _, e in ipairs(events) do
    if e.kind ~= "note" then
      local root = root_of(parents, host_of(e))
      local group = by_root[root] or { events = {}, lines = {}, first = e.at, last = e.at }
      if not by_root[root] then by_root[root], list[#list + 1] = group, group end
      group.first, group.last = math.min(group.first, e.since or e.at), math.max(group.last, e.arrived or e.at)
      by_event[e] = group
    end
  end
  return list, by_event
end

---@class lunet.group
---@field events table[]
---@field lines table<integer, lunet.timeline_line> of its events
---@field first number the time of its first event
---@field last number the time of its last event

--- Divides a run into groups. Scripts call run:groups().
---@param events table[] from lunet.recording
---@param lines table<integer, lunet.timeline_line> from timeline.by_event
---@return lunet.group[] in the order of their first events
function groups.of(events, lines)
  local parents = {}
  local owners = owners_of(events, parents)
  for _, e in ipairs(events) do
    if e.kind == "segment" then
      join(parents, e.host or owners[ip_of(e.from)], e.to_host or owners[ip_of(e.to)])
    elseif e.peer_address then
      join(parents, e.host or HOME, owners[ip_of(e.peer_address)])
    end
  end
  local list, by_event = find_groups(events, parents)
  local first, last = events[1], events[#events]
  if not first then return {} end
  if #list <= 1 then
    local only = list[1] or { first = first.at, last = last.at }
    only.events, only.lines = events, lines
    return { only }
  end
  local next_notes, next_note = {}, nil
  for i = #events, 1, -1 do
    if events[i].kind == "note" then next_notes[i], next_note = next_note, events[i] end
  end
  for i, e in ipairs(events) do
    if e.kind == "note" then add_note(list, e, lines[i], next_notes[i]) else add(by_event[e], e, lines[i]) end
  end
  return list
end

return groups
