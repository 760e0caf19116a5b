-- The helper, in a busted of its own, on a spec that leaks.
local program = require "spec.support.program"

local LEAKING = [[
local lunet = require "lunet"
describe("what an `it` leaves open", function()
  local listener
  it("is open in it", function()
    listener = assert(lunet.listen { backlog = 1 })
    assert.queue_depth(0, listener)
    assert.equal(1, #lunet.open_handles())
  end)
  it("is closed in the next", function()
    assert.same({}, lunet.open_handles())
    assert.fails_with("CLOSED", listener:accept(0))
  end)
  it("fails at its own line", function()
    assert.equal(1, 2)
  end)
  it("fails with its task", function()
    lunet.spawn(function() assert.equal("one", "two") end)
  end)
  it("may be pending", function() pending "later" end)
end)
]]

local function run_busted(spec, options)
  local unique = os.tmpname()
  local name = unique .. "_spec.lua" -- what busted takes for a spec
  local file = assert(io.open(name, "w"))
  assert(file:write(spec))
  assert(file:close())
  local result = program.shell(("exec %s /usr/bin/busted --ignore-lua --helper=lunet.busted %s -o TAP %s"):format(
    os.getenv "LUNET", options or "", name))
  os.remove(name)
  os.remove(unique)
  return result.output .. result.errors, name
end

describe("the helper for busted", function()
  it("makes each `it` a scope, whose failures are those of its tasks, too", function()
    local output, name = run_busted(LEAKING)
    assert.matches("ok 1 %- what an `it` leaves open is open in it", output)
    assert.matches("ok 2 %- what an `it` leaves open is closed in the next", output)
    assert.matches("not ok 3 %- what an `it` leaves open fails at its own line", output)
    assert.matches(name .. ":14: Expected objects to be equal", output, 1, true)
    assert.matches("not ok 4 %- what an `it` leaves open fails with its task", output)
    assert.matches("(string) 'one'", output, 1, true)
    assert.matches("ok 5 %- # SKIP", output)
  end)

  it("shows on request the last events when an assertion on lunet fails", function()
    local FAILING = [[
local lunet = require "lunet"
describe("a spec", function()
  it("passes", function() lunet.note "of the first" end)
  it("fails", function()
    for i = 1, 5 do lunet.note("note " .. i) end
    local listener = assert(lunet.listen { backlog = 7 })
    assert.queue_depth(1, listener)
  end)
end)
]]
    local output = run_busted(FAILING, "-Xhelper events=3")
    assert.matches("not ok 2", output, 1, true)
    assert.matches("queue depth: expected 1, the kernel says 0", output, 1, true)
    assert.matches("The last of 6 events, in ms since the first:", output, 1, true)
    assert.matches("server   listens, backlog 7", output, 1, true)
    assert.matches("note 5", output, 1, true)
    assert.not_matches("note 3", output, 1, true)
    assert.not_matches("of the first", output, 1, true)
    assert.not_matches("The last of", (run_busted(FAILING)), 1, true)
  end)

  it("refuses an option that it does not know", function()
    assert.matches("lunet.busted: events=NUMBER expected, not event=3", (run_busted("", "-Xhelper event=3")), 1, true)
  end)
end)
