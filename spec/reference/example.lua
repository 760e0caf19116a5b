--- Runs the example of a call, and compares what it prints with what it says it prints: the rest of a line after "-->",
--- in which "..." stands for anything. A tab of print is two spaces there.
local page = require "spec.reference.page"

local example = {}

-- The lines that an example says it prints.
local function promised(lines)
  local list = {}
  for _, line in ipairs(lines) do list[#list + 1] = line:match "%-%->%s?(.*)$" end
  return list
end

local function matches(text, wanted)
  local pattern = wanted:gsub("%W", "%%%0"):gsub("%%%.%%%.%%%.", ".*")
  return text:find("^" .. pattern .. "$") ~= nil
end

-- A print that keeps what it is given.
local function printer(printed)
  return function(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    printed[#printed + 1] = table.concat(words, "  ")
  end
end

--- Runs lines of Lua.
---@param lines string[]
---@return string[] printed
function example.run(lines)
  local printed = {}
  local chunk = assert(load(table.concat(lines, "\n"), "=example", "t", setmetatable({ print = printer(printed) },
    { __index = _ENV })))
  chunk()
  return printed
end

--- The whole text of an example: the lines with which the page's examples begin, and its own.
---@param read lunet.reference_library
---@param about lunet.reference_page
---@param own string[]
---@return string[]
function example.whole(read, about, own)
  local lines = { 'local lunet = require "lunet"' }
  if about.module then lines[2] = ('local %s = require "%s"'):format(about.variable or about.holder, about.module) end
  for _, list in ipairs { page.example(read:text(about.stage or about.class)), own } do
    for _, line in ipairs(list) do lines[#lines + 1] = line end
  end
  return lines
end

--- Whether what was printed is what the lines promise.
---@param lines string[]
---@param printed string[]
---@return boolean
---@return string? why
function example.agrees(lines, printed)
  local wanted = promised(lines)
  for i = 1, math.max(#wanted, #printed) do
    if not wanted[i] or not printed[i] or not matches(printed[i], wanted[i]) then
      return false, ("line %d of what it prints is %s, not %s"):format(i, printed[i] or "missing", wanted[i] or "there")
    end
  end
  return true
end

return example
