-- The table that script/kernels makes of its runs, and the verdict of its --check.
local json = require "lunet.text.json"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local NAMES <const> = "one two"

describe("script/kernels", function()
  local place

  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  -- Keeps what a run has printed, as the script does.
  local function keep(column, name, record, errors)
    if record then
      local text = type(record) == "string" and record or json.encode(record, {})
      place:write(("%s/%s.json"):format(column, name), text)
    end
    place:write(("%s/%s.errors"):format(column, name), errors or "")
  end

  local function held(kernel, guest)
    local figures = not guest and "3 of 4" or nil
    return { verdict = "holds", figures = figures, environment = { kernel = "Linux " .. kernel, guest = guest } }
  end

  -- The script's page or check of those columns.
  local function run(file, ...)
    local words = {}
    for i, column in ipairs { ... } do words[i] = ("'%s/%s'"):format(place.path, column) end
    return program.shell(("exec '%s' spec/kernels/%s.lua '%s' %s"):format(os.getenv "LUNET", file, NAMES,
      table.concat(words, " ")))
  end

  it("makes a table of them: a column for each kernel, named by the release and by what ran it", function()
    local guest = { engine = "user-mode Linux", clock = "real", uid = 1000 }
    keep("6.1-user", "one", held("6.1.176", guest))
    keep("6.1-user", "two", { verdict = "not judged", why = "it is\nlate", environment = { kernel = "Linux 6.1.176",
      guest = guest } })
    place:write("6.1-user/one.seconds", "90\n")
    keep("here-user", "one", held "6.18.44")
    local result = run("page", "6.1-user", "here-user")
    assert.equal(0, result.status, result.errors)
    assert.match("\n| experiment | 6.1.176 (user-mode Linux, real) | 6.18.44 |\n| --- | --- | --- |\n"
      .. "| one | holds | holds |\n| two | not judged | not run |\n| minutes for all | 1.5 | 0.0 |\n", result.output,
      1, true)
    assert.match("\n## Figures\n\n**one**\n\n* 3 of 4: 6.18.44\n", result.output, 1, true)
    assert.match("\n## Why: not judged\n\n* it is late\n  * two: 6.1.176 (user-mode Linux, real)\n", result.output,
      1, true)
  end)

  it("tells each cause once, with the experiments and kernels where it was met", function()
    local function refused(release, line)
      return { verdict = "could not run", why = ("experiments/x.lua:%d: this Linux %s is without rules"):format(line,
        release), environment = { kernel = "Linux " .. release } }
    end
    for _, release in ipairs { "6.1.176", "6.12.5" } do
      keep(release .. "-user", "one", refused(release, 1))
      keep(release .. "-user", "two", refused(release, 2))
    end
    assert.match("\n## Why: could not run\n\n* this Linux is without rules\n  * one, two: 6.1.176, 6.12.5\n\n",
      run("page", "6.1.176-user", "6.12.5-user").output, 1, true)
  end)

  it("tells of a run without a record what lunet complained of, and not its progress", function()
    keep("9.9-user", "one", "", "lunet: waiting for another lunet that fetches kernels\n"
      .. "lunet: --kernel 9.9: booting it\nlunet: there is no Linux 9.9\n")
    keep("9.9-user", "two", "no JSON")
    local output = run("page", "9.9-user").output
    assert.match("| experiment | 9.9 |\n", output, 1, true)
    assert.match("* there is no Linux 9.9\n  * one: 9.9\n", output, 1, true)
    assert.match("* it printed no record\n  * two: 9.9\n", output, 1, true)
  end)

  it("checks that runs hold or are not judged, and that they were isolated", function()
    keep("6.1-user", "one", held "6.1.176")
    keep("6.1-user", "two", { verdict = "not judged", why = "the machine was late" })
    assert.equal(0, run("check", "6.1-user").status)
    for _, wrong in ipairs {
      { { verdict = "does not hold", why = "it is 5, not 6" }, "", "does not hold", "two, 6.1-user: it is 5, not 6" },
      { held "6.1.176", "lunet: note: it runs on the machine's own network stack\n", "not isolated", "two, 6.1-user" },
      { nil, "", "not run", "two, 6.1-user" },
    } do
      os.remove(place.path .. "/6.1-user/two.json")
      keep("6.1-user", "two", table.unpack(wrong, 1, 2))
      local result = run("check", "6.1-user")
      assert.equal(1, result.status)
      for i = 3, 4 do assert.match(wrong[i], result.output, 1, true) end
    end
  end)
end)
