--- The meaning of a look at the queues, in sentences.
local sentences = {}

local LONG <const> = 1 -- s; what is worth a sentence
local MOST_CLIENTS <const> = 5 -- servers whose clients are told of

local function name_of(entry)
  local place = entry.port and ":" .. entry.port or entry.address
  return entry.program and ("%s (%s)"):format(place, entry.program) or place
end

local function seconds(number) return ("%.0f s"):format(number) end

local function count_of(count, noun) return ("%d %s%s"):format(count, noun, count == 1 and "" or "s") end

-- How they have left, as far as it is known.
local function ways_of(entry)
  local ways = {}
  if (entry.left_by_fin or 0) > 0 then ways[#ways + 1] = entry.left_by_fin .. " by FIN" end
  if (entry.left_by_reset or 0) > 0 then ways[#ways + 1] = entry.left_by_reset .. " by RST" end
  return table.concat(ways, ", ")
end

local function tell_ghosts(told, entry)
  local gone = (entry.left_by_fin or 0) + (entry.left_by_reset or 0)
  if gone == 0 then return end
  local is_known = entry.left_by_fin and entry.left_by_reset
  local oldest = entry.oldest_seconds and ("; the oldest waits %s"):format(seconds(entry.oldest_seconds)) or ""
  told[#told + 1] = ("%s%d of %s in the queue of %s %s gone (%s); the server may carry out %s when it accepts "
    .. "%s (redis does: see the field guide)%s."):format(is_known and "" or "At least ", gone,
    count_of(entry.depth, "client"), name_of(entry), gone == 1 and "has" or "have", ways_of(entry),
    gone == 1 and "its request" or "their requests", gone == 1 and "it" or "them", oldest)
end

local function tell_waiting(told, entry)
  local gone = (entry.left_by_fin or 0) + (entry.left_by_reset or 0)
  if gone > 0 or entry.depth == 0 or (entry.oldest_seconds or 0) < LONG then return end
  told[#told + 1] = ("%s in the queue of %s: nobody accepts %s; the oldest waits %s."):format(
    count_of(entry.depth, "client"), name_of(entry), entry.depth == 1 and "it" or "them",
    seconds(entry.oldest_seconds))
end

local function tell_full(told, entry, one)
  if one.depth <= one.limit then return end
  local dropped = one.drops and one.drops > 0 and (" It has dropped %s for it so far."):format(
    count_of(one.drops, "handshake")) or ""
  local somaxconn = entry.at_somaxconn and " (net.core.somaxconn)" or ""
  told[#told + 1] = ("The queue of %s is full: its limit is %d%s. %s%s"):format(name_of(entry), one.limit, somaxconn,
    entry.port and "The kernel drops the SYNs of new clients."
      or "connect(2) of new clients waits, or fails with EAGAIN.",
    dropped)
end

local function tell_unknown(told, entry)
  if entry.left_by_fin == nil and entry.mptcp and entry.depth > 0 then
    told[#told + 1] = ("%s listens by MPTCP: only root sees which of its clients have sent a FIN."):format(
      name_of(entry))
  elseif entry.left_by_reset == nil then
    told[#told + 1] = ("The queue of %s changed at every look: how many in it have left by RST is unknown."):format(
      name_of(entry))
  end
end

local function tell_clients(told, clients)
  local waiting = {}
  for _, client in ipairs(clients) do
    if (client.oldest_seconds or 0) >= LONG then waiting[#waiting + 1] = client end
  end
  table.sort(waiting, function(a, b) return a.oldest_seconds > b.oldest_seconds end)
  for i = 1, math.min(#waiting, MOST_CLIENTS) do
    local client = waiting[i]
    local whose = client.program and (" of %s (%d)"):format(client.program, client.pid) or ""
    local here = client.queued > 0 and (" (%d of them in its queue)"):format(client.queued) or ""
    told[#told + 1] = ("%s%s %s for an answer of %s%s, the oldest since %s."):format(
      count_of(client.waiting, "connection"), whose, client.waiting == 1 and "waits" or "wait", client.address, here,
      seconds(client.oldest_seconds))
  end
  if #waiting > MOST_CLIENTS then
    told[#told + 1] = ("So do connections to %d more addresses (--json has them)."):format(#waiting - MOST_CLIENTS)
  end
end

--- The sentences for one look.
---@param look lunet.queue_look
---@param is_root boolean whether the user may see everybody's processes
---@return string[]
function sentences.of(look, is_root)
  local told, hidden = {}, false
  for _, entry in ipairs(look.listeners) do
    tell_ghosts(told, entry)
    tell_waiting(told, entry)
    for _, one in ipairs(entry.members or { entry }) do tell_full(told, entry, one) end
    tell_unknown(told, entry)
    hidden = hidden or not entry.program
  end
  tell_clients(told, look.clients)
  if hidden and not is_root then
    told[#told + 1] = "Root would also see the programs of other users."
  end
  return told
end

return sentences
