--- The kernel's view of a run: the changes between two looks at a host's counters and at its sockets.
local counters = require "lunet.network.counters"

local kernel_view = {}

-- The counters that moved since the last look at the same host; nil if none did.
local function counters_event(e, before)
  local after = counters.new(e.text, e.text)
  local earlier = before[e.host]
  before[e.host] = after
  local moved = earlier and after - earlier
  if not moved or next(moved) == nil then return nil end
  return { at = e.at, kind = "counters", host = e.host, label = e.label, moved = setmetatable(moved, nil) }
end

local SOCKET <const> = "^(%S+) (%S+) (%S+) (%d+) (%d+) (%d) (%d+)$"

local function parse_sockets(text)
  local sockets = {}
  for line in text:gmatch "[^\n]+" do
    local state, near, far, received, unsent, owned, retransmits = line:match(SOCKET)
    sockets[near .. ">" .. far] = {
      state = state, local_address = near, peer_address = far ~= "-" and far or nil,
      receive_queue = math.tointeger(received), send_queue = math.tointeger(unsent), owned = owned == "1",
      retransmits = math.tointeger(retransmits),
    }
  end
  return sockets
end

local FIELDS <const> = { "state", "receive_queue", "send_queue", "owned", "retransmits" }

local function differs(a, b)
  for _, field in ipairs(FIELDS) do
    if a[field] ~= b[field] then return true end
  end
  return false
end

-- The sockets that changed, and those that are gone; nil if none did.
local function sockets_event(e, before)
  local after, earlier = parse_sockets(e.text), before[e.host] or {}
  before[e.host] = after
  local changed = {}
  for key, socket in pairs(after) do
    if not earlier[key] or differs(earlier[key], socket) then changed[#changed + 1] = socket end
  end
  for key, socket in pairs(earlier) do
    if not after[key] then
      changed[#changed + 1] = { state = "gone", local_address = socket.local_address,
        peer_address = socket.peer_address }
    end
  end
  if #changed == 0 then return nil end
  table.sort(changed, function(a, b)
    if a.local_address ~= b.local_address then return a.local_address < b.local_address end
    return (a.peer_address or "") < (b.peer_address or "")
  end)
  return { at = e.at, kind = "sockets", host = e.host, label = e.label, changed = changed }
end

local SNAPSHOTS <const> = { counters = true, sockets = true }

--- Makes a recording's events from those of the core. A look at counters or sockets becomes its changes, and a failed
--- look becomes an event of the kind "unseen".
---@param events table[] from core.events
---@param before_counters table the last look of earlier calls, by host; this call updates it
---@param before_sockets table likewise
---@return table[] events
function kernel_view.understand(events, before_counters, before_sockets)
  local understood = {}
  for _, e in ipairs(events) do
    if e.code and SNAPSHOTS[e.kind] then e = { at = e.at, kind = "unseen", host = e.host, label = e.label,
      what = e.kind, code = e.code }
    elseif e.kind == "counters" then e = counters_event(e, before_counters)
    elseif e.kind == "sockets" then e = sockets_event(e, before_sockets) end
    if e then understood[#understood + 1] = e end
  end
  return understood
end

return kernel_view
