--- An excerpt of a diagram's marks, for a page that has no room for all of them: the beginning and the end, and a note
--- between them that says how many events are missing.
local excerpt = {}

local BEGINNING <const> = 2 / 3 -- of the room

-- An excerpt leaves out first, in this order, all acknowledgements that carry nothing, and all reads and writes of
-- programs' standard streams.
local LESS <const> = {
  function(mark) return mark.kind == "segment" and not mark.label and not mark.lost end,
  function(mark) return mark.e.stream ~= nil end,
}

local function without(list, is_less)
  local kept = {}
  for _, mark in ipairs(list) do
    if not is_less(mark) then kept[#kept + 1] = mark end
  end
  return kept
end

local function gap(first, count)
  return { kind = "note", is_gap = true, at = first.at, number = first.number, e = { kind = "note", at = first.at },
    label = count == 1 and "1 event is not drawn here." or ("%d events are not drawn here."):format(count) }
end

--- Makes an excerpt.
---@param list table[] marks in the order of time
---@param most? integer of how many; all by default
---@return table[] list the same one if it is short enough
function excerpt.of(list, most)
  for _, is_less in ipairs(LESS) do
    if #list <= (most or math.huge) then return list end
    list = without(list, is_less)
  end
  local missing = #list - (most or math.huge)
  if missing <= 0 then return list end
  local head = math.floor(most * BEGINNING)
  local kept = table.move(list, 1, head, 1, {})
  kept[head + 1] = gap(list[head + 1], missing)
  return table.move(list, head + missing + 1, #list, head + 2, kept)
end

return excerpt
