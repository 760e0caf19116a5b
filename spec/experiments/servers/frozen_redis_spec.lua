local lunet = require "lunet"
local frozen_redis = dofile "experiments/servers/frozen_redis.lua"
local it = require "spec.support.patient"(it)

-- The cases, by what they are: what redis has afterwards.
local function values(outcome)
  local found = {}
  for _, case in ipairs(outcome.cases) do
    local key = ("%s %s %s %s"):format(case.client, case.protected, case.accepted, case.departure)
    assert.is_nil(found[key])
    found[key] = case.value
  end
  return found
end

local function only(case, patience)
  case.patience = patience or 0.01
  local outcome, holds, why = frozen_redis(case)
  assert.is_true(holds, why)
  assert.equal(1, #outcome.cases)
  return outcome.cases[1]
end

describe("frozen_redis", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: redis has the values of all whom protected mode did not deny", function()
    local outcome, holds, why = frozen_redis()
    assert.is_true(holds, why)
    local expected = {}
    for _, accepted in ipairs { "before", "after" } do
      for _, departure in ipairs { "close", "reset", "shutdown", "vanish" } do
        local rest = accepted .. " " .. departure
        expected["remote no " .. rest] = "late"
        expected["remote yes " .. rest] = "(nil)"
        expected["local no " .. rest] = "late"
        expected["local yes " .. rest] = rest == "after reset" and "(nil)" or "late"
      end
    end
    assert.same(expected, values(outcome))
    assert.equal("23 of 32 late writes carried out, 9 denied", frozen_redis.figures(outcome))
  end)

  local function a_case(client, protected, accepted, departure)
    return { client = client, protected = protected, accepted = accepted, departure = departure }
  end

  for _, departure in ipairs { "close", "reset" } do
    for _, accepted in ipairs { "before", "after" } do
      it(("carries out the SET of who left by %s, accepted %s the stop"):format(departure, accepted), function()
        local case = only(a_case("remote", "no", accepted, departure))
        assert.same({ 14, false, 0, "TIMEOUT", "late" },
          { case.bytes, case.denied, case.held, case.reply, case.value })
      end)
    end

    it("has nothing of who left by " .. departure .. ", if protected mode denied it before the stop", function()
      local case = only(a_case("remote", "yes", "before", departure))
      assert.same({ 0, true, 0, "-DENIED", "(nil)" }, { case.bytes, case.denied, case.held, case.reply, case.value })
    end)

    it("has nothing of who left by " .. departure .. ", if protected mode denies it after the stop", function()
      local case = only(a_case("remote", "yes", "after", departure))
      assert.same({ 14, true, 0, "TIMEOUT", "(nil)" }, { case.bytes, case.denied, case.held, case.reply, case.value })
    end)
  end

  it("in protected mode serves a local client that closed in the queue, and denies one that was reset there", function()
    assert.same({ "late", "(nil)", "late" }, {
      only(a_case("local", "yes", "after", "close")).value,
      only(a_case("local", "yes", "after", "reset")).value,
      only(a_case("local", "yes", "before", "reset")).value })
  end)

  it("answers a client that only ended its side", function()
    assert.equal("+OK", only(a_case("remote", "no", "after", "shutdown")).reply)
    assert.equal("-DENIED", only(a_case("remote", "yes", "after", "shutdown")).reply)
  end)

  it("keeps a client that vanished", function()
    local case = only(a_case("remote", "no", "after", "vanish"))
    assert.same({ 1, "late" }, { case.held, case.value })
  end)

  for _, patience in ipairs { 0, 0.2 } do
    it(("holds when the client waits %g s, and no less"):format(patience), function()
      local started = lunet.now()
      assert.equal("late", only(a_case("remote", "no", "after", "close"), patience).value)
      assert.is_true(lunet.now() - started >= patience)
    end)
  end

  it("control: a transaction that waits for an answer before its last step leaves nothing behind", function()
    local outcome, holds, why = frozen_redis(frozen_redis.control)
    assert.is_false(holds)
    assert.equal("remote client, protected no, accepted before, close: value is (nil), not late", why)
    for key, value in pairs(values(outcome)) do assert.equal("(nil)", value, key) end
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() frozen_redis { departure = "crash" } end,
      "knob departure: \"crash\" is not allowed; it is one of all, close, reset, shutdown, vanish %(way%)$")
    assert.error_matches(function() frozen_redis { protected = "maybe" } end, "one of all, no, yes %(setting%)$")
    assert.error_matches(function() frozen_redis { accepted = "never" } end, "one of all, before, after %(time%)$")
    assert.error_matches(function() frozen_redis { client = "nobody" } end, "one of all, remote, local %(place%)$")
    assert.error_matches(function() frozen_redis { request = "DEL" } end, "one of SET, MULTI %(request%)$")
    assert.error_matches(function() frozen_redis { patience = -1 } end, "knob patience: %-1 is not allowed")
  end)
end)
