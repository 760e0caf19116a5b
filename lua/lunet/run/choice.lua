--- Knobs that choose one of several items by its name, or all of them.
---
---     local CASES = { { name = "refused", port = 7299 }, { name = "silent", port = 7300 } }
---
--- The knob is `case = { "all", "case", "one of them alone", choices = choice.of(CASES, "name") }`. The experiment's
--- `run` goes over `choice.pick(CASES, knobs.case, "name")`.
---
--- An item is a table with its name in a field; without a field the item is the name itself.
local options = require "lunet.text.options"

---@class lunet.choice
local choice = {}

--- The choices of such a knob: "all", then each name.
---
---     print(table.unpack(choice.of(CASES, "name"))) --> all  refused  silent
---@param items any[]
---@param field? string
---@return any[] choices
function choice.of(items, field)
  local choices = { "all" }
  for i, item in ipairs(items) do choices[i + 1] = field and item[field] or item end
  return choices
end

--- The first item of this name.
---
---     print(choice.find(CASES, "silent", "name").port) --> 7300
---@param items table[]
---@param name any
---@param field string
---@return table|nil
function choice.find(items, name, field)
  for _, item in ipairs(items) do
    if item[field] == name then return item end
  end
  return nil
end

--- The items that the knob chooses. Without a field it may choose a name outside of "all".
---
---     print(#choice.pick(CASES, "all", "name"), choice.pick(CASES, "silent", "name")[1].port) --> 2  7300
---@generic T
---@param items T[]
---@param name any the knob
---@param field? string
---@return T[] picked in their order
function choice.pick(items, name, field)
  if name == "all" then return items end
  if not field then return { name } end
  return { choice.find(items, name, field) }
end

--- Makes a case for each combination of several such knobs; the last knob changes first.
---
---     local knobs = { mode = "all", departure = "reset" }
---     local lists = { { "mode", { "fast", "slow" } }, { "departure", { "close", "reset" } } }
---     local cases = choice.combinations(knobs, lists)
---     print(#cases, cases[2].mode, cases[2].departure) --> 2  slow  reset
---@param knobs table<string, any>
---@param lists any[][] the name of each, and its items
---@return table<string, any>[] cases with fields of these names
function choice.combinations(knobs, lists)
  local cases = { {} }
  for _, list in ipairs(lists) do
    local name, items = list[1], list[2]
    local longer = {}
    for _, case in ipairs(cases) do
      for _, item in ipairs(choice.pick(items, knobs[name])) do
        longer[#longer + 1] = options.merged(case, { [name] = item })
      end
    end
    cases = longer
  end
  return cases
end

return choice
