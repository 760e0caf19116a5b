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

local function run_busted(spec)
  local unique = os.tmpname()
  local name = unique .. "_spec.lua" -- what busted takes for a spec
  local file = assert(io.open(name, "w"))
  assert(file:write(spec))
  assert(file:close())
  local result = program.shell(("exec %s /usr/bin/busted --ignore-lua --helper=lunet.busted -o TAP %s"):format(
    os.getenv "LUNET", name))
  os.remove(name)
  os.remove(unique)
  return result.output, name
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
end)
