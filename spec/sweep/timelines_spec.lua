-- The timelines that real sweeps keep of their worst and median runs.
local lfs = require "lfs"
local lunet = require "lunet"
local program = require "spec.support.program"
local stage = require "spec.support.command_stage"
local timelines = require "lunet.sweep.timelines"

local FAKE <const> = [[
  local lunet = require "lunet"
  return require "lunet.experiment" {
    claim = "It is so.",
    knobs = { backlog = { 5, "connections", "" }, seed = { 1, "number", "" } },
    measures = { goodput = { "/s", "requests answered in time", better = "more" } },
    run = function(knobs)
      local listener <close> = lunet.listen { backlog = knobs.backlog }
      local connection <close> = lunet.connect(listener)
      local mark = os.getenv "MARK" -- the second run breaks
      if mark and io.open(mark) then error("no luck", 0) end
      if mark then io.open(mark, "w"):close() end
      return { goodput = knobs.backlog * 100 + knobs.seed }
    end,
    check = function(outcome) assert(outcome.goodput > 201, "it is low") end,
  }]]

describe("the timelines of a sweep", function()
  local place
  before_each(function()
    place = stage.open()
    place:write("fake.lua", FAKE)
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function sweep(words) return stage.run("sweep " .. words) end

  -- By the replicate of the run.
  local function texts()
    local found = {}
    for file in lfs.dir(place.path .. "/out/timelines") do
      local replicate = file:match "%-r(%d+)%.txt$"
      if replicate then found[tonumber(replicate)] = place:read("out/timelines/" .. file) end
    end
    return found
  end

  it("are those of the worst and the median run, repeated when all runs are done, and once", function()
    local words = "fake.lua --backlog 2 --runs 3 --into out"
    local first = sweep(words)
    assert.equal(0, first.status)
    assert.matches("\nlunet: note: repeats 2 runs with recording, for report.html\n", first.errors, 1, true)
    local kept = texts()
    assert.is_nil(kept[3])
    assert.matches("connects to", kept[1], 1, true)
    assert.matches("goodput  201", kept[1], 1, true)
    assert.matches("The claim does not hold: it is low", kept[1], 1, true)
    assert.matches("The claim holds", kept[2], 1, true)
    local html = place:read "out/report.html"
    assert.equal(2, select(2, html:gsub("The run repeated, with recording", "")))
    assert.matches("connects to", html, 1, true)
    assert.is_nil(sweep(words).errors:find "repeats")
    assert.same(kept, texts())
  end)

  it("are made anew for other runs, and those of former ones go", function()
    assert.equal(0, sweep("fake.lua --backlog 2 --runs 1 --into out").status)
    local kept = texts()
    assert.is_string(kept[1])
    kept[1] = nil
    assert.same({}, kept)
    assert.equal(0, sweep("fake.lua --backlog 2 --runs 5 --into out").status)
    kept = texts()
    assert.is_string(kept[1])
    assert.is_string(kept[3])
    kept[1], kept[3] = nil, nil
    assert.same({}, kept)
  end)

  it("are not made by --report, and not of runs that another script has done", function()
    assert.equal(0, sweep("fake.lua --backlog 2 --runs 2 --into out").status)
    program.shell(("rm -r %s/out/timelines"):format(program.quote(place.path)))
    assert.is_nil(sweep("--report out").errors:find "repeats")
    assert.is_nil(lfs.attributes(place.path .. "/out/timelines"))
    place:write("fake.lua", FAKE .. " -- changed")
    assert.equal(0, sweep("fake.lua --backlog 2 --runs 2 --into out --mix").status)
    assert.is_nil(lfs.attributes(place.path .. "/out/timelines"))
    assert.is_nil(place:read "out/report.html":find "The run repeated")
  end)

  it("are told if they cannot be made", function()
    local result = stage.run("sweep fake.lua --backlog 2 --runs 1 --into out", ("MARK=%s/mark"):format(place.path))
    assert.equal(0, result.status)
    assert.matches("note: the run %x+%-r1 could not be repeated: lunet: fake could not run: no luck\n", result.errors)
  end)

  it("are without their middle if they are long", function()
    local lines = {}
    for i = 1, 1000 do lines[i] = ("line %d"):format(i) end
    place:write("out/timelines/0123456789ab-r1.txt", table.concat(lines, "\n") .. "\n")
    local opened = { path = place.path .. "/out" }
    local text = timelines.read(opened, "0123456789ab-r1")
    assert.matches("^line 1\nline 2\n.*\nline 150\n\n%.%.%. 800 more lines are in timelines/0123456789ab%-r1.txt "
      .. "%.%.%.\n\nline 951\n.*line 1000$", text)
    place:write("out/timelines/0123456789ab-r2.txt", table.concat(lines, "\n", 1, 200) .. "\n")
    assert.equal(table.concat(lines, "\n", 1, 200), timelines.read(opened, "0123456789ab-r2"))
    assert.is_nil(timelines.read(opened, "0123456789ab-r3"))
  end)
end)
