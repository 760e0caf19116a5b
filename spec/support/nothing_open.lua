--- A helper for busted (see .busted): a spec file that ends with open handles fails. Each file is a process of its own
--- in ctest, where nobody else would see them; script/soak runs all files in one process.
local busted = require "busted"

busted.subscribe({ "file", "end" }, function(file)
  local open = require "lunet".open_handles()
  if #open > 0 then error(file.name .. " leaves open: " .. table.concat(open, ", "), 0) end
  return nil, true -- as every subscriber: the others are told, too
end)
