local lfs = require "lfs"
local listing = require "spec.support.listing"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local NAME <const> = "0123456789ab-r1"

local function record(state, more)
  local made = { state = state, attempt = 1, verdict = state == "done" and "holds" or "could not run", outcome = {} }
  for field, any in pairs(more or {}) do made[field] = any end
  return made
end

describe("the store of a sweep's runs", function()
  local place, runs
  before_each(function()
    place = scratch.open()
    runs = store.new(place.path)
    assert(runs:make())
  end)
  after_each(function() place:close() end)

  local function files() return listing(place.path .. "/runs") end

  it("knows no run at first", function()
    assert.same({ "missing", 0 }, { runs:state(NAME) })
    assert.is_nil(runs:read(NAME))
    assert.same({}, runs:names())
  end)

  it("keeps records whole", function()
    assert(runs:add(NAME, record("done", { seed = 3, outcome = { goodput = 0.5, list = { 1, 2 } } })))
    assert.same({ "done", 1, "holds" }, { runs:state(NAME) })
    assert.same({ goodput = 0.5, list = { 1, 2 } }, runs:read(NAME).outcome)
    assert.same({ NAME .. ".json" }, files())
    assert.same({ NAME }, runs:names())
  end)

  it("finds state, attempt and verdict at the beginning of a record with everything", function()
    assert(runs:add(NAME, record("failed", { attempt = 123, point = "0123456789ab", claim = ("x"):rep(10000) })))
    assert.same({ "failed", 123, "could not run" }, { runs:state(NAME) })
    assert(runs:add(NAME, record("invalid", { verdict = "not judged" })))
    assert.same({ "invalid", 1, "not judged" }, { runs:state(NAME) })
  end)

  it("takes a later attempt in place of one that came to nothing", function()
    for attempt, state in ipairs { "failed", "invalid", "done" } do
      assert(runs:add(NAME, record(state, { attempt = attempt })))
      assert.same({ state, attempt }, { runs:state(NAME), (select(2, runs:state(NAME))) })
    end
  end)

  it("leaves a run that is done as it is, and names the second one", function()
    assert(runs:add(NAME, record("done", { seed = 1 })))
    for _, state in ipairs { "done", "failed" } do
      local added, message, code = runs:add(NAME, record(state, { seed = 2 }))
      assert.is_nil(added)
      assert.equal(NAME .. " was done twice: the first record stays", message)
      assert.equal("EEXIST", code)
    end
    assert.equal(1, runs:read(NAME).seed)
    assert.same({ NAME .. ".json" }, files())
  end)

  it("leaves a run that another process does at this moment, after attempts that came to nothing", function()
    local rename, other = os.rename, store.new(place.path)
    assert(runs:add(NAME, record("failed", { attempt = 1 })))
    rawset(os, "rename", function(...) -- the last moment before the former record is taken away
      rawset(os, "rename", rename)
      assert(other:add(NAME, record("done", { seed = 1 })))
      return rename(...)
    end)
    local added, _, code = runs:add(NAME, record("done", { seed = 2 }))
    rawset(os, "rename", rename)
    assert.same({ nil, "EEXIST" }, { added, code })
    assert.equal(1, runs:read(NAME).seed)
    assert.same({ NAME .. ".json" }, files())
  end)

  it("reads a record without its environment, and one that has none", function()
    local outcome = { environment = { a = 1 }, goodput = 3 }
    assert(runs:add(NAME, record("done", { seed = 3, outcome = outcome, environment = { sysctl = { b = 2 } } })))
    assert.same({ b = 2 }, runs:read(NAME).environment.sysctl)
    local brief = runs:read_brief(NAME)
    assert.same({ outcome, 3, nil }, { brief.outcome, brief.seed, brief.environment })
    assert(runs:add("0123456789ab-r2", record("failed")))
    assert.equal("failed", runs:read_brief("0123456789ab-r2").state)
  end)

  it("tells a run that is missing from a record that it cannot read", function()
    assert.same({}, { runs:read_brief(NAME) })
    place:write("runs/" .. NAME .. ".json", "{") -- cut off before its state
    assert.same({}, { runs:read_brief(NAME) })
    place:write("runs/" .. NAME .. ".json", '{"state":"done", "attempt":1, "verdict":"holds", "outcome": {')
    local read, message = runs:read_brief(NAME)
    assert.is_nil(read)
    assert.matches("this is no record", message, 1, true)
  end)

  it("says what is no record", function()
    place:write("runs/" .. NAME .. ".json", "{")
    local read, message = runs:read(NAME)
    assert.is_nil(read)
    assert.matches("this is no record", message, 1, true)
    assert.equal("missing", (runs:state(NAME)))
  end)

  it("removes what a killed process has left aside, and nothing else", function()
    assert(runs:add(NAME, record "done"))
    place:write("runs/.0123456789abcdef", "{")
    place:write("runs/.note", "mine")
    runs:tidy()
    assert.same({ ".note", NAME .. ".json" }, files())
  end)

  it("does not lose a record for want of room: it says so, and leaves nothing", function()
    local script = place:write("full.lua", ([[
      local store = require "lunet.sweep.store"
      local runs = store.new %q
      print(runs:add(%q, { state = "done", attempt = 1, verdict = "holds", outcome = { text = ("x"):rep(200000) } }))
      print((runs:state(%q)))]]):format(place.path .. "/full", NAME, NAME))
    place:write("full/kept", "")
    local result = program.shell_with_mounts(("mount -t tmpfs -o size=64k none PLACE/full && mkdir PLACE/full/runs && "
      .. "%s %s; ls -A PLACE/full/runs"):format(program.quote(os.getenv "LUNET"), script), place.path)
    assert.matches("^nil\t[^\n]*No space left on device\nmissing\n$", result.output)
  end)

  describe("is locked", function()
    -- Another process, since these locks are a process's own (fcntl(2)).
    local function try(alone)
      return program.lunet(([[print(require "lunet.sweep.store".new(%q):lock(%s) ~= nil)]]):format(place.path,
        tostring(alone))).output
    end

    it("by one alone, until it is done", function()
      local lock = assert(runs:lock(true))
      assert.same({ "false\n", "false\n" }, { try(true), try(false) })
      lock:close()
      assert.same({ "true\n", "true\n" }, { try(true), try(false) })
    end)

    it("by several who do single runs", function()
      local lock = assert(runs:lock(false))
      assert.same({ "false\n", "true\n" }, { try(true), try(false) })
      lock:close()
    end)

    it("with a clear line for who comes second", function()
      local lock = assert(runs:lock(true))
      local result = program.lunet(([[print(require "lunet.sweep.store".new(%q):lock(true))]]):format(place.path))
      assert.equal(("nil\t%s: another sweep is at work in it\n"):format(place.path), result.output)
      lock:close()
    end)

    it("not at all where the file system has no locks, and says so", function()
      local lock = lfs.lock
      lfs.lock = function() return nil, "Function not implemented" end
      local locked, message = runs:lock(true)
      lfs.lock = lock
      assert.is_nil(locked)
      assert.equal(place.path .. ": it cannot be locked: Function not implemented", message)
    end)

    it("not at all where there is no directory", function()
      local lock, message = store.new(place.path .. "/none"):lock(true)
      assert.is_nil(lock)
      assert.matches("No such file", message, 1, true)
    end)
  end)
end)
