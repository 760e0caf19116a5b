--- A line about a group of hosts: the script's note, and counts of the events.
local value = require "lunet.text.value"

local summary = {}

local NOTE <const> = 70 -- bytes of a note, at most

local function counted(count, noun) return ("%d %s%s"):format(count, noun, count == 1 and "" or "s") end

-- The first note of the group that no earlier group has.
local function note_of(group, told)
  for _, e in ipairs(group.events) do
    if e.kind == "note" and not told[e] then return e.text end
  end
end

local function shortened(words)
  if #words <= NOTE then return words end
  return words:sub(1, (utf8.offset(words, 0, NOTE) or NOTE) - 1):gsub("%s+%S*$", "") .. " …"
end

local function failures_text(codes)
  local parts = {}
  for i, code in ipairs(value.sorted_keys(codes)) do parts[i] = ("%d × %s"):format(codes[code], code) end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

-- Counts the events of a group by what they tell.
local function count(group)
  local seen = { segments = 0, lost = 0, codes = {}, deepest = nil }
  for _, e in ipairs(group.events) do
    if e.kind == "segment" then seen.segments = seen.segments + 1 end
    if e.lost or e.kind == "loss" then seen.lost = seen.lost + 1 end
    if e.code and e.code ~= "EOF" and e.code ~= "CLOSED" then seen.codes[e.code] = (seen.codes[e.code] or 0) + 1 end
    if e.kind == "queue" and (not seen.deepest or e.depth > seen.deepest.depth) then seen.deepest = e end
  end
  return seen
end

--- Describes a group.
---@param group lunet.group
---@param told table<table, boolean> the notes of earlier groups; the group's own ones are added
---@return string
function summary.of(group, told)
  local seen, note = count(group), note_of(group, told)
  for _, e in ipairs(group.events) do
    if e.kind == "note" then told[e] = true end
  end
  local parts = { counted(#group.events, "event") }
  if seen.segments > 0 then parts[#parts + 1] = counted(seen.segments, "segment") end
  if seen.lost > 0 then parts[#parts + 1] = ("%d lost"):format(seen.lost) end
  if seen.deepest then
    parts[#parts + 1] = ("queue at most %d, limit %d"):format(seen.deepest.depth, seen.deepest.limit)
  end
  parts[#parts + 1] = failures_text(seen.codes)
  local words = table.concat(parts, ", ")
  return note and ("%s (%s)"):format(shortened(note), words) or words
end

return summary
