--- The diagrams of a run: one for each group of hosts, with a title if there are several groups.
local diagram = require "lunet.report.diagram"

local diagrams = {}

--- How many groups are drawn at most.
diagrams.MOST = 60

local FIRST <const> = 3 -- times the room of another group, if there is not enough for all events
local LEAST <const> = 15 -- events of a group: with less room, fewer groups are drawn

local function names_of(group, run)
  local names, known = {}, {}
  for _, e in ipairs(group.events) do
    for _, host in ipairs { e.host or e.to_host or e.kind ~= "note" and 0 or nil, e.to_host } do
      if not known[host] then
        known[host] = true
        names[#names + 1] = { host = host, name = run:host_name(host) }
      end
    end
  end
  table.sort(names, function(a, b) return a.host < b.host end)
  for i, one in ipairs(names) do names[i] = one.name end
  local more = #names > 6 and (" and %d more"):format(#names - 6) or ""
  return table.concat(names, ", ", 1, math.min(#names, 6)) .. more
end

--- The title of a group: its number, hosts and times; nil for the only group.
---@param run lunet.run
---@param number integer
---@return string?
function diagrams.title(run, number)
  local list, zero = run:groups(), run:zero()
  local group = list[number]
  return #list > 1 and ("%d of %d: %s, %.3f to %.3f ms"):format(number, #list, names_of(group, run),
    (group.first - zero) * 1000, (group.last - zero) * 1000) or nil
end

-- Shares room for so many events among groups. A group that needs less than its share leaves the rest to the others.
local function allot(list, count, most)
  local order, shares, weights = {}, {}, count + FIRST - 1
  for i = 1, count do
    order[i] = { number = i, size = #list[i].events, weight = i == 1 and FIRST or 1 }
  end
  table.sort(order, function(a, b)
    local needs, other_needs = a.size * b.weight, b.size * a.weight
    if needs ~= other_needs then return needs < other_needs end
    return a.number < b.number
  end)
  for _, one in ipairs(order) do
    local share = math.min(one.size, most * one.weight // weights)
    shares[one.number], most, weights = share, most - share, weights - one.weight
  end
  return shares
end

--- How many events the diagrams show if they show all: a note stands in several diagrams.
---@param run lunet.run
---@return integer
function diagrams.size(run)
  local list, size = run:groups(), 0
  for i = 1, math.min(#list, diagrams.MOST) do size = size + #list[i].events end
  return size
end

---@class lunet.group_drawn
---@field drawn lunet.diagram
---@field title? string its number, hosts and times
---@field group lunet.group

--- Draws a run.
---@param run lunet.run
---@param options? {most: integer, has_rows: boolean?} most: how many events all diagrams together draw; has_rows: see
--- diagram.draw. All events by default
---@return lunet.group_drawn[]
---@return integer left_out the number of groups left out
function diagrams.of(run, options)
  options = options or {}
  local list, parts = run:groups(), {}
  local count, shares = math.min(#list, diagrams.MOST), {}
  if options.most and options.most < diagrams.size(run) then
    count = math.min(count, math.max(options.most // LEAST, 1))
    shares = allot(list, count, options.most)
  end
  for i = 1, count do
    local group = list[i]
    parts[i] = { title = diagrams.title(run, i), group = group, drawn = diagram.draw(group, run, { most = shares[i],
      prefix = ("%d-"):format(i), has_rows = options.has_rows }) }
  end
  return parts, #list - count
end

return diagrams
