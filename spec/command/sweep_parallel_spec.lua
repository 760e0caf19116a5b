-- A sweep by GNU parallel on this machine, killed in its midst: the same pipe does the rest.
local eventually = require "spec.support.eventually"
local lunet = require "lunet"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local FAKE <const> = [[
  return require "lunet.experiment" { claim = "It is so.", check = function() end,
    knobs = { backlog = { 5, "connections", "" }, seed = { 1, "number", "" } },
    run = function(knobs) return { goodput = knobs.backlog * 100 + knobs.seed } end }]]

local RUNS <const> = 6

describe("lunet sweep --list | parallel", function()
  it("does each run once, also when it is killed and started again", function()
    if not os.execute "command -v parallel >/dev/null" then
      return pending "parallel is not installed (script/packages sweep)"
    end
    local place <close> = scratch.open()
    local lunet_word = program.quote(os.getenv "LUNET")
    local function shell(command)
      return program.shell(("cd %s && export HOME=$PWD && %s"):format(place.path, (command:gsub("LUNET", lunet_word))))
    end
    place:write("fake.lua", FAKE)
    assert.equal(0, shell("LUNET sweep fake.lua --backlog 1..3 --runs 2 --into whole").status)
    assert.equal(0, shell("LUNET sweep fake.lua --backlog 1..3 --runs 2 --into out --plan").status)

    local pipe = "LUNET sweep --list out | parallel --will-cite -j 2 --joblog out/joblog"
    local runs, whole = store.new(place.path .. "/out"), store.new(place.path .. "/whole")
    local process <close> = assert(lunet.exec { "sh", "-c", (pipe:gsub("LUNET", lunet_word)), cwd = place.path,
      stderr = "null", env = { HOME = place.path, TMPDIR = place.path } }) -- the runs' removers die, too
    eventually(function() return #runs:names() >= 1 or process:wait(0) end)
    process:close() -- kills all of it
    local before = {}
    for _, name in ipairs(runs:names()) do before[name] = place:read(("out/runs/%s.json"):format(name)) end

    assert.equal(0, shell(pipe).status)
    assert.equal("", shell("LUNET sweep --list out").output)
    assert.equal(RUNS, #runs:names())
    for _, name in ipairs(whole:names()) do assert.same(whole:read(name).outcome, runs:read(name).outcome) end
    for name, text in pairs(before) do assert.equal(text, place:read(("out/runs/%s.json"):format(name))) end
    assert.same({}, lunet.open_handles())
  end)
end)
