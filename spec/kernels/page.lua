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
or in qemu-system-x86_64, in virtual time. Debian's user-mode Linux has no firewall rules. A known difference is one
that the experiment expects of older kernels. Below the table stands why a run has another verdict than "holds", and
what each run found.
]]
print(row("experiment", function(column) return column.release end))
print(row("---", function() return "---" end))
for _, name in ipairs(names) do
  print(row(name, function(column) return column.runs[name].verdict end))
end
print(row("minutes for all", function(column)
  local seconds = 0
  for _, cell in pairs(column.runs) do seconds = seconds + cell.seconds end
  return ("%.1f"):format(seconds / 60)
end))

-- Adds a value to the group of a key: a list of values with the field `key`. The groups are a list, too, in the order
-- in which their keys came.
local function add(groups, key, value)
  local group = groups[key]
  if not group then
    group = { key = key }
    groups[key], groups[#groups + 1] = group, group
  end
  table.insert(group, value)
end

local function words_of(group) return table.concat(group, ", ") end

local function line_of(text) return (text:gsub("%s+", " ")) end

-- A reason without what differs from one experiment or kernel to the other, though the cause is the same.
local function cause_of(cell)
  local text = line_of(cell.why):gsub("^%S+%.lua:%d+: ", "")
  return cell.kernel and text:gsub("this Linux " .. cell.kernel:gsub("%p", "%%%0"), "this Linux") or text
end

-- Each cause of a verdict once, with the experiments and the kernels where it was met.
local function print_reasons(verdict)
  local causes, by_cause = {}, {}
  for _, name in ipairs(names) do
    local releases = {} -- by cause
    for _, column in ipairs(columns) do
      local cell = column.runs[name]
      if cell.why and cell.verdict == verdict then add(releases, cause_of(cell), column.release) end
    end
    for _, group in ipairs(releases) do
      if not by_cause[group.key] then
        by_cause[group.key] = {} -- the experiments, by their releases
        causes[#causes + 1] = group.key
      end
      add(by_cause[group.key], words_of(group), name)
    end
  end
  if #causes > 0 then print(("\n## Why: %s\n"):format(verdict)) end
  for _, cause in ipairs(causes) do
    print("* " .. cause)
    for _, group in ipairs(by_cause[cause]) do print(("  * %s: %s"):format(words_of(group), group.key)) end
  end
end

for _, verdict in ipairs { "does not hold", "known difference", "not judged", "could not run", "not isolated" } do
  print_reasons(verdict)
end

print "\n## Figures"
for _, name in ipairs(names) do
  local groups = {} -- releases, by their figures
  for _, column in ipairs(columns) do
    local figures = column.runs[name].figures
    if figures then add(groups, line_of(figures), column.release) end
  end
  if #groups > 0 then print(("\n**%s**\n"):format(name)) end
  for _, group in ipairs(groups) do print(("* %s: %s"):format(group.key, words_of(group))) end
end
