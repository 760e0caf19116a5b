--- Expectations of a check about an outcome's rows, field by field. The first field that differs ends the check: the
--- claim does not hold, and the reason names the row, the field, its value and what the check expected.
---
---     expect.fields("proxy, reset", row, { status = "499", asked = false, wait = expect.time(0.3, 0.6) })
---     --> proxy, reset: asked is true, not false
local verdict = require "lunet.run.verdict"

local expect = {}

---@class lunet.range
---@field low number
---@field high number
---@field is_time? boolean

local range = {}
range.__index = range

function range:__tostring()
  if self.high == math.huge then return ("%.6g or more"):format(self.low) end
  if self.low == -math.huge then return ("%.6g or less"):format(self.high) end
  return ("from %.6g to %.6g"):format(self.low, self.high)
end

local function is_range(value) return getmetatable(value) == range end

--- Expects a number in a range, both ends included.
---@param low number
---@param high number
---@return lunet.range
function expect.between(low, high) return setmetatable({ low = low, high = high }, range) end

---@param low number
---@return lunet.range
function expect.at_least(low) return expect.between(low, math.huge) end

---@param high number
---@return lunet.range
function expect.at_most(high) return expect.between(-math.huge, high) end

--- Expects a time. It comes too early if the claim is false, and too late if the machine was busy; a late time ends the
--- check as not judged.
---@param low number the earliest
---@param high number the latest
---@return lunet.range
function expect.time(low, high) return setmetatable({ low = low, high = high, is_time = true }, range) end

local function fits(value, wanted)
  if not is_range(wanted) then return value == wanted end
  return type(value) == "number" and value >= wanted.low and value <= wanted.high
end

local function is_late(value, wanted)
  return is_range(wanted) and wanted.is_time and type(value) == "number" and value > wanted.high
end

local function compare(where, value, wanted)
  if fits(value, wanted) then return end
  local text = ("%s is %s, not %s"):format(where, tostring(value), tostring(wanted))
  if is_late(value, wanted) then verdict.not_judged("%s: the machine was late", text) end
  error(text, 0)
end

--- Expects a value.
---@param where string its name, the subject of the reason
---@param value any
---@param wanted any a value, or a range
function expect.value(where, value, wanted) compare(where, value, wanted) end

--- Expects fields of a row, or of the outcome. Compares times last: a field that is wrong on every machine comes first.
---@param name string of the row
---@param row table
---@param wanted table<string, any> values and ranges, by field
function expect.fields(name, row, wanted)
  local fields, times = {}, {}
  for field, value in pairs(wanted) do
    local list = is_range(value) and value.is_time and times or fields
    list[#list + 1] = field
  end
  for _, list in ipairs { fields, times } do
    table.sort(list)
    for _, field in ipairs(list) do compare(name .. ": " .. field, row[field], wanted[field]) end
  end
end

--- Expects a row for each case, in the same order, with the same values of these fields.
---@param name string of the list
---@param rows table[]
---@param cases table[] the cases of the run
---@param fields string[]
function expect.cases(name, rows, cases, fields)
  compare("the number of " .. name, #rows, #cases)
  for i, case in ipairs(cases) do
    for _, field in ipairs(fields) do compare(("%s %d: %s"):format(name, i, field), rows[i][field], case[field]) end
  end
end

return expect
