--- Whether the connections that are in a queue's depth, and not in the kernel's list, are ghosts by RST.
---
--- The kernel tells the depth and the list at two different moments. A connection that comes or is accepted in between
--- looks like a ghost, or hides one. So the difference counts only if one of two proofs shows that nothing moved:
---
--- * Nothing came. Tcp's PassiveOpens of the namespace counts every new connection of every listener. If it stands
---   still during a look, the queue can only shrink; if the depth is the same at both ends of the look, it did not.
---   Two such looks in a row must find the same difference.
--- * Nothing was accepted. Programs accept in the order of arrival. If three looks in a row list the same
---   connections, and one of them came before the first look, then nothing behind it was accepted. At the second look,
---   every connection in the queue that lives was listed. This proof holds while other listeners are busy.
local settling = {}

local OLD <const> = 1 -- s; longer than a look takes

--- The facts about one queue that a look brings.
---@class lunet.queue_evidence
---@field depth integer
---@field is_steady boolean the depth was the same at both ends of the look
---@field is_calm boolean no connection came to the namespace during the look
---@field listed integer
---@field digest integer of the connections that were listed
---@field oldest number seconds

local function unlisted(look) return look.depth - look.listed end

local function nothing_came(now, before)
  return before.is_steady and now.is_calm and before.is_calm and unlisted(now) == unlisted(before)
end

local function is_same(one, other)
  return other.is_steady and one.depth == other.depth and one.listed == other.listed and one.digest == other.digest
end

local function nothing_was_accepted(now, before, earlier)
  return now.listed > 0 and is_same(now, before) and is_same(now, earlier) and earlier.oldest >= OLD
end

--- How many ghosts by RST are in a queue.
---@param looks lunet.queue_evidence[] the last one first
---@return integer? count nil: unknown
function settling.resets(looks)
  local now, before, earlier = looks[1], looks[2], looks[3]
  if not now.is_steady or unlisted(now) < 0 then return nil end
  if unlisted(now) == 0 then return 0 end
  if before and nothing_came(now, before) then return unlisted(now) end
  if earlier and nothing_was_accepted(now, before, earlier) then return unlisted(now) end
  return nil
end

return settling
