local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local script = require "lunet.sweep.script"

local EXPERIMENT <const> = [[
  return require "lunet.experiment" { claim = "It is so.", check = function() end, run = function() return {} end }]]

describe("the script of a sweep", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  it("gives its experiment", function()
    local own = script.new(place:write("a.lua", EXPERIMENT))
    assert.equal("It is so.", assert(own:load()).claim)
  end)

  local wrong = {
    ["a syntax error"] = { "return =", "unexpected symbol near '='" },
    ["an error"] = { "error 'no luck'", "no luck" },
    ["another value"] = { "return 5", "a.lua returns no experiment" },
    ["nothing"] = { "", "a.lua returns no experiment" },
  }
  for what, case in pairs(wrong) do
    it("says why it has none: " .. what, function()
      local experiment, message = script.new(place:write("a.lua", case[1])):load()
      assert.is_nil(experiment)
      assert.matches(case[2], message, 1, true)
    end)
  end

  it("says that there is no file", function()
    local experiment, message = script.new(place.path .. "/none.lua"):load()
    assert.is_nil(experiment)
    assert.matches("none.lua", message, 1, true)
  end)

  it("consists of the modules and files that it names, also of those that it needs only while it runs", function()
    local files = {
      ["a.lua"] = EXPERIMENT:gsub("return {} end", [[
        require("late").go(require 'lunet.lab', require "string", require"none")
        return { lunet.beside "server.conf", lunet.beside("none.conf"), lunet.beside("parts/" .. "x.conf") } end]]),
      ["late.lua"] = "local deep = require 'deep.deep' return require 'late'", ["deep/deep.lua"] = "return 1",
      ["server.conf"] = "require 'unread'", ["unread.lua"] = "", ["parts/x.conf"] = "",
    }
    for name, text in pairs(files) do place:write(name, text) end
    local result = program.lunet(([[
      package.path = %q .. "/?.lua;" .. package.path
      local own = require "lunet.sweep.script".new(%q .. "/a.lua")
      assert(own:load())
      for what, path in pairs(own:files()) do print(what, path) end]]):format(place.path, place.path))
    assert.equal("", result.errors)
    local found = {}
    for what, path in result.output:gmatch "([^\n\t]+)\t([^\n]+)" do found[what] = path:sub(#place.path + 2) end
    assert.same({ script = "a.lua", ["module late"] = "late.lua", ["module deep.deep"] = "deep/deep.lua",
      ["file server.conf"] = "server.conf" }, found)
  end)

  -- In a process of its own, since busted looks after globals itself.
  it("finds nothing of an earlier time in Lua: no global, module, or change of a library", function()
    place:write("other.lua", "loads = (loads or 0) + 1 return { loads = loads }")
    place:write("a.lua", [[
      local had = { counter == nil, string.mine == nil, table.mine == nil, package.preload.mine == nil,
        require "other".loads == 1 }
      counter, string.mine, table.mine, package.preload.mine = 1, 2, 3, function() end
      for i, is_fresh in ipairs(had) do had[i] = tostring(is_fresh) end
      return require "lunet.experiment" { claim = table.concat(had, " "), check = function() end,
        run = function() return {} end }]])
    local result = program.lunet(([[
      package.path = %q .. "/?.lua;" .. package.path
      local own = require "lunet.sweep.script".new(%q .. "/a.lua")
      for _ = 1, 2 do print(assert(own:load()).claim) end
      for what, path in pairs(own:files()) do print(what, path) end]]):format(place.path, place.path))
    assert.equal("", result.errors)
    local first, second, files = result.output:match "^([^\n]+)\n([^\n]+)\n(.*)$"
    local fresh = "true true true true true"
    assert.same({ fresh, fresh }, { first, second })
    assert.matches("module other\t" .. place.path .. "/other.lua\n", files, 1, true)
    assert.matches("script\t" .. place.path .. "/a.lua\n", files, 1, true)
    assert.equal(2, select(2, files:gsub("\n", "")))
  end)
end)
