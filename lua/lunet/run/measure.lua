--- A measure: a figure of an experiment's outcome that sweeps summarize and draw. It is declared as {unit, meaning},
--- with `better` as "more" or "less" if one of them is. Its name is that of the outcome's field; a dot leads into a
--- table.
---
---     measures = { goodput = { "/s", "requests answered in time", better = "more" },
---       ["queue.depth"] = { "connections", "of the accept queue" } }
---
--- Where a run takes one of several states by chance, a mean says nothing. Such a measure declares its `states`: names
--- with the boundaries between them if it is a number, the texts that it may be, or names for false and true.
---
---     measures = { goodput = { "/s", "requests answered in time", states = { "collapsed", 50, "works" } },
---       ending = { "", "of the storm", states = { "dies_out", "goes_on" } } }
local options = require "lunet.text.options"

local measure = {}

local function declaration_error(name, text) error(("measure %s: %s"):format(name, text), 0) end

-- Names of states; or names with ascending numbers between them.
local function are_states(list)
  if type(list) ~= "table" or #list < 2 then return false end
  local has_numbers, known = math.type(list[2]) ~= nil, {}
  for i, item in ipairs(list) do
    if has_numbers and i % 2 == 0 then
      if not math.type(item) or i > 2 and item <= list[i - 2] then return false end
    else
      if type(item) ~= "string" or not item:find "^[%w_.-]+$" or known[item] then return false end
      known[item] = true
    end
  end
  return not has_numbers or #list % 2 == 1
end

---@class lunet.measure
---@field name string
---@field unit string
---@field meaning string
---@field better "more"|"less"|nil
---@field states (string|number)[]?

--- Makes a measure of its declaration.
---@param name string
---@param declared table {unit, meaning, better=, states=}
---@return lunet.measure
function measure.new(name, declared)
  if type(name) ~= "string" or not ("." .. name):find "^[.%w_]+$" or ("." .. name .. "."):find("..", 1, true) then
    declaration_error(tostring(name), "its name is a field of the outcome, or several with dots between them")
  end
  if type(declared) ~= "table" or type(declared[1]) ~= "string" or type(declared[2]) ~= "string" then
    declaration_error(name, "declared as {unit, meaning}, which are strings")
  end
  local named = {}
  for field, value in pairs(declared) do
    if field ~= 1 and field ~= 2 then named[field] = value end
  end
  local unknown = options.unknown("field", named, { "better", "states" })
  if unknown then declaration_error(name, unknown) end
  if declared.better ~= nil and declared.better ~= "more" and declared.better ~= "less" then
    declaration_error(name, "better is \"more\" or \"less\"")
  end
  if declared.states ~= nil and not are_states(declared.states) then
    declaration_error(name, "states are names (letters, digits, _ . -), or names with ascending numbers between them")
  end
  return { name = name, unit = declared[1], meaning = declared[2], better = declared.better,
    states = declared.states }
end

--- The names of a measure's states, and whether it is a number with boundaries between them.
---@param self lunet.measure
---@return string[]
---@return boolean is_number
function measure.states(self)
  local names = {}
  for _, item in ipairs(self.states) do
    if type(item) == "string" then names[#names + 1] = item end
  end
  return names, #names < #self.states
end

--- The state of a run.
---@param self lunet.measure
---@param value any the measure's value in the run
---@return string|nil state nil if the value is of none
function measure.state(self, value)
  local names, is_number = measure.states(self)
  if type(value) == "boolean" and #names == 2 and not is_number then return names[value and 2 or 1] end
  local state
  for i, name in ipairs(names) do
    local is_in
    if is_number then
      is_in = math.type(value) and (i == 1 or value >= self.states[2 * i - 2])
    else
      is_in = value == name
    end
    if is_in then state = name end
  end
  return state
end

return measure
