--- The diagrams of a run: one for each group of hosts, with a title where there are several.
local diagram = require "lunet.report.diagram"
local groups = require "lunet.recording.groups"
local timeline = require "lunet.recording.timeline"

local diagrams = {}

local MOST <const> = 60 -- groups that are drawn

local function names_of(group, hosts)
  local names, known = {}, {}
  for _, e in ipairs(group.events) do
    for _, host in ipairs { e.host or e.to_host or e.kind ~= "note" and 0 or nil, e.to_host } do
      if not known[host] then
        known[host] = true
        names[#names + 1] = { host = host, name = hosts[host] or host == 0 and "home" or "host " .. host }
      end
    end
  end
  table.sort(names, function(a, b) return a.host < b.host end)
  for i, one in ipairs(names) do names[i] = one.name end
  local more = #names > 6 and (" and %d more"):format(#names - 6) or ""
  return table.concat(names, ", ", 1, math.min(#names, 6)) .. more
end

local function draw(run)
  local events, hosts = run.events, run.hosts or {}
  local lines, zero = timeline.by_event(events, run), events[1] and events[1].at or 0
  local list, parts = groups.of(events, lines), {}
  for i = 1, math.min(#list, MOST) do
    local group = list[i]
    local title = #list > 1 and ("%d of %d: %s, %.3f to %.3f ms"):format(i, #list, names_of(group, hosts),
      (group.first - zero) * 1000, (group.last - zero) * 1000) or nil
    parts[i] = { title = title, events = group.events, first = group.first, last = group.last,
      drawn = diagram.draw(group.events, hosts, group.lines, zero) }
  end
  return parts, math.max(#list - MOST, 0), zero, lines
end

local known = setmetatable({}, { __mode = "k" }) -- by run, which may go into several files

--- Draws a run.
---@param run table from experiment:execute
---@return {drawn: lunet.diagram, title: string?, events: table[], first: number, last: number}[]
---@return integer left_out how many groups are not drawn
---@return number zero the time that is 0
---@return table<integer, lunet.timeline_line> lines of all events
function diagrams.of(run)
  known[run] = known[run] or table.pack(draw(run))
  return table.unpack(known[run], 1, known[run].n)
end

return diagrams
