local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

-- script/check-layering in a copy of what it reads, with a line too much.
describe("script/check-layering", function()
  local place
  setup(function()
    place = scratch.open()
    program.shell(("cd %s && cp -r --parents core lua/lunet script/check-layering %s"):format(
      program.quote(os.getenv "LUNET_SOURCE"), place.path))
  end)
  teardown(function() place:close() end)

  local changed = {} -- the texts of the files that a test adds to; false: there was none
  after_each(function()
    for path, text in pairs(changed) do
      if text then place:write(path, text) else os.remove(place.path .. "/" .. path) end
    end
    changed = {}
  end)

  local function check() return program.shell("exec " .. place.path .. "/script/check-layering") end

  local function add(path, line)
    local is_there, text = pcall(place.read, place, path)
    if changed[path] == nil then changed[path] = is_there and text end
    place:write(path, (is_there and text or "") .. "\n" .. line .. "\n")
  end

  local function assert_complains(why, path, line)
    add(path, line)
    local result = check()
    assert.equal(1, result.status)
    assert.matches(path .. ":", result.output, 1, true)
    assert.matches(line .. "\n^ " .. why .. "\n", result.output, 1, true)
  end

  it("finds nothing wrong with this tree", function()
    assert.same({ status = 0, output = "", errors = "" }, check())
  end)

  local wrong = {
    ["requires a higher floor"] = { "recording is not below text", "lua/lunet/text/width.lua",
      'local cast = require "lunet.recording.cast"' },
    ["requires another floor of its own height"] = { "report is not below tell", "lua/lunet/tell/story.lua",
      'local axis = require "lunet.report.axis"' },
    ["requires a front door from below"] = { "lunet is not below network", "lua/lunet/network/rule.lua",
      'local lunet = require("lunet")' },
    ["requires what is for specs"] = { "assert is not below load", "lua/lunet/load/workload.lua",
      'local lunet = require "lunet.assert"' },
    ["names a module to require later"] = { "files is not below recording", "lua/lunet/recording/depths.lua",
      'local later = { module = "lunet.files.trace" }' },
    ["requires twice on a line"] = { "command is not below tell", "lua/lunet/tell/progress.lua",
      'local a, b = require "lunet.text.width", require "lunet.command.file"' },
    ["requires what is on no floor"] = { "lunet.attic.trunk stands on no floor", "lua/lunet/command/doctor.lua",
      'local trunk = require "lunet.attic.trunk"' },
    ["declares and requires"] = { "text is not below types", "lua/lunet/types/functions.lua",
      'require "lunet.text.width"' },
    ["takes a run in parts"] = { "a function outside run/ takes a run in parts", "lua/lunet/tell/story.lua",
      "function story.more(name, experiment) return name, experiment end" },
    ["stands below run/ and takes a run"] = { "a floor below run/ knows no run", "lua/lunet/recording/depths.lua",
      "function depths.all(run) return depths.of(run.events) end" },
    ["computes groups"] = { "run:groups(), run:cast() and run:lines() derive this once", "lua/lunet/report/page.lua",
      'local list = require("lunet.recording.groups").of(run.events, {})' },
    ["computes who is who"] = { "run:groups(), run:cast() and run:lines() derive this once",
      "lua/lunet/files/perfetto.lua", "local who = cast.of(run.events, run)" },
    ["computes lines"] = { "run:groups(), run:cast() and run:lines() derive this once", "lua/lunet/files/perfetto.lua",
      "local lines = timeline.by_event(run.events, run:cast(), 0)" },
    ["computes the time that is 0"] = { "run:zero() is the time that is 0", "lua/lunet/report/page.lua",
      "local zero = run.events[1].at" },
    ["names hosts"] = { "run:host_name(number) is the name of a host", "lua/lunet/report/page.lua",
      'local host = run.hosts[number] or "home"' },
    ["stands on no floor"] = { "it stands on no floor", "lua/lunet/trunk.lua", "" },
  }
  for what, case in pairs(wrong) do
    it("complains of a Lua file that " .. what, function() assert_complains(table.unpack(case)) end)
  end

  it("complains of a C file that writes the state of an op besides op.c", function()
    assert_complains("only op.c writes the state of an op", "core/handle/wire.c", "o->state = OP_IDLE;")
  end)

  it("complains of a static function without the noun of its C file", function()
    assert_complains("the name of a static function begins with guard_", "core/guard.c", "static int fail(int fd) {")
    assert_complains("the name of a static function begins with chunk_", "core/chunk.c", "static char *name(int at);")
  end)

  it("complains of C files that include each other in a circle", function()
    add("core/binding/misuse.h", '#include "binding/failure.h"')
    add("core/binding/failure.h", '#include "binding/task.h"')
    add("core/binding/task.h", '#include "binding/misuse.h"')
    local result = check()
    assert.equal(1, result.status)
    local files = result.output:match "^(.*)%^ these files include each other in a circle\n$" or result.output
    local sorted = {}
    for file in files:gmatch "[^\n]+" do sorted[#sorted + 1] = file end
    table.sort(sorted)
    assert.same({ "core/binding/failure", "core/binding/misuse", "core/binding/task" }, sorted)
  end)

  it("complains of a C file that includes a higher floor", function()
    assert_complains("core/platform is the lowest floor", "core/platform/clock.h", '#include "handle/loop.h"')
  end)
end)
