--- Expectations of a check about an outcome's rows, field by field. The first field that differs ends the check: the
--- claim does not hold, and the reason names the row, the field, its value and what the check expected.
local verdict = require "lunet.run.verdict"

---@class lunet.expect
local expect = {}

---@class lunet.range
---@field low number
---@field high number
---@field is_time? boolean

local range = {}
range.__index = range

function range:__tostring()
  if self.high == math.huge then return ("%.6g or more"):format(self.low) end
  if self.low == self.high then return ("%.6g"):format(self.low) end
  if self.low == -math.huge then return ("%.6g or less"):format(self.high) end
  return ("from %.6g to %.6g"):format(self.low, self.high)
end

local function is_range(value) return getmetatable(value) == range end

--- Expects a number in a range, both ends included.
---
---     print(expect.between(1, 3)) --> from 1 to 3
---     print(pcall(expect.value, "depth", 4, expect.between(1, 3))) --> false  depth is 4, not from 1 to 3
---@param low number
---@param high number
---@return lunet.range
function expect.between(low, high) return setmetatable({ low = low, high = high }, range) end

--- Expects a number, or a greater one.
---
---     print(pcall(expect.value, "depth", 4, expect.at_least(5))) --> false  depth is 4, not 5 or more
---@param low number
---@return lunet.range
function expect.at_least(low) return expect.between(low, math.huge) end

--- Expects a number, or a smaller one.
---
---     print(pcall(expect.value, "depth", 4, expect.at_most(3))) --> false  depth is 4, not 3 or less
---@param high number
---@return lunet.range
function expect.at_most(high) return expect.between(-math.huge, high) end

--- Expects a time. It comes too early if the claim is false, and too late if the machine was busy; a late time ends the
--- check as not judged.
---
---     print(select(2, pcall(expect.value, "wait", 0.1, expect.time(0.2, 0.5)))) --> wait is 0.1, not from 0.2 to 0.5
---     print(select(2, pcall(expect.value, "wait", 0.9, expect.time(0.2, 0.5)))) --> not judged: wait is 0.9...
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
---
---     expect.value("code", "TIMEOUT", "TIMEOUT")
---     print(pcall(expect.value, "code", "EOF", "TIMEOUT")) --> false  code is EOF, not TIMEOUT
---@param where string its name, the subject of the reason
---@param value any
---@param wanted any a value, or a range
function expect.value(where, value, wanted) compare(where, value, wanted) end

--- Expects fields of a row, or of the outcome. Compares times last: a field that is wrong on every machine comes first.
---
---     local row = { status = "499", asked = true }
---     local wanted = { status = "499", asked = false }
---     print(pcall(expect.fields, "reset", row, wanted)) --> false  reset: asked is true, not false
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

--- Checks every row. A row that the machine disturbed ends the check only if no row is wrong.
---
---     local rows = { { depth = 1 }, { depth = 2 } }
---     local function check(row, number) expect.value("depth " .. number, row.depth, 1) end
---     print(pcall(expect.each, rows, check)) --> false  depth 2 is 2, not 1
---@param rows table[]
---@param check fun(row: table, number: integer)
function expect.each(rows, check)
  local disturbance
  for i, row in ipairs(rows) do
    local is_checked, failure = pcall(check, row, i)
    if not is_checked then
      if not verdict.is_not_judged(failure) then error(failure, 0) end
      disturbance = disturbance or failure
    end
  end
  if disturbance then error(disturbance, 0) end
end

--- Expects a row for each case, in the same order, with the same values of these fields.
---
---     local rows, cases = { { backlog = 5, depth = 6 } }, { { backlog = 6 } }
---     print(pcall(expect.cases, "row", rows, cases, { "backlog" })) --> false  row 1: backlog is 5, not 6
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
