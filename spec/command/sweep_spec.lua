-- `lunet sweep` as its user meets it. Every case is a real process.
local eventually = require "spec.support.eventually"
local lfs = require "lfs"
local lunet = require "lunet"
local program = require "spec.support.program"
local stage = require "spec.support.command_stage"
local store = require "lunet.sweep.store"

local LUNET <const> = os.getenv "LUNET"
local BOUND <const> = require "spec.support.bound"

-- The fields of a record that are not the same in every sweep: when it was, and how fast.
local UNSTEADY <const> = { started = true, seconds = true, cpu = true, load = true, lateness = true }

local FAKE <const> = [[
  local experiment = require "lunet.experiment"
  return experiment {
    claim = "It is so.",
    knobs = { backlog = { 5, "connections", "how many", min = 0, max = 20 },
      patience = { 0.2, "s", "how long", min = 0 }, seed = { 1, "number", "of the draws" },
      jobs = { 1, "workers", "a name that is taken" } },
    run = function(knobs)
      require "lunet".sleep(0.005)
      if knobs.backlog == 14 then error("no luck", 0) end
      return { goodput = knobs.backlog * 100 + knobs.seed, jobs = knobs.jobs, patience = knobs.patience }
    end,
    check = function(outcome, knobs)
      if knobs.backlog == 13 then experiment.not_judged "it slept" end
      assert(knobs.backlog ~= 15, "it is wrong")
      assert(outcome)
    end,
  }]]

describe("lunet sweep", function()
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

  local function well(words, status)
    local result = sweep(words)
    assert.same({ status or 0, result.errors }, { result.status, result.errors })
    return result
  end

  -- The records' text, by the name of the run.
  local function files(directory)
    local texts = {}
    for _, name in ipairs(store.new(place.path .. "/" .. directory):names()) do
      texts[name] = place:read(("%s/runs/%s.json"):format(directory, name))
    end
    return texts
  end

  local function count(texts)
    local number = 0
    for _ in pairs(texts) do number = number + 1 end
    return number
  end

  -- All that is the same in every sweep: nothing of when and how fast.
  local function same_part(texts)
    local parts = {}
    for name, text in pairs(texts) do
      parts[name] = text
      for field in pairs(UNSTEADY) do
        local cut, often = parts[name]:gsub(('\n  "%s":[^\n]*'):format(field), "", 1)
        assert.equal(1, often, field)
        parts[name] = cut
      end
    end
    return parts
  end

  local function literal(text) return (text:gsub("%W", "%%%0")) end

  -- results.csv without the columns of when and how fast. No cell of these sweeps has a comma.
  local function steady(csv)
    local columns, lines = {}, {}
    for line in csv:gmatch "[^\n]+" do
      local cells = {}
      for cell in (line .. ","):gmatch "([^,]*)," do
        local column = #lines == 0 and cell or columns[#cells + 1]
        columns[#cells + 1] = column
        cells[#cells + 1] = UNSTEADY[column] and "" or cell
      end
      lines[#lines + 1] = table.concat(cells, ",")
    end
    return table.concat(lines, "\n")
  end

  -- The last words of a sweep, as a pattern.
  local function report_note(directory)
    return literal(("lunet: the report is %s/README.md, and %s/report.html; no figure, since the experiment declares "
      .. "no measures\n"):format(directory, directory)) .. "$"
  end

  it("does all runs of all points, tells how far it is, and what came of it", function()
    local result = well "fake.lua --backlog 1..3 --patience =backlog/10 --runs 4 --into out"
    assert.equal("12 of 12 runs done: 12 hold, 0 do not; 0 invalid, 0 failed, 0 missing.\n", result.output)
    assert.matches("lunet: 12 of 12 runs, [^\n]+: 12 hold, 0 invalid, 0 failed\n" .. report_note "out",
      result.errors)
    local seeds = {}
    for name, text in pairs(files "out") do
      local replicate = math.tointeger(tonumber(name:match "%d+$"))
      assert.matches(('"seed":%d,\n'):format(replicate), text)
      seeds[replicate] = (seeds[replicate] or 0) + 1
    end
    assert.same({ 3, 3, 3, 3 }, seeds)
  end)

  it("does nothing again when all is done, and what is missing when not", function()
    well "fake.lua --backlog 1,2 --runs 2 --into out"
    local before = files "out"
    local name = next(before)
    assert(os.remove(("%s/out/runs/%s.json"):format(place.path, name)))
    assert.equal("fake: 3 of 4 runs done: 3 hold, 0 do not; 0 invalid, 0 failed, 1 missing.\n",
      well("--status out", 3).output)
    well "fake.lua --backlog 1,2 --runs 2 --into out"
    local after = files "out"
    assert.same(same_part(before), same_part(after))
    before[name], after[name] = nil, nil
    assert.same(before, after)
    assert.matches("^" .. report_note "out", well("fake.lua --backlog 1,2 --runs 2 --into out").errors)
  end)

  it("adds points and runs to what is there", function()
    well "fake.lua --backlog 1,2 --runs 1 --into out"
    local before = files "out"
    assert.equal("6 of 6 runs done: 6 hold, 0 do not; 0 invalid, 0 failed, 0 missing.\n",
      well("fake.lua --backlog 2,3 --runs 2 --into out").output)
    local after = files "out"
    for name, text in pairs(before) do assert.equal(text, after[name]) end
  end)

  it("loses no run that had ended when it is killed, and does none twice", function()
    local words = "fake.lua --backlog 1..6 --runs 5 --jobs 3 --into"
    well(words .. " whole")
    local ended, rows = {}, {}
    for kill = 1, 2 do
      local process <close> = assert(lunet.exec { "sh", "-c", ("exec '%s' sweep %s out"):format(LUNET, words),
        cwd = place.path, stderr = "null", env = { LUA_INIT = false, LUA_INIT_5_4 = false } })
      eventually(function()
        return lfs.attributes(place.path .. "/out/runs") and count(files "out") >= kill * 6 or process:wait(0)
      end)
      process:kill "SIGKILL"
      process:wait(BOUND)
      process:close()
      local now = files "out"
      for name, text in pairs(ended) do assert.equal(text, now[name]) end
      ended = now
      sweep "--report out"
      for row in place:read "out/results.csv":gmatch "[^\n]+" do rows[#rows + 1] = row end
    end
    eventually(function() return sweep(words .. " out").status == 0 end) -- the lock may take a moment
    local final = files "out"
    for name, text in pairs(ended) do assert.equal(text, final[name]) end
    assert.same(same_part(files "whole"), same_part(final))
    local final_rows = "\n" .. place:read "out/results.csv"
    for _, row in ipairs(rows) do assert.equal(1, select(2, final_rows:gsub(literal("\n" .. row .. "\n"), ""))) end
    assert.equal(steady(place:read "whole/results.csv"), steady(final_rows:sub(2)))
    for name in lfs.dir(place.path .. "/out/runs") do assert.is_nil(name:match "^%.%x") end
  end)

  it("ends by Ctrl-C with status 130, and keeps what is done", function()
    local process <close> = assert(lunet.exec { LUNET, "sweep", "fake.lua", "--backlog", "1..10", "--runs", "200",
      "--into", "out", cwd = place.path, stderr = "null" })
    eventually(function() return lfs.attributes(place.path .. "/out/runs") and count(files "out") > 5 end)
    assert(os.execute("kill -INT " .. process:pid()))
    assert.equal(130, process:wait(BOUND))
    local kept = files "out"
    assert.is_true(count(kept) < 2000)
    assert.matches("^fake: %d+ of 2000 runs done: [^\n]* 0 failed, %d+ missing%.\n$", sweep("--status out").output)
  end)

  it("ends by SIGTERM with status 143, and leaves no process and no file aside", function()
    local process <close> = assert(lunet.exec { LUNET, "sweep", "fake.lua", "--backlog", "1..10", "--runs", "200",
      "--into", "out", cwd = place.path, stderr = "null", env = { TMPDIR = place.path } })
    eventually(function() return lfs.attributes(place.path .. "/out/runs") and count(files "out") > 5 end)
    assert(os.execute("kill -TERM " .. process:pid()))
    assert.equal(143, process:wait(BOUND))
    eventually(function() -- lunet itself has ended, and is kept until the process is closed
      for _, entry in ipairs(process:tree()) do
        if not entry.state:find "^[ZX]" then return false end
      end
      return true
    end)
    for name in lfs.dir(place.path) do assert.is_nil(name:match "^lunet%-") end
  end)

  it("knows a script by the modules that it requires, too", function()
    place:write("fake.lua", "local other = require 'other'\n" .. FAKE)
    place:write("other.lua", "return 1")
    well "fake.lua --backlog 1 --runs 1 --into out"
    well "fake.lua --backlog 1 --runs 2 --into out"
    place:write("other.lua", "return 2")
    local result = sweep "fake.lua --backlog 1 --runs 3 --into out"
    assert.equal(3, result.status)
    assert.matches("^lunet: sweep: out: module other was ", result.errors)
  end)

  it("tries runs that came to nothing again, three times in all", function()
    for attempt = 1, 4 do
      local result = sweep "fake.lua --backlog 12..14 --runs 1 --into out"
      local failed = select(2, result.errors:gsub("lunet: sweep: %x+%-r1 failed: no luck\n", ""))
      assert.equal(attempt <= 3 and 1 or 0, failed)
      assert.same({ 3, "1 of 3 runs done: 1 hold, 0 do not; 1 invalid, 1 failed, 0 missing.\n" },
        { result.status, result.output })
      local told = well("--failed out").output
      assert.matches(("invalid, attempt %d: it slept\n"):format(math.min(attempt, 3)), told)
      assert.equal(attempt < 3 and 2 or 0, select(2, well("--list out").output:gsub("\n", "")))
    end
  end)

  it("tells how to repeat a run that came to nothing", function()
    sweep "fake.lua --backlog 13 --set jobs=3 --patience 0.5 --runs 1 --seed 4 --into out"
    local line = well("--failed out").output:match "\n  ([^\n]+)\n"
    assert.equal(("%s %s/fake.lua --backlog 13 --jobs 3 --patience 0.5 --seed 4"):format(LUNET, place.path), line)
    local again = program.shell(line .. " --json")
    assert.same({ 4, "" }, { again.status, again.errors })
    assert.matches("it slept", again.output, 1, true)
  end)

  it("is the same sweep by single lines, as parallel(1) would do them", function()
    well "fake.lua --backlog 1..3 --runs 2 --into whole"
    assert.equal("0 of 6 runs done: 0 hold, 0 do not; 0 invalid, 0 failed, 6 missing.\n",
      well("fake.lua --backlog 1..3 --runs 2 --into out --plan").output)
    local lines = well("--list out").output
    assert.equal(6, select(2, lines:gsub("\n", "")))
    local result = program.shell(("cd / && { %s; } 2>/dev/null"):format(lines:gsub("\n", " & "):gsub(" & $", "; wait")))
    assert.equal(0, result.status)
    assert.same(same_part(files "whole"), same_part(files "out"))
    assert.equal("", well("--list out").output)
    assert.equal(0, well("--run out " .. next(files "out")).status) -- it is done
  end)

  it("adds the runs of other directories of the same sweep, and names what was done twice", function()
    well "fake.lua --backlog 1,2 --runs 2 --into whole"
    well "fake.lua --backlog 1 --runs 2 --into a"
    well "fake.lua --backlog 2 --runs 2 --into b"
    local result = well "--merge both a b"
    assert.equal("4 of 4 runs done: 4 hold, 0 do not; 0 invalid, 0 failed, 0 missing.\n", result.output)
    assert.matches("^" .. report_note "both", result.errors)
    assert.same(same_part(files "whole"), same_part(files "both"))
    local before = files "both"
    result = well "--merge both whole"
    assert.equal(4, select(2, result.errors:gsub("was done twice: that of whole is left out\n", "")))
    assert.same(before, files "both")
  end)

  it("says points, runs and time, and writes nothing, with --dry", function()
    local dry = sweep "fake.lua --backlog 1..3 --into none --dry --until 'goodput 5%'"
    assert.same({ 0, "lunet: note: does one run of the first point, to see how long it takes\n" },
      { dry.status, dry.errors })
    assert.matches("^3 points, 10 runs of each or more, at most 50: 30 runs, 30 to do; about %d+ s, by a trial run of "
      .. "the first point %([%d.e-]+ s%), which is not kept%.\n$", dry.output)
    assert.is_nil(lfs.attributes(place.path .. "/none"))
    well "fake.lua --backlog 1 --runs 2 --into out"
    local before = files "out"
    assert.matches("^3 points, 2 runs of each: 6 runs, 4 to do; about %d+ s, by 2 that are done %([%d.e-]+ s "
      .. "each%)%.\n$",
      well("fake.lua --backlog 1..3 --runs 2 --into out --jobs 2 --dry").output)
    assert.same(before, files "out")
    assert.equal("1 point, 2 runs of each: 2 runs, 0 to do; nothing is missing.\n",
      well("fake.lua --backlog 1 --runs 2 --into out --dry").output)
  end)

  it("says with --dry why the time is not known", function()
    assert.matches("1 to do; the time is not known: a trial run of the first point failed: no luck.\n$",
      sweep("fake.lua --backlog 14 --runs 1 --dry").output)
    place:write("out/plan.json", "{}")
    local refused = sweep "fake.lua --backlog 1 --into out --dry"
    assert.same({ 3, "lunet: sweep: out/plan.json: this is no plan of format 2\n" },
      { refused.status, refused.errors })
  end)
end)
