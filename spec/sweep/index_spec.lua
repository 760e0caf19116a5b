local index = require "lunet.sweep.index"
local lfs = require "lfs"
local results = require "lunet.sweep.results"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local LONG_AGO <const> = 1000000000 -- seconds since 1970
local RUNS <const> = 3

local function name_of(replicate) return "0123456789ab-r" .. replicate end

local function record(replicate, more)
  local made = { state = "done", attempt = 1, verdict = "holds", point = "0123456789ab", replicate = replicate,
    seed = (1 << 53) + replicate, identity = 1, started = 1700000000.125, seconds = 2, claim = "It holds.",
    knobs = { backlog = 3, mode = "fifo", seed = replicate, waits = { 1, 2 } },
    outcome = { goodput = 40 + replicate, share = 0.1 + 0.2, is_full = replicate == 1, words = 'a,\n"b"',
      queue = { depth = 3, states = {} } } }
  for field, any in pairs(more or {}) do made[field] = any end
  return made
end

describe("the index of a sweep", function()
  local place, runs, plan, reads
  before_each(function()
    place = scratch.open()
    runs = store.new(place.path)
    assert(runs:make())
    plan = { axes = {}, measures = {}, points = { { id = "0123456789ab", knobs = {} } } }
    function plan.runs_of() return RUNS end
    function plan.run_of(_, _, replicate) return { name = name_of(replicate) } end
  end)
  after_each(function() place:close() end)

  local function path_of(replicate) return ("%s/runs/%s.json"):format(place.path, name_of(replicate)) end

  -- Adds records that were written long ago.
  local function add(replicate, more)
    assert(runs:add(name_of(replicate), record(replicate, more)))
    assert(lfs.touch(path_of(replicate), LONG_AGO))
  end

  -- The rows of all runs, and in `reads` how many records were read for them.
  local function rows()
    reads = 0
    local counting = setmetatable({ read_brief = function(_, name)
      reads = reads + 1
      return runs:read_brief(name)
    end }, { __index = function(_, method) return function(_, ...) return runs[method](runs, ...) end end })
    return results.of({ path = place.path, plan = plan, store = counting }).rows
  end

  it("gives the rows that the records gave, numbers of each kind among them", function()
    add(1)
    add(2, { state = "failed", verdict = "could not run", outcome = false, why = "no luck" })
    add(3)
    local before = rows()
    assert.equal(3, reads)
    local after = rows()
    assert.equal(0, reads)
    assert.same(before, after)
    assert.equal("integer", math.type(after[1].record.seed))
    assert.equal((1 << 53) + 1, after[1].record.seed)
    assert.equal("float", math.type(after[1].figures.share))
    assert.same({ true, false }, { after[1].figures.is_full, after[3].figures.is_full })
    assert.is_nil(after[2].figures.is_full)
  end)

  it("reads what is new, and forgets what is gone", function()
    add(1)
    rows()
    add(2)
    assert.equal(2, #rows())
    assert.equal(2, reads) -- that of the missing third too
    assert(os.remove(path_of(1)))
    assert.equal(2, rows()[1].record.replicate)
  end)

  -- Writes the text of a record with another goodput, as long as it was, and gives it a time of change.
  local function change(path, from, changed)
    local before <close> = assert(io.open(from, "rb"))
    local text, count = before:read "a":gsub('"goodput":41', '"goodput":14')
    assert.equal(1, count)
    local after <close> = assert(io.open(path, "r+b") or io.open(path, "wb"))
    assert(after:write(text))
    assert(after:flush())
    assert(lfs.touch(path, changed))
  end

  it("reads a record that another one of the same length and time has replaced", function()
    add(1)
    rows()
    change(place.path .. "/aside", path_of(1), LONG_AGO)
    assert(os.rename(place.path .. "/aside", path_of(1)))
    assert.equal(14, rows()[1].figures.goodput)
  end)

  it("reads a record that was changed", function()
    add(1)
    rows()
    change(path_of(1), path_of(1), LONG_AGO + 1)
    assert.equal(14, rows()[1].figures.goodput)
  end)

  it("reads a record that was changed in the second in which it was read", function()
    assert(runs:add(name_of(1), record(1)))
    rows()
    change(path_of(1), path_of(1), (lfs.attributes(path_of(1), "modification")))
    assert.equal(14, rows()[1].figures.goodput)
  end)

  it("is made anew if it is cut off, of another format, or no index at all", function()
    for replicate = 1, RUNS do add(replicate) end
    local before = rows()
    local whole = place:read "index"
    for _, text in ipairs { "", "\n\n", "lunet sweep index 0" .. whole:sub(20), whole:sub(1, -2),
      whole:gsub("\n.-\n", "\n{}\n", 1), whole:gsub("\n.-\n", "\n[\n", 1) } do
      place:write("index", text)
      assert.same(before, rows())
      assert.equal(3, reads)
      rows()
      assert.equal(0, reads)
    end
  end)

  it("may be impossible to write", function()
    add(1)
    assert(lfs.mkdir(place.path .. "/index"))
    assert.equal(1, #rows())
    assert.equal(1, #rows())
  end)

  it("finds nothing in a directory that is not there", function()
    local none = index.open(place.path .. "/none")
    assert.is_nil(none:find(name_of(1)))
    none:add(name_of(1), { record = {}, knobs = {}, figures = {} })
    none:save()
    assert.is_nil(lfs.attributes(place.path .. "/none"))
  end)
end)
