local directory = require "lunet.sweep.directory"
local lunet = require "lunet"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local shell = require "lunet.text.shell"
local studies = require "lunet.sweep.studies"
local written_by = require "spec.support.written_by"

local LEAST_RUNS <const>, MOST_RUNS <const> = 6, 700 -- fewer than six runs of a point have no interval

describe("the studies", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  for _, asked in ipairs(studies.LIST) do
    describe(asked.name, function()
      it("is a sweep that can be planned, with runs enough and not too many", function()
        local place <close> = scratch.open()
        local words = table.move(asked.words, 1, #asked.words, 2, { os.getenv "LUNET" })
        table.move({ "--plan", "--into", place.path .. "/out" }, 1, 3, #words + 1, words)
        local result = program.shell(shell.line(words))
        assert.equal(0, result.status, result.errors)
        local plan = assert(directory.open(place.path .. "/out")).plan
        assert.is_true(plan.runs >= LEAST_RUNS and #plan.points * plan.runs <= MOST_RUNS)
      end)

      it("shows measures that its experiment declares", function()
        local declared = {}
        for _, measure in ipairs(dofile(asked.words[2]).measures) do declared[measure.name] = true end
        for _, name in ipairs(asked.measures) do assert.is_true(declared[name:match "^[^=]+"], name) end
      end)
    end)
  end

  it("are all in doc/studies/README.md, with links to the pages that there are", function()
    local file <close> = assert(io.open "doc/studies/README.md")
    assert.equal(studies.index "doc/studies", file:read "a")
    local place <close> = scratch.open()
    place:write("storm.md", "")
    local text = studies.index(place.path)
    assert.matches("\n| [storm](storm.md) | How long", text, 1, true)
    assert.matches("\n| stale (not made yet) | How much", text, 1, true)
  end)

  it("are found by their names", function()
    assert.equal("storm", studies.find("storm").name)
    assert.is_nil(studies.find "calm")
  end)

  -- A program that stands for lunet ends with a status, and leaves no sweep.
  local function make(status, ...)
    local place <close> = scratch.open()
    local fake, made = place:write("lunet", ("#!/bin/sh\nexit %d\n"):format(status)), nil
    assert(os.execute("chmod +x " .. fake))
    local names = { ... }
    local said = written_by(function()
      made = table.pack(pcall(studies.make, fake, place.path, place.path, table.unpack(names)))
    end)
    return made, said
  end

  it("end with the status of a sweep that could not be done", function()
    local made, said = make(3, "phantoms", "storm")
    assert.same({ true, 3, n = 2 }, made)
    assert.equal("studies: the sweep of phantoms ended with status 3\n", said)
  end)

  it("write a page where runs do not hold or are not judged, which takes a sweep's directory", function()
    for _, status in ipairs { 0, 4 } do
      local made = make(status, "phantoms")
      assert.is_false(made[1])
      assert.match("phantoms", tostring(made[2]))
    end
  end)

  it("refuse a name that there is not", function()
    local made, said = make(0, "phantoms", "calm")
    assert.same({ true, 2, n = 2 }, made)
    assert.equal("studies: there is no study 'calm'\n", said)
  end)
end)
