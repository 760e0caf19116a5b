-- The report, of real sweeps: what is in its files, and what gnuplot has drawn.
local directory = require "lunet.sweep.directory"
local lunet = require "lunet"
local program = require "spec.support.program"
local report = require "lunet.sweep.report"
local stage = require "spec.support.command_stage"

local FAKE <const> = [[
  return require "lunet.experiment" {
    claim = "Goodput | collapses.",
    knobs = { backlog = { 5, "connections", "" }, mode = { "fifo", "kind", "", choices = { "fifo", "li'fo" } },
      seed = { 1, "number", "" } },
    measures = { goodput = { "/s", "requests answered in time", better = "more" },
      ["queue.depth"] = { "connections", "on average" }, none = { "", "that no run has" } },
    run = function(knobs)
      return { goodput = (knobs.backlog > 3 and -5 or 40) + knobs.seed, queue = { depth = knobs.backlog } }
    end,
    check = function(outcome) assert(outcome.goodput > 20, "it has collapsed") end,
  }]]

local HAS_GNUPLOT <const> = os.execute "command -v gnuplot >/dev/null"
local MISSING <const> = "gnuplot is not installed (script/packages sweep)"

describe("the report of a sweep", function()
  local place
  before_each(function()
    place = stage.open()
    place:write("fake.lua", FAKE)
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function sweep(words, environment) return stage.run("sweep " .. words, environment) end

  local function lines_of(name)
    local lines = {}
    for line in place:read("out/" .. name):gmatch "[^\n]*\n" do lines[#lines + 1] = line end
    return lines
  end

  it("is written when a sweep ends, and again when asked for", function()
    local words = "fake.lua --backlog 1..6 --mode \"fifo,li'fo\" --runs 6 --into out"
    local result = sweep(words)
    assert.equal(0, result.status)
    assert.matches("\ngoodput (/s), medians\n", result.output, 1, true)
    assert.equal(1 + 6 * 2 * 6, #lines_of "results.csv")
    assert.equal(1 + 6 * 2 * 4, #lines_of "summary.csv") -- holds, goodput, queue.depth, none
    local page, before = place:read "out/README.md", place:read "out/results.csv"
    assert.matches("^# fake\n\nGoodput \\| collapses.\n\n12 points, 6 runs of each, seeds 1 to 6: 72 runs are done, "
      .. "0 invalid, 0 failed, 0 missing.\nThe claim held in 36 of 72 %(0.39 to 0.61%).\n", page)
    assert.matches("<tr><td>6</td><td>li&#39;fo</td><td>0 of 6 (0.00 to 0.39)</td><td>-1.5 (-4 to 1)</td>",
      place:read "out/report.html", 1, true)
    local command = "\n    lunet sweep fake.lua --backlog 1..6 --mode 'fifo,li'\\''fo' --runs 6 --into out\n"
    assert.matches(command, page, 1, true)
    local row = "\n| 6 | li'fo | 0 of 6 (0.00 to 0.39) | -1.5 (-4 to 1) | no run has it | 6 (6 to 6) |\n"
    assert.matches(row, page, 1, true)
    assert(os.remove(place.path .. "/out/results.csv"))
    assert.same({ 0, result.output }, { sweep("--report out").status, sweep("--report out").output })
    assert.equal(before, place:read "out/results.csv")
  end)

  it("has the rows of the runs so far, as they stand at the end", function()
    assert.equal(0, sweep("fake.lua --backlog 1..2 --runs 2 --into out").status)
    local before = lines_of "results.csv"
    assert.equal(0, sweep("fake.lua --backlog 1..2 --runs 3 --into out").status)
    local after = {}
    for _, line in ipairs(lines_of "results.csv") do after[line] = true end
    for _, line in ipairs(before) do assert.is_true(after[line]) end
  end)

  it("draws every run, as SVG and PDF", function()
    if not HAS_GNUPLOT then return pending(MISSING) end
    local result = sweep "fake.lua --backlog 1..6 --mode \"fifo,li'fo\" --runs 6 --into out"
    assert.is_nil(result.errors:find "note: [^r]") -- but that it repeats runs
    for _, name in ipairs { "figure-goodput", "figure-queue.depth" } do
      local image = place:read("out/" .. name .. ".svg")
      assert.equal(72, select(2, image:gsub("<use xlink:href='#gpPt6'", "")))
      assert.matches("mode = li'fo", image:gsub("&#39;", "'"), 1, true)
      assert.equal("%PDF-", place:read("out/" .. name .. ".pdf"):sub(1, 5))
      assert.matches("![" .. name:sub(8) .. "](" .. name .. ".svg)", place:read "out/README.md", 1, true)
    end
    assert.equal(2, select(2, place:read "out/report.html":gsub("data:image/svg%+xml,%%3C%%3Fxml", "")))
    local rendered = program.shell(("cd %s/out && gnuplot figure-goodput.gp && test -s figure-goodput.svg"):format(
      place.path))
    assert.same({ status = 0, output = "", errors = "" }, rendered)
  end)

  -- A gnuplot that does less than it was asked for: a program of that name that comes first in PATH.
  local function with_gnuplot(text)
    place:write("bin/gnuplot", text)
    assert(os.execute("chmod +x " .. place.path .. "/bin/gnuplot"))
    return sweep("fake.lua --backlog 1..2 --runs 2 --into out", "PATH=" .. place.path .. "/bin:$PATH").errors
  end

  it("does not take gnuplot's word for a drawing", function()
    assert.matches("note: figure-goodput.gp: it shows 0 of 4 dots\n", with_gnuplot "#!/bin/sh\nexit 0\n", 1, true)
    assert.matches("note: figure-goodput.gp: it shows 0 of 4 dots no luck\n",
      with_gnuplot "#!/bin/sh\necho no luck >&2\n", 1, true)
    assert.matches("note: figure-goodput.gp: gnuplot failed no luck\n",
      with_gnuplot "#!/bin/sh\necho no luck >&2\nexit 1\n", 1, true)
    local draws = "#!/bin/sh\nfor i in 1 2 3 4; do echo \"<use xlink:href='#gpPt6'/>\"; done >\"${1%.gp}.svg\"\n"
    assert.matches("note: figure-goodput.gp: there is no PDF\n", with_gnuplot(draws), 1, true)
  end)

  it("says that gnuplot is missing, and is written without its figures", function()
    local result = sweep("fake.lua --backlog 1..2 --runs 2 --into out", "PATH=" .. place.path)
    assert.equal(0, result.status)
    assert.matches("note: no figure is drawn: gnuplot is missing (install the package gnuplot-nox)\n", result.errors, 1,
      true)
    assert.equal(5, #lines_of "results.csv")
  end)

  it("says that a file cannot be written", function()
    assert.equal(0, sweep("fake.lua --backlog 1..2 --runs 2 --into out").status)
    assert(os.remove(place.path .. "/out/summary.csv"))
    place:write("out/summary.csv/in_the_way", "")
    local result = sweep "--report out"
    assert.equal(3, result.status)
    assert.matches("^lunet: sweep: out/summary.csv: [^\n]+\n$", result.errors)
  end)

  it("ends the drawings that go on if a file cannot be written", function()
    if not HAS_GNUPLOT then return pending(MISSING) end
    assert.equal(0, sweep("fake.lua --backlog 1..2 --runs 2 --into out").status)
    assert(os.remove(place.path .. "/out/figure-queue.depth.dat")) -- the second figure's
    place:write("out/figure-queue.depth.dat/in_the_way", "")
    local opened = assert(directory.open(place.path .. "/out"))
    local written, message = report.write(opened, opened:tally())
    assert.is_nil(written)
    assert.matches("/out/figure%-queue.depth.dat: ", message)
    assert.same({}, lunet.open_handles())
  end)
end)
