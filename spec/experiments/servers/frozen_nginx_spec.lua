local lfs = require "lfs"
local lunet = require "lunet"
local listing = require "spec.support.listing"
local merged = require "spec.support.merged"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"
local frozen_nginx = dofile "experiments/servers/frozen_nginx.lua"
local it = require "spec.support.patient"(it)

-- By mode and departure: the status in the log, whether the backend was asked, and the client's reply.
local function facts(outcome)
  local found = {}
  for _, case in ipairs(outcome.cases) do
    local key = case.mode .. " " .. case.departure
    assert.is_nil(found[key])
    found[key] = { case.status, case.asked, case.reply }
  end
  return found
end

local function only(mode, departure, more)
  local outcome, holds, why = frozen_nginx(merged({ mode = mode, departure = departure, patience = 0.01 }, more))
  assert.equal(1, #outcome.cases)
  return outcome.cases[1], holds, why
end

describe("frozen_nginx", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is", function()
    local outcome, holds, why = frozen_nginx()
    assert.is_true(holds, why)
    local expected = {}
    for _, departure in ipairs { "close", "reset", "shutdown" } do
      local waits = departure == "shutdown"
      expected["static " .. departure] = { "200", false, waits and "200" or "TIMEOUT" }
      expected["proxy " .. departure] = { "499", false, waits and "EOF" or "TIMEOUT" }
      expected["pool " .. departure] = { "499", true, waits and "EOF" or "TIMEOUT" }
      expected["unix " .. departure] = { "499", true, waits and "EOF" or "TIMEOUT" }
      expected["ignore " .. departure] = { "200", true, waits and "200" or "TIMEOUT" }
    end
    assert.same(expected, facts(outcome))
    assert.equal("200 for 6, 499 for 9 of which 6 asked the backend", frozen_nginx.figures(outcome))
  end)

  it("logs 200 and no byte for a file whose client was reset", function()
    local case, holds, why = only("static", "reset")
    assert.is_true(holds, why)
    assert.same({ "200", 0, "reset by peer" }, { case.status, case.bytes, case.error_log })
  end)

  it("sends the file to a client that only ended its side, and as a proxy cuts it off", function()
    local case = only("static", "shutdown")
    assert.same({ "200", 6, "200", "nothing" }, { case.status, case.bytes, case.reply, case.error_log })
    case = only("proxy", "shutdown")
    assert.same({ "499", 0, "EOF", "prematurely closed" }, { case.status, case.bytes, case.reply, case.error_log })
    case = only("ignore", "shutdown")
    assert.same({ "200", 6, "200", "nothing" }, { case.status, case.bytes, case.reply, case.error_log })
  end)

  for _, departure in ipairs { "close", "reset" } do
    it("asks a backend only if that needs no handshake: " .. departure, function()
      local asked = {}
      for i, mode in ipairs { "proxy", "pool", "unix" } do
        local case, holds, why = only(mode, departure)
        assert.is_true(holds, why)
        assert.same({ "499", "prematurely closed" }, { case.status, case.error_log })
        asked[i] = case.asked
      end
      assert.same({ false, true, true }, asked)
    end)
  end

  for _, patience in ipairs { 0, 0.2 } do
    it(("holds when the client waits %g s, and no less"):format(patience), function()
      local started = lunet.now()
      local _, holds, why = only("static", "close", { patience = patience })
      assert.is_true(holds, why)
      assert.is_true(lunet.now() - started >= patience)
    end)
  end

  it("control: a request that was not whole is served by nobody, and logged as 400", function()
    local outcome, holds, why = frozen_nginx(frozen_nginx.control)
    assert.is_false(holds)
    assert.equal("static, close: bytes is 0, not 6", why)
    for _, case in ipairs(outcome.cases) do
      assert.same({ "400", 0, false }, { case.status, case.bytes, case.asked })
    end
  end)

  it("does not log a client that sent nothing, which is not judged", function()
    for _, departure in ipairs { "close", "reset" } do
      local case, holds, why = only("pool", departure, { request = "none" })
      assert.is_nil(holds)
      assert.equal("the clients sent no request", why)
      assert.same({ "none", false }, { case.status, case.asked })
    end
  end)

  -- Runs it with a $TMPDIR of that name. Returns the result, and the names that the run left there.
  local function run_in_directory(name, options)
    local place <close> = scratch.open()
    local directory = place.path .. "/" .. name
    assert(lfs.mkdir(directory))
    local result = program.shell(('TMPDIR=%s exec "$LUNET" experiments/servers/frozen_nginx.lua --json --patience 0 %s')
      :format(directory, options))
    return result, listing(directory)
  end

  it("leaves no directory behind", function()
    local result, left = run_in_directory("tmp", "--mode static --departure close")
    assert.same({ 0, "", {} }, { result.status, result.errors, left })
  end)

  it("leaves no directory behind after an error: a Unix address too long for the kernel", function()
    local result, left = run_in_directory(("x"):rep(120), "--mode unix --departure close")
    assert.same({ 3, {} }, { result.status, left })
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() frozen_nginx { mode = "fast" } end,
      "knob mode: \"fast\" is not allowed; it is one of all, static, proxy, pool, unix, ignore %(mode%)$")
    assert.error_matches(function() frozen_nginx { departure = "vanish" } end,
      "one of all, close, reset, shutdown %(way%)$")
    assert.error_matches(function() frozen_nginx { request = "half" } end, "one of whole, part, none %(request%)$")
    assert.error_matches(function() frozen_nginx { patience = -1 } end, "knob patience: %-1 is not allowed")
  end)
end)
