local dkjson = require "dkjson"
local overview = require "lunet.command.overview"

local ENVIRONMENT = { kernel = "Linux 6.1", lunet = "0.1.0", lua = "5.4", libuv = "1.44.2" }

local HELD = { experiment = "backlog_capacity", file = "experiments/backlog_capacity.lua", claim = "It holds.",
  verdict = "holds", seconds = 0.31, figures = "4 of 6 connect", environment = ENVIRONMENT }
local FAILED = { experiment = "overflow", file = "experiments/overflow.lua", claim = "It does not | hold.",
  verdict = "does not hold", why = "nobody connected", seconds = 12.34, figures = "0 of 6 connect",
  environment = ENVIRONMENT }
local NOT_RUN = { experiment = "broken", file = "experiments/broken.lua", verdict = "could not run",
  why = "broken.lua:1: syntax error" }
local DISTURBED = { experiment = "metastable", file = "experiments/metastable.lua", verdict = "not judged",
  why = "the machine disturbed it", seconds = 1, figures = "0 of 6 connect" }

local IN_FOLDER = { experiment = "overflow", file = "experiments/queue/overflow.lua", claim = "It holds.",
  verdict = "holds", seconds = 2, figures = "6 of 6" }
local DEEPER = { experiment = "deep", file = "experiments/queue/old/deep.lua", claim = "It holds.", verdict = "holds",
  seconds = 1, figures = "5 of 5" }

--- The results of experiments/, when it has these records.
local function results(records, more)
  local all = { directory = "experiments", records = records, seconds = 1, left_out = {} }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

describe("a catalogue's table", function()
  it("has a line for each, with the figures, or why it does not hold or could not run; and the sums", function()
    assert.equal(table.concat({
      "experiment        verdict        seconds  figures",
      "backlog_capacity  holds              0.3  4 of 6 connect",
      "broken            could not run           broken.lua:1: syntax error",
      "metastable        not judged         1.0  the machine disturbed it",
      "overflow          does not hold     12.3  nobody connected",
      "",
      "1 of 4 claims hold, 1 not; 1 not judged, 1 could not run. 12.5 s in all.",
    }, "\n"), overview.table(results({ HELD, NOT_RUN, DISTURBED, FAILED }, { seconds = 12.5 })))
  end)

  it("has a heading for each folder", function()
    local text = overview.table(results { HELD, IN_FOLDER, DEEPER })
    assert.matches(table.concat({
      "4 of 6 connect", "", "queue/", "overflow          holds        2.0  6 of 6",
      "", "queue/old/", "deep              holds        1.0  5 of 5", "", "3 of 3 claims hold",
    }, "\n"), text, 1, true)
  end)

  it("ends with the names of those that were left out", function()
    local text = overview.table(results({ HELD }, { left_out = { "metastable", "remedies" } }))
    local last = " 1.0 s in all.\nLeft out, since they are slow (--all runs them): metastable, remedies."
    assert.equal(last, text:sub(-#last))
    assert.not_matches("Left out", overview.table(results { HELD }))
  end)

  it("breaks a long text within its column, and fits into 80 columns", function()
    local long = { experiment = ("x"):rep(25), file = "x", verdict = "does not hold", seconds = 100.25,
      why = ("word "):rep(20) }
    local lines = 0
    for line in overview.table(results { long }):gmatch "[^\n]+" do
      assert.is_true(#line <= 80, line)
      if line:match "^ +word" then
        assert.equal(#("x"):rep(25) + #"  does not hold  seconds  " + 1, line:find "word")
        lines = lines + 1
      end
    end
    assert.is_true(lines > 1)
  end)

  it("does without figures", function()
    local plain = { experiment = "a", file = "a.lua", verdict = "holds", seconds = 1 }
    assert.match("\na           holds        1.0\n", overview.table(results { plain }), 1, true)
  end)
end)

describe("a catalogue's page", function()
  it("is a heading, a table with a link to every file, the environment, and how it was made", function()
    local page = overview.page(results { HELD, NOT_RUN, FAILED, IN_FOLDER })
    for _, part in ipairs {
      "# Experiments\n\nEach file states one claim",
      "\n\n| experiment | claim | verdict | figures |\n|---|---|---|---|\n",
      "\n| [backlog_capacity](backlog_capacity.lua) | It holds. | holds | 4 of 6 connect |\n",
      "\n| [broken](broken.lua) |  | could not run | broken.lua:1: syntax error |\n",
      "\n| [overflow](overflow.lua) | It does not \\| hold. | does not hold | nobody connected |\n",
      "nobody connected |\n\n## queue/\n\n| experiment | claim | verdict | figures |\n|---|---|---|---|\n",
      "\n| [overflow](queue/overflow.lua) | It holds. | holds | 6 of 6 |\n",
      "\n\nLinux 6.1, lunet 0.1.0, Lua 5.4, libuv 1.44.2.\n",
      "\nGenerated, not to be edited: `script/run experiments/ --all --markdown experiments/README.md`.",
    } do
      assert.match(part, page, 1, true)
    end
  end)

  it("names those that were left out", function()
    local page = overview.page(results({ HELD }, { left_out = { "remedies" } }))
    assert.matches("\n\nLeft out, since they are slow (--all runs them): remedies.\n\n", page, 1, true)
  end)

  it("says nothing of an environment when none could run", function()
    assert.match("\n\nNone of them could run.\n", overview.page(results { NOT_RUN }), 1, true)
  end)
end)

describe("a catalogue's JSON", function()
  it("is one array of all records", function()
    assert.same({ HELD, NOT_RUN, FAILED }, (dkjson.decode(overview.json { HELD, NOT_RUN, FAILED })))
  end)
end)

describe("a catalogue's exit status", function()
  it("is 0 when all hold, 1 when one does not, else 4 when one is not judged, else 3 when one could not run", function()
    assert.equal(0, overview.status { HELD, HELD })
    assert.equal(1, overview.status { HELD, FAILED })
    assert.equal(3, overview.status { HELD, NOT_RUN })
    assert.equal(4, overview.status { NOT_RUN, DISTURBED, HELD })
    assert.equal(1, overview.status { NOT_RUN, HELD, DISTURBED, FAILED })
  end)
end)
