--- Wrong outcomes: each is a real outcome with one field changed to a wrong but plausible value. A check that does not
--- notice one says nothing about that field.
---
--- A field is a leaf of the outcome, or a list in it. Its path names it: "late[].seconds" is the field `seconds` of a
--- record in the list `late`. Wrong values are: of a boolean the other one; of a count one more, one less and none; of
--- a time or size a third of it and three times it; of a string another one of its column or of its kind; of a list
--- the same without its first and without its last item.
local judgement_of = require "spec.support.judgement"
local value = require "lunet.text.value"

local mutations = {}

local KINDS <const> = {
  { "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "TIMEOUT", "EOF" },
  { "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "TIME_WAIT", "CLOSE" },
  { "open", "fin", "reset" },
}
local MOST_STRINGS <const> = 3 -- wrong values of a string that are tried

-- -- wrong values --------------------------------------------------------------------------------

local function add_new(list, any, real)
  if any == real then return end
  for _, known in ipairs(list) do
    if known == any then return end
  end
  list[#list + 1] = any
end

local function wrong_count(count)
  local list = {}
  add_new(list, count + 1, count)
  if count > 0 then add_new(list, count - 1, count) end
  add_new(list, 0, count)
  return list
end

-- A third of 0 is 0: it becomes the largest of its column instead.
local function wrong_size(size, column)
  local largest = 0
  for _, other in ipairs(column) do largest = math.max(largest, math.type(other) and other or 0) end
  if size == 0 then return { largest == 0 and 1 or largest } end
  if math.type(size) == "integer" then return { size // 3, size * 3 } end
  return { size / 3, size * 3 }
end

local function wrong_string(text, column)
  local list = {}
  for _, kind in ipairs(KINDS) do
    for i, word in ipairs(kind) do
      if word == text then
        add_new(list, kind[i % #kind + 1], text)
        add_new(list, kind[(i + 1) % #kind + 1], text)
      end
    end
  end
  for _, other in ipairs(column) do
    if type(other) == "string" and #list < MOST_STRINGS then add_new(list, other, text) end
  end
  if #list == 0 then list[1] = "something else" end
  return list
end

-- By the name of a field: times and sizes are those that have a unit, and all that are not whole.
local function is_size(name, any, sizes)
  if math.type(any) == "float" or sizes[name] then return true end
  local word = name:match "[%w_]+$" or name:match "([%w_]+)%[%]$" or name
  return word:find "bytes$" ~= nil or word:find "seconds$" ~= nil or word:find "^ms$" ~= nil or word:find "_ms$" ~= nil
end

local function wrong_values(name, any, column, sizes)
  if type(any) == "boolean" then return { not any } end
  if type(any) == "string" then return wrong_string(any, column) end
  if any >= 0 and is_size(name, any, sizes) then return wrong_size(any, column) end
  return wrong_count(any)
end

local function without(list, at)
  local shorter = table.move(list, 1, #list, 1, {})
  table.remove(shorter, at)
  return shorter
end

local function shorter_lists(list)
  if #list == 1 then return { {} } end
  return { without(list, 1), without(list, #list) }
end

-- -- the fields of an outcome ---------------------------------------------------------------------

local function is_list(any) return type(any) == "table" and #any > 0 end

--- Calls fn for every field: its name, its value, the table that has it, its key there, and the keys on the way to it.
local function walk(any, name, keys, fn)
  for _, key in ipairs(value.sorted_keys(any)) do
    local inner = any[key]
    local inner_name = is_list(any) and name .. "[]" or name == "" and tostring(key) or name .. "." .. tostring(key)
    local inner_keys = table.move(keys, 1, #keys, 1, {})
    inner_keys[#inner_keys + 1] = key
    if type(inner) ~= "table" or is_list(inner) then fn(inner_name, inner, any, inner_keys) end
    if type(inner) == "table" then walk(inner, inner_name, inner_keys, fn) end
  end
end

local function columns_of(outcome)
  local columns = {}
  walk(outcome, "", {}, function(name, any)
    columns[name] = columns[name] or {}
    table.insert(columns[name], any)
  end)
  return columns
end

local function copy(any)
  if type(any) ~= "table" then return any end
  local same = {}
  for key, inner in pairs(any) do same[key] = copy(inner) end
  return same
end

local function changed(outcome, keys, wrong)
  local same = copy(outcome)
  local place = same
  for i = 1, #keys - 1 do place = place[keys[i]] end
  place[keys[#keys]] = copy(wrong)
  return same
end

---@class lunet.mutated_field
---@field name string its path
---@field keys any[] the keys on the way to it
---@field record table the table that has it
---@field real any
---@field wrong any[] the wrong values

--- Lists the fields of an outcome, and the wrong values of each.
---@param outcome table
---@param sizes? table<string, boolean> by path: whole numbers that are times or sizes, though their names do not say so
---@return lunet.mutated_field[]
function mutations.fields(outcome, sizes)
  local columns, fields = columns_of(outcome), {}
  walk(outcome, "", {}, function(name, any, record, keys)
    local wrong = is_list(any) and shorter_lists(any) or wrong_values(name, any, columns[name], sizes or {})
    fields[#fields + 1] = { name = name, keys = keys, record = record, real = any, wrong = wrong }
  end)
  return fields
end

-- -- what a check notices -------------------------------------------------------------------------

-- Broken is a check that ends by a mistake of its own: it says nothing about the claim.
local function verdict_on(experiment, outcome, values)
  local ok, judgement = pcall(judgement_of, experiment, outcome, values)
  if not ok then return "broken", tostring(judgement):match "[^\n]*" end
  if judgement.mistake then return "broken", judgement.why end
  return judgement.verdict, judgement.why, judgement.figures
end

local function show(any) return type(any) == "table" and ("a list of %d"):format(#any) or value.show(any) end

-- Returns a complaint if the check does not notice the wrong field, else nil; and the figures of the run.
local function complaint_on(experiment, outcome, values, field, wrong)
  local verdict, why, figures = verdict_on(experiment, changed(outcome, field.keys, wrong), values)
  if verdict == "does not hold" or verdict == "not judged" then return nil, figures end
  local keys = {}
  for i, key in ipairs(field.keys) do keys[i] = tostring(key) end
  return ("%s is %s: with %s %s"):format(table.concat(keys, "."), show(field.real), show(wrong),
    verdict == "holds" and "the claim holds" or why), figures
end

local function is_shown(entry, field, outcome)
  if entry == nil or type(entry) == "string" then return entry ~= nil end
  return entry.when(field.record, outcome)
end

--- Tries every wrong value of every field.
---@param experiment table
---@param outcome table for which its claim holds
---@param values table<string, any> of all knobs
---@param listing? {shown: table<string, string|{why: string, when: fun(record: table, outcome: table): boolean}>?,
---  sizes: table?} shown: by path, the fields that are shown and not judged, and why
---@return {fields: integer, noticed: integer, shown: integer, complaints: string[]} tally
function mutations.try(experiment, outcome, values, listing)
  local shown = listing and listing.shown or {}
  local figures = judgement_of(experiment, outcome, values).figures
  local is_measured = figures == nil or not figures:find "%d"
  local tally = { fields = 0, noticed = 0, shown = 0, complaints = {} }
  for _, field in ipairs(mutations.fields(outcome, listing and listing.sizes)) do
    tally.fields = tally.fields + 1
    local complaints = {}
    for _, wrong in ipairs(field.wrong) do
      local complaint, told = complaint_on(experiment, outcome, values, field, wrong)
      complaints[#complaints + 1] = complaint
      is_measured = is_measured or told ~= figures
    end
    if #complaints == 0 then
      tally.noticed = tally.noticed + 1
    elseif is_shown(shown[field.name], field, outcome) then
      tally.shown = tally.shown + 1
    else
      table.move(complaints, 1, #complaints, #tally.complaints + 1, tally.complaints)
    end
  end
  if not is_measured then table.insert(tally.complaints, "the figures are the same whatever the outcome is") end
  return tally
end

return mutations
