--- The code blocks of a page in Markdown, run as a reader would run them: in their order, in one directory.
---
--- * A block whose first line is a comment with a file's name becomes that file: "-- ticket.lua", "# nginx.conf".
--- * Each command of a block of `sh` is run. It ends with status 0, or as its comment says: "# exit status 1".
--- * A block without a language is output of the commands before it: its lines are there, in their order. Numbers with
---   a point may be other ones, and "..." stands for anything.
--- * Any other block of `lua` is a script, or a part of a spec if it has an `it`. Comments "--> words" are its output.
---
--- A block that cannot be run has a line before it: `<!-- not run: REASON -->`. So has one of which single commands
--- cannot: "<!-- not run: `script/test`: REASON -->". Output of chance has `<!-- not compared: REASON -->`.
local assert = require "luassert"
local lfs = require "lfs"
local needs = require "lunet.run.needs"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local page = {}

local SOURCE <const> = os.getenv "LUNET_SOURCE"

-- The programs that a page may start. Anything else could change the machine: a page has to mark it.
local ALLOWED <const> = { lunet = true, ["script/run"] = true, busted = true, pytest = true, ls = true, echo = true,
  prove = true, xmllint = true }

---@class lunet.block of a page
---@field language string "" without one
---@field line integer where it begins
---@field text string
---@field name string? the file that it is
---@field left_out table<string, string> by the beginning of a command, or "" for all: why it is not run
---@field incomparable boolean? whether it is output of chance

-- -- reading a page -----------------------------------------------------------------------------

local function read_mark(line, left_out)
  local command, reason = line:match "^<!%-%- not run: `([^`]+)`: (.+) %-%->$"
  if not command then command, reason = "", line:match "^<!%-%- not run: (.+) %-%->$" end
  if reason then left_out[command] = reason end
end

local function name_of(text)
  return text:match "^%-%- ([%w_.%-]+%.%l+)\n" or text:match "^# ([%w_.%-]+%.%l+)\n"
end

--- The blocks of a page.
---@param text string
---@return lunet.block[]
function page.blocks(text)
  local blocks, number, open, left_out, incomparable = {}, 0, nil, {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    local indent, language = line:match "^( *)```(%l*)"
    if open and line == open.indent .. "```" then
      open.name, open.text = name_of(table.concat(open, "\n") .. "\n"), table.concat(open, "\n") .. "\n"
      blocks[#blocks + 1], open = open, nil
    elseif open then
      open[#open + 1] = line:sub(#open.indent + 1)
    elseif language then
      open = { indent = indent, language = language, line = number, left_out = left_out, incomparable = incomparable }
      left_out, incomparable = {}, nil
    else
      read_mark(line, left_out)
      incomparable = incomparable or line:match "^<!%-%- not compared: .+ %-%->$"
    end
  end
  assert(not open, "a block without an end")
  return blocks
end

--- The commands of a block of sh: a line that ends with a backslash goes on, and so does one with an open quote.
---@param text string
---@return {words: string, status: integer}[]
function page.commands(text)
  local commands, held = {}, ""
  for line in text:gsub("\\\n", ""):gmatch "[^\n]+" do
    held = held .. line
    if select(2, held:gsub("'", "")) % 2 == 0 and not held:find "^%s*#" and held:find "%S" then
      local status = math.tointeger(tonumber(held:match "#.*exit status (%d+)"))
      commands[#commands + 1] = { words = held, status = status or 0 }
      held = ""
    else
      held = held:find "^%s*#" and "" or held .. "\n"
    end
  end
  return commands
end

-- -- comparing ----------------------------------------------------------------------------------

local function plain(line) return (line:gsub("%d+%.%d+", "0.0"):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

-- A pattern that matches a line of a page.
local function pattern_of(line)
  return "^" .. plain(line):gsub("%.%.%.", "\0"):gsub("%p", "%%%0"):gsub("\0", ".*") .. "$"
end

--- The first line of a page that is not in an output, after those before it; nil if all are.
---@param wanted string
---@param output string
---@return string?
function page.missing_line(wanted, output)
  local lines, at = {}, 0
  for line in output:gmatch "[^\n]*" do lines[#lines + 1] = plain(line) end
  for line in wanted:gmatch "[^\n]+" do
    local pattern = pattern_of(line)
    repeat at = at + 1 until not lines[at] or lines[at]:find(pattern)
    if not lines[at] then return line end
  end
  return nil
end

-- -- running ------------------------------------------------------------------------------------

local function reason_of(block, words)
  for beginning, reason in pairs(block.left_out) do
    if words:sub(1, #beginning) == beginning then return reason end
  end
  return nil
end

local ENVIRONMENT <const> = [[
cd 'PLACE' && unset LUA_INIT LUA_INIT_5_4; export LC_ALL=C.UTF-8 PATH='PLACE/bin':"$PATH"
]]

local function run(place, words)
  return program.shell(ENVIRONMENT:gsub("PLACE", (place.path:gsub("%%", "%%%%"))) .. words)
end

local runners = {}

function runners.sh(block, place)
  local output = {}
  for _, command in ipairs(page.commands(block.text)) do
    if not reason_of(block, command.words) then
      assert(ALLOWED[command.words:match "^%S+"], "mark it as not run, or allow its program: " .. command.words)
      local result = run(place, command.words)
      assert.equal(command.status, result.status, ("%s\n%s%s"):format(command.words, result.output, result.errors))
      output[#output + 1] = result.output
    end
  end
  return table.concat(output)
end

-- The output that the comments of a script tell.
local function told(text)
  local lines = {}
  for words in text:gmatch "%-%->%s*([^\n]*)" do lines[#lines + 1] = words end
  return table.concat(lines, "\n")
end

function runners.lua(block, place)
  local is_spec = block.text:find "%f[%w]it%("
  local head = 'local lunet = require "lunet"\n'
  place:write("block.lua", is_spec and head .. 'describe("a block", function()\n' .. block.text .. "end)" or block.text)
  local result = run(place, is_spec and "busted --lua=lunet --helper=lunet.busted block.lua" or "lunet block.lua")
  assert.equal(0, result.status, result.output .. result.errors)
  assert.is_nil(page.missing_line(told(block.text), result.output), result.output)
  return result.output
end

-- lunet, by its name and as README's script/run, and what is in the tree. The files of the page are there from the
-- beginning, since a part of its blocks may run by itself.
local function furnish(place, blocks)
  place:write("bin/lunet", ('#!/bin/sh\nexec "%s" "$@"\n'):format(os.getenv "LUNET"))
  place:write("script/run", '#!/bin/sh\nexec lunet "$@"\n')
  for _, name in ipairs { "experiments", "doc" } do
    assert(lfs.link(SOURCE .. "/" .. name, place.path .. "/" .. name, true))
  end
  for _, block in ipairs(blocks) do
    if block.name then place:write(block.name, block.text) end
  end
  assert.equal(0, run(place, "chmod +x bin/lunet script/run").status)
end

-- Why a block cannot be run here: a group whose program it needs is missing.
local function missing_group(block, groups)
  for word, needed in pairs(groups) do
    local program_name, group = table.unpack(needed)
    if block.text:find(word, 1, true) and not needs.path(program_name) then
      return ("the group %s is not here (script/packages %s): %s"):format(group, group, program_name)
    end
  end
end

local function tag_of(block, parts)
  for word, tag in pairs(parts) do
    if block.text:find(word, 1, true) and not block.name then return " " .. tag end
  end
  return ""
end

-- One that is neither a file nor marked can be run, or is output.
local function is_known(block)
  return block.name or block.left_out[""] or runners[block.language] or block.language == "" or block.incomparable
end

local function act(block, place, before)
  if block.left_out[""] or block.incomparable or block.name then return before end
  if block.language ~= "" then return runners[block.language](block, place) end
  local line = page.missing_line(block.text, before or "")
  assert.is_nil(line, ("%s\nis not in this order in\n%s"):format(line, before))
  return before
end

--- Tests a page: an `it` for each of its blocks.
---@param env table the spec's _ENV
---@param path string "doc/guide.md"
---@param options? {groups: table<string, string[]>?, parts: table<string, string>?} groups: by a word of a block, the
--- program that it needs and the group of script/packages that brings it; parts: by a word of a block, the tag of its
--- `it`
function page.test(env, path, options)
  local file <close> = assert(io.open(SOURCE .. "/" .. path))
  local blocks, groups = page.blocks(file:read "a"), options and options.groups or {}
  env.describe(path, function()
    local place, output, absent
    env.setup(function()
      place = scratch.open()
      furnish(place, blocks)
    end)
    env.teardown(function() place:close() end)
    local tag = ""
    for _, block in ipairs(blocks) do
      if block.language ~= "" then tag = tag_of(block, options and options.parts or {}) end
      env.it(("has a block at line %d that does what it shows%s"):format(block.line, tag), function()
        assert(is_known(block), "say how it is run, or why it is not: " .. block.language)
        if block.language ~= "" then absent = missing_group(block, groups) end
        if absent then return env.pending(absent) end
        output = act(block, place, output)
      end)
    end
  end)
end

return page
