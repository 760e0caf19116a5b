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

-- Groups in the order in which they came: `add(key, value)`, and by `each` the keys with their lists of values.
local function grouping()
  local order, lists = {}, {}
  return function(key, value)
    if not lists[key] then
      order[#order + 1] = key
      lists[key] = {}
    end
    table.insert(lists[key], value)
  end, function()
    local i = 0
    return function()
      i = i + 1
      return order[i], lists[order[i]]
    end
  end
end

local function line_of(text) return (text:gsub("%s+", " ")) end

-- A reason without what differs from one experiment or kernel to the other, though the cause is the same.
local function cause_of(cell)
  local text = line_of(cell.why):gsub("^%S+%.lua:%d+: ", "")
  return cell.kernel and text:gsub("this Linux " .. cell.kernel:gsub("%p", "%%%0"), "this Linux") or text
end

-- Each cause of a verdict once, with the experiments and the kernels where it was met.
local function print_reasons(verdict)
  local add, each = grouping()
  for _, name in ipairs(names) do
    local by_cause, of_causes = grouping()
    for _, column in ipairs(columns) do
      local cell = column.runs[name]
      if cell.why and cell.verdict == verdict then by_cause(cause_of(cell), column.release) end
    end
    for cause, releases in of_causes() do add(cause, { name = name, releases = table.concat(releases, ", ") }) end
  end
  local is_first = true
  for cause, places in each() do
    if is_first then print(("\n## Why: %s\n"):format(verdict)) end
    is_first = false
    print("* " .. cause)
    local together, lines = grouping()
    for _, place in ipairs(places) do together(place.releases, place.name) end
    for releases, experiments in lines() do print(("  * %s: %s"):format(table.concat(experiments, ", "), releases)) end
  end
end

for _, verdict in ipairs { "does not hold", "known difference", "not judged", "could not run", "not isolated" } do
  print_reasons(verdict)
end

print "\n## Figures"
for _, name in ipairs(names) do
  local add, each = grouping()
  for _, column in ipairs(columns) do
    local figures = column.runs[name].figures
    if figures then add(line_of(figures), column.release) end
  end
  local lines = {}
  for figures, releases in each() do lines[#lines + 1] = ("* %s: %s"):format(figures, table.concat(releases, ", ")) end
  if #lines > 0 then print(("\n**%s**\n\n%s"):format(name, table.concat(lines, "\n"))) end
end
