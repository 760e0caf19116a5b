-- lunet spec/kernels/page.lua "NAME ..." DIRECTORY...: prints doc/kernels.md.
local cells = require "spec.kernels.cells"

local names, columns = {}, {}
for name in arg[1]:gmatch "%S+" do names[#names + 1] = name end

-- A column of the table: its runs by the experiments' names, and the release that they name, with what ran it.
local function column_of(directory)
  local column = { release = directory:match "([^/]+)%-%l+$", runs = {} }
  for i = #names, 1, -1 do
    local cell = cells.read(directory, names[i])
    column.runs[names[i]] = cell
    if cell.kernel then column.release = cell.kernel .. (cell.engine and (" (%s)"):format(cell.engine) or "") end
  end
  return column
end

for i = 2, #arg do columns[#columns + 1] = column_of(arg[i]) end

local function row(first, cell_of)
  local words = { first }
  for _, column in ipairs(columns) do words[#words + 1] = cell_of(column) end
  return "| " .. table.concat(words, " | ") .. " |"
end

print [[
# Verdicts by kernel

Made by `script/kernels`; each cell is a run with default knobs. The column without an engine is the kernel of the
machine that made this page. The others ran as an ordinary user (`lunet --kernel`): in user-mode Linux, in real time,
or in qemu-system-x86_64, in virtual time. Debian's user-mode Linux has no firewall rules. Below the table stands why a
claim does not hold, is not judged or could not run, and then what each run found. A known difference is one that the
experiment expects of older kernels.
]]
print(row("experiment", function(column) return column.release end))
print(row("---", function() return "---" end))
local remarks = {}
for _, name in ipairs(names) do
  print(row(name, function(column)
    local cell = column.runs[name]
    if cell.why then
      remarks[#remarks + 1] = ("* %s, %s: %s"):format(name, column.release, (cell.why:gsub("%s+", " ")))
    end
    return cell.verdict
  end))
end
print(row("minutes for all", function(column)
  local seconds = 0
  for _, cell in pairs(column.runs) do seconds = seconds + cell.seconds end
  return ("%.1f"):format(seconds / 60)
end))
print("\n" .. table.concat(remarks, "\n"))

print "\n## Figures"
for _, name in ipairs(names) do
  local lines = {}
  for _, column in ipairs(columns) do
    local figures = column.runs[name].figures
    if figures then lines[#lines + 1] = ("* %s: %s"):format(column.release, (figures:gsub("%s+", " "))) end
  end
  if #lines > 0 then print(("\n**%s**\n\n%s"):format(name, table.concat(lines, "\n"))) end
end
