--- The values that a knob takes in a sweep, as they are written on the command line.
---
---     1,3,5         a list; each item may be one of the next two
---     1..20         a range of numbers in steps of 1
---     1..20/5       in steps of 5: 1, 6, 11, 16
---     1..64*2       by a factor of 2: 1, 2, 4, ..., 64
---     fifo,lifo     names
---     =2*backlog    Lua over the other knobs' names, worked out for each point
---
--- A knob that is a list itself takes its items with "+" between them: `3+5+40,7` is two values, of three items and of
--- one.
local knob_type = require "lunet.run.knob"

local values = {}

--- The values of a knob may be so many, and a sweep's points, too.
values.MOST = 100000

local DIGITS <const> = "%.12g" -- of what steps and factors make: 0.1 + 2 * 0.1 is 0.3

local function refuse(knob, word, why) error(("knob %s: '%s': %s"):format(knob.name, word, why), 0) end

local function is_whole(...)
  for _, number in ipairs { ... } do
    if math.type(number) ~= "integer" then return false end
  end
  return true
end

-- A whole number of whole numbers, else a float without the noise of its last digits.
local function tidy(number, whole)
  return whole and math.tointeger(number) or tonumber(DIGITS:format(number)) + 0.0
end

local function finite(knob, word, text)
  local number = tonumber(text)
  if number and number == number and math.abs(number) < math.huge then return number end
  refuse(knob, word, ("'%s' is no number"):format(text))
end

-- How many steps lead from one number to another, and what is behind so many of them.
local function steps_of(knob, word, range)
  if range.way == "*" then
    if range.from <= 0 or range.by <= 1 then refuse(knob, word, "a factor is above 1, and begins above 0") end
    return math.log(range.to / range.from) / math.log(range.by), function(i) return range.from * range.by ^ i end
  end
  if range.by <= 0 then refuse(knob, word, "a step is above 0") end
  return (range.to - range.from) / range.by, function(i) return range.from + i * range.by end
end

local function add_range(list, knob, word, range)
  if range.to < range.from then refuse(knob, word, "a range begins with its least value") end
  local steps, value_at = steps_of(knob, word, range)
  if #list + steps >= values.MOST then refuse(knob, word, ("these are more than %d values"):format(values.MOST)) end
  if steps + 1e-9 < 1 and range.to > range.from then
    refuse(knob, word, ("the range has one value only: its step is %s"):format(knob_type.text(range.by)))
  end
  local whole = is_whole(range.from, range.to, range.by)
  for i = 0, math.floor(steps + 1e-9) do list[#list + 1] = knob.is_list and { value_at(i) } or value_at(i) end
  for i, value in ipairs(list) do
    if math.type(value) then list[i] = tidy(value, whole) end
  end
end

-- The parts of "1..20", "1..20/5" or "1..64*2", as texts; nil if it is none of these.
local function parts_of(word)
  local from, to = word:match "^([^/*]+)%.%.([^/*]+)$"
  if from then return from, to, "/", "1" end
  return word:match "^([^/*]+)%.%.([^/*]+)([/*])([^/*]+)$"
end

local function add_word(list, knob, word)
  local from, to, way, by = parts_of(word)
  if from and knob.type ~= "string" and knob.type ~= "boolean" then
    add_range(list, knob, word, { from = finite(knob, word, from), to = finite(knob, word, to), way = way,
      by = finite(knob, word, by) })
  else
    list[#list + 1] = knob:parse(knob.is_list and word:gsub("%+", ",") or word)
  end
end

--- Reads the values of a knob. Raises an error that names the knob and what is wrong. Whether the numbers of a range
--- are allowed, the points tell.
---@param knob lunet.knob
---@param text string
---@return any[]|string values; or a Lua expression
---@return boolean is_expression
function values.parse(knob, text)
  if text:sub(1, 1) == "=" then return text:sub(2), true end
  local list = {}
  for word in (text .. ","):gmatch "([^,]*)," do add_word(list, knob, word) end
  return list, false
end

return values
