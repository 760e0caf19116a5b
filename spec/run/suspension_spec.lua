-- Runs that were stopped and continued while they ran, by signals as a scheduler sends them.
local dkjson = require "dkjson"
local eventually = require "spec.support.eventually"
local lfs = require "lfs"
local lunet = require "lunet"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"

-- Freezes a program, makes the file begun, and goes on when there is a file go.
local SCRIPT <const> = [[
  local lunet = require "lunet"
  local function exists(path) return os.rename(path, path) end
  return require "lunet.experiment" {
    claim = "A frozen program stays frozen.",
    knobs = { raises = { false, "", "" } },
    run = function(knobs)
      local program <close> = assert(lunet.exec { "sleep", "1000" })
      assert(program:freeze())
      io.open("begun", "w"):close()
      assert(lunet.eventually(function() return exists "go" end, 60))
      assert(not knobs.raises, "it went wrong")
      return { state = program:tree()[1].state }
    end,
    check = function() end,
  }]]

describe("a run that was stopped and continued", function()
  local place
  before_each(function()
    place = scratch.open()
    place:write("frozen.lua", SCRIPT)
  end)
  after_each(function()
    place:close()
    assert.same({}, lunet.open_handles())
  end)

  local function exists(name) return lfs.attributes(place.path .. "/" .. name) ~= nil end

  local function all_are(nonce, pattern)
    local numbers = tagged.all(nonce)
    for number in pairs(numbers) do
      if not tostring(tagged.stat(number)[1]):find(pattern) then return false end
    end
    return next(numbers) ~= nil
  end

  local function signal_all(nonce, signal)
    for number in pairs(tagged.all(nonce)) do os.execute(("kill -%s %d 2>/dev/null"):format(signal, number)) end
  end

  -- Starts lunet, stops and continues each of its processes as Slurm does, and lets the run go on.
  local function suspend(words)
    local nonce = tagged.new()
    table.move(words, 1, #words, 2, words)
    words[1], words.cwd, words.env = os.getenv "LUNET", place.path, { NONCE = nonce }
    words.stderr = "null"
    local process = assert(lunet.exec(words))
    eventually(function() return exists "begun" end)
    signal_all(nonce, "STOP")
    eventually(function() return all_are(nonce, "^T") end)
    signal_all(nonce, "CONT")
    eventually(function() return all_are(nonce, "^[^T]") end)
    place:write("go", "")
    return process
  end

  it("is not judged, for it was thawed what its script had frozen", function()
    local process <close> = suspend({ "frozen.lua", "--json" })
    local record = assert(dkjson.decode(process.stdout:receive("a", BOUND)))
    assert.equal(4, process:wait(BOUND))
    assert.same({ "not judged", "it was suspended and resumed (SIGCONT) while it ran" },
      { record.verdict, record.why })
    assert.not_equal("T", record.outcome.state)
  end)

  it("could not run if it raised an error, which tells less", function()
    local process <close> = suspend({ "frozen.lua", "--json", "--raises", "true" })
    local record = assert(dkjson.decode(process.stdout:receive("a", BOUND)))
    assert.equal(3, process:wait(BOUND))
    assert.same({ "could not run", "it was suspended and resumed (SIGCONT) while it ran" },
      { record.verdict, record.why })
  end)

  for what, words in pairs { ["ends well"] = "false", ["raises an error"] = "true" } do
    it(("is invalid in a sweep though it %s, and is done again"):format(what), function()
      local process <close> = suspend({ "sweep", "frozen.lua", "--raises", words, "--runs", "1", "--into", "out" })
      assert.equal(4, process:wait(BOUND))
      local runs = store.new(place.path .. "/out")
      local name = runs:names()[1]
      assert.same({ "invalid", 1 }, { runs:state(name), (select(2, runs:state(name))) })
      assert.equal("it was suspended and resumed (SIGCONT) while it ran", runs:read(name).why)
      program.shell(("cd %s && exec '%s' sweep frozen.lua --raises %s --runs 1 --into out"):format(place.path,
        os.getenv "LUNET", words))
      assert.same({ words == "true" and "failed" or "done", 2 },
        { runs:state(name), (select(2, runs:state(name))) })
    end)
  end

  it("is invalid in a sweep though its process did not live to tell", function()
    local nonce = tagged.new()
    local process <close> = assert(lunet.exec { os.getenv "LUNET", "sweep", "frozen.lua", "--runs", "1", "--into",
      "out", cwd = place.path, env = { NONCE = nonce }, stderr = "null" })
    eventually(function() return exists "begun" end)
    os.execute("kill -CONT " .. process:pid())
    for number, name in pairs(tagged.all(nonce)) do
      if name:find "^lunet%s*$" and number ~= process:pid() then os.execute("kill -KILL " .. number) end
    end
    assert.equal(4, process:wait(BOUND))
    local runs = store.new(place.path .. "/out")
    assert.equal("invalid", (runs:state(runs:names()[1])))
  end)

  it("is judged when the signal came before it", function()
    local result = program.lunet [[
      local suspension = require "lunet.run.suspension"
      os.execute "kill -CONT $PPID"
      local find_suspension = suspension.watch()
      print(find_suspension())
      os.execute "kill -CONT $PPID"
      print(find_suspension())]]
    assert.equal("nil\nit was suspended and resumed (SIGCONT) while it ran\n", result.output)
  end)

  it("is judged by a stock interpreter, which keeps its own handling of signals", function()
    local result = program.stock [[
      local find_suspension = require "lunet.run.suspension".watch()
      os.execute "kill -CONT $PPID"
      print(find_suspension())]]
    assert.same({ "nil\n", "" }, { result.output, result.errors })
  end)
end)
