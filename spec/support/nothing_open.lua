--- A helper for busted (see .busted): a spec file that ends with open handles fails. Each file is a process of its own
--- in ctest, where nobody else would see them; script/soak runs all files in one process.
---
--- A spec that fails may leave handles open. The helper closes them, so that the later specs of the file do not fail,
--- too. It leaves open what was open before the spec, such as the handles of a `setup`.
local busted = require "busted"

-- Returns the open handles as a set. Only the registry has those that a failed spec no longer holds: a table of
-- core/binding/anchor.c, from light userdata to the handles' values.
local function open_values()
  local texts, found = {}, {}
  for _, text in ipairs(require "lunet".open_handles()) do texts[text] = true end
  for key, values in pairs(debug.getregistry()) do
    if type(key) == "userdata" and type(values) == "table" then
      for _, value in pairs(values) do
        if type(value) == "userdata" and texts[tostring(value)] then found[value] = true end
      end
    end
  end
  return found
end

local before = {}

busted.subscribe({ "test", "start" }, function()
  before = open_values()
  return nil, true -- as every subscriber: the others are told, too
end)

busted.subscribe({ "test", "end" }, function(_, _, status)
  if status == "failure" or status == "error" then
    for value in pairs(open_values()) do
      if not before[value] then value:close() end
    end
  end
  return nil, true
end)

busted.subscribe({ "file", "end" }, function(file)
  local open = require "lunet".open_handles()
  if #open > 0 then error(file.name .. " leaves open: " .. table.concat(open, ", "), 0) end
  return nil, true
end)
