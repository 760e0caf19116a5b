--- The diagrams of a run: one for each group of hosts, with a title if there are several groups.
local diagram = require "lunet.report.diagram"

local diagrams = {}

local MOST <const> = 60 -- groups in a report

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

local function draw(run)
  local list, zero, parts = run:groups(), run:zero(), {}
  for i = 1, math.min(#list, MOST) do
    local group = list[i]
    local title = #list > 1 and ("%d of %d: %s, %.3f to %.3f ms"):format(i, #list, names_of(group, run),
      (group.first - zero) * 1000, (group.last - zero) * 1000) or nil
    parts[i] = { title = title, events = group.events, drawn = diagram.draw(group, run) }
  end
  return parts
end

local known = setmetatable({}, { __mode = "k" }) -- by run, since several files may show it

--- Draws a run.
---@param run lunet.run
---@return {drawn: lunet.diagram, title: string?, events: table[]}[]
---@return integer left_out the number of groups left out
function diagrams.of(run)
  known[run] = known[run] or draw(run)
  return known[run], math.max(#run:groups() - MOST, 0)
end

return diagrams
