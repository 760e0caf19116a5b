-- lunet spec/kernels/check.lua "NAME ..." DIRECTORY...: prints the verdicts of runs. Exits with 1 if a run neither
-- holds nor is left unjudged.
local cells = require "spec.kernels.cells"
local tabular = require "lunet.text.table"

-- A busy machine leaves a run unjudged.
local RIGHT <const> = { ["holds"] = true, ["known difference"] = true, ["not judged"] = true }

local rows, remarks, all_right = {}, {}, true
for name in arg[1]:gmatch "%S+" do
  local row = { experiment = name }
  for i = 2, #arg do
    local column, cell = arg[i]:match "[^/]+$", cells.read(arg[i], name)
    row[column] = cell.verdict
    all_right = all_right and RIGHT[cell.verdict] ~= nil
    if cell.verdict ~= "holds" then remarks[#remarks + 1] = ("%s, %s: %s"):format(name, column, cell.why) end
  end
  rows[#rows + 1] = row
end
print(table.concat(tabular.lines(rows, { "experiment" }, 100), "\n"))
print(table.concat(remarks, "\n"))
os.exit(all_right, true)
