local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

-- script/reference in a copy of what it reads.
describe("script/reference", function()
  local place
  setup(function()
    place = scratch.open()
    local copied = program.shell(
      ("cd %s && cp -r --parents core/binding lua/lunet doc/reference spec/reference script/reference %s"):format(
        program.quote(os.getenv "LUNET_SOURCE"), place.path))
    assert.same({ 0, "" }, { copied.status, copied.errors })
  end)
  teardown(function() place:close() end)

  local changed = {} -- the texts of the files that a test changes; false: there was none
  after_each(function()
    for path, text in pairs(changed) do
      if text then place:write(path, text) else os.remove(place.path .. "/" .. path) end
    end
    changed = {}
  end)

  local function reference(words) return program.shell(("exec %s/script/reference %s"):format(place.path, words)) end

  -- Changes a file of the copy: a text, or a pattern and what replaces it.
  local function change(path, text, replacement)
    local is_there, before = pcall(place.read, place, path)
    if changed[path] == nil then changed[path] = is_there and before end
    local after = text
    if replacement then
      local times
      after, times = before:gsub(text, replacement, 1)
      assert.equal(1, times)
    end
    place:write(path, after)
  end

  local function assert_complains(pattern)
    local result = reference "--check"
    assert.equal(1, result.status)
    assert.matches(pattern, result.output)
  end

  it("finds nothing wrong with this tree", function()
    assert.same({ status = 0, output = "", errors = "" }, reference "--check")
  end)

  it("complains of a function without a comment", function()
    change("lua/lunet/init.lua", "\nreturn lunet\n", "\nfunction lunet.novelty() end\n\nreturn lunet\n")
    assert_complains "lua/lunet/init.lua:%d+: lunet.novelty: it has no comment\n"
    change("lua/lunet/init.lua", "\n  spawn = core.spawn,", "\n  spawn = core.spawn,\n  oddity = core.oddity,")
    assert_complains "lua/lunet/init.lua:%d+: lunet.oddity: it has no comment\n"
  end)

  it("complains of a method of C without a comment", function()
    change("core/binding/connection.c", '{"ended", connection_push_end},', '%0\n  {"novelty", connection_push_end},')
    assert_complains "core/binding/connection.c: connection:novelty: it has no comment in lua/lunet/types/\n"
  end)

  local lacks = {
    ["a result"] = { "%-%-%-@return boolean answered\n", "", "its comment has no @return" },
    ["a parameter"] = { "%-%-%-@param request integer\n", "", "its comment has the parameters %(%), not %(request%)" },
    ["an example"] = { "%-%-%-     print%(lunet.novelty%(1%)%) %-%-> true\n", "", "it has no example" },
    ["what its example prints"] = { " %-%-> true\n", "\n", "its example shows no result %(%-%->%)" },
    ["the codes of its errors"] = { "%-%-%-@return boolean answered\n", "---@return string? code\n",
      "its comment names no codes of its errors" },
    ["a type"] = { "boolean answered", "lunet.nowhere answered", "no type is called lunet.nowhere" },
  }
  for what, case in pairs(lacks) do
    it("complains of a comment without " .. what, function()
      local comment = [[

--- Answers.
---
---     print(lunet.novelty(1)) --> true
---@param request integer
---@return boolean answered
function lunet.novelty(request) return request == 1 end

return lunet
]]
      local text, times = comment:gsub(case[1], case[2])
      assert.equal(1, times)
      change("lua/lunet/init.lua", "\nreturn lunet\n", (text:gsub("%%", "%%%%")))
      assert_complains("lua/lunet/init.lua:%d+: .*" .. case[3])
    end)
  end

  it("complains of a file whose name competes with the module's", function()
    change("lua/lunet/types/lunet.lua", "---@meta\n")
    assert_complains 'lua/lunet/types/lunet.lua:1: a language server finds it for require "lunet"'
  end)

  it("complains of a page that is out of date, of one too few and of one too many", function()
    change("doc/reference/task.md", "# Tasks", "# Chores")
    assert_complains "doc/reference/task.md: the comments of lua/lunet have changed: call script/reference\n"
    change("doc/reference/chores.md", "# Chores\n")
    assert_complains "doc/reference/chores.md: script/reference does not make it\n"
    os.remove(place.path .. "/doc/reference/task.md")
    assert_complains "doc/reference/task.md: the comments of lua/lunet have changed: call script/reference\n"
    assert.same({ status = 0, output = "", errors = "" }, reference "")
    assert.same({ status = 0, output = "", errors = "" }, reference "--check")
  end)

  it("shows what to use in place of a call that will go", function()
    change("lua/lunet/types/task.lua", "%-%-%-@async\n", "%0---@deprecated Use lunet.within.\n")
    assert.same({ status = 0, output = "", errors = "" }, reference "")
    local page = place:read "doc/reference/task.md"
    assert.matches("\n## task:join\n.-\n%*%*It will go.%*%* Use %[`lunet.within`%]%(lunet.md#lunetwithin%)%.\n", page)
    changed["doc/reference/task.md"] = page:gsub("%*%*It will go[^\n]*\n\n", "")
  end)

  it("says how it is used", function()
    assert.matches("^usage: script/reference %[%-%-check%]\n", reference("--help").output)
    assert.equal(2, reference("--chek").status)
  end)
end)
