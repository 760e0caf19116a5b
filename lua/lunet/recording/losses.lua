--- Losses: the segments that a rule took before the host could see them.
local rule_meaning = require "lunet.network.rule_meaning"

local losses = {}

-- Each rule with the time for which it was open. The options come in the order of the events.
local function open_times(events, rules)
  local open, by_socket, count = {}, {}, 0
  for _, e in ipairs(events) do
    if e.kind == "drop" then
      count = count + 1
      by_socket[e.socket] = { options = rules[count], host = e.host, from = e.at, to = math.huge, seen = 0 }
      open[count] = by_socket[e.socket]
    elseif e.kind == "drop_end" and by_socket[e.socket] then
      by_socket[e.socket].to = e.at
    end
  end
  return open
end

--- Tells which segments a rule lost. The newest rule judges first, and the others never see its losses.
---@param events table[] "drop" and "drop_end" among them tell when rules were open
---@param options lunet.drop_options[] of the rules, in the order of the events
---@return fun(segment: table): boolean
function losses.by_rule(events, options)
  local rules = open_times(events, options)
  return function(s)
    for i = #rules, 1, -1 do
      local r = rules[i]
      if r.options and r.host == s.to_host and s.arrived >= r.from and s.arrived <= r.to
        and rule_meaning.loses(r.options, s) then
        r.seen = r.seen + 1
        return r.seen <= (r.options.first or math.huge)
      end
    end
    return false
  end
end

return losses
