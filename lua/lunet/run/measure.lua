--- A measure: a figure of an experiment's outcome that sweeps summarize and draw. It is declared as {unit, meaning},
--- with `better` as "more" or "less" if one of them is. Its name is that of the outcome's field; a dot leads into a
--- table.
---
---     measures = { goodput = { "/s", "requests answered in time", better = "more" },
---       ["queue.depth"] = { "connections", "of the accept queue" } }
local options = require "lunet.text.options"

local measure = {}

local function declaration_error(name, text) error(("measure %s: %s"):format(name, text), 0) end

--- Makes a measure of its declaration.
---@param name string
---@param declared table {unit, meaning, better=}
---@return {name: string, unit: string, meaning: string, better: "more"|"less"|nil}
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
  local unknown = options.unknown("field", named, { "better" })
  if unknown then declaration_error(name, unknown) end
  if declared.better ~= nil and declared.better ~= "more" and declared.better ~= "less" then
    declaration_error(name, "better is \"more\" or \"less\"")
  end
  return { name = name, unit = declared[1], meaning = declared[2], better = declared.better }
end

return measure
