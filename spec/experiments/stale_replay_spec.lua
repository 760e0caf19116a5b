local dkjson = require "dkjson"
local environment = require "lunet.run.environment"
local lunet = require "lunet"
local program = require "spec.support.program"
local stale_replay = dofile "experiments/stale_replay.lua"
local it = require "spec.support.patient"(it)

-- The ghost of every setting at which B sent something.
local function assert_ghost(outcome)
  assert.same({ "TIMEOUT", 1, 1, 1 }, { outcome.b_error, outcome.accepted_before_a_left,
    outcome.queue_before_b_left, outcome.queue_after_b_left })
  assert.same({ "CLOSE_WAIT", "fin" }, { outcome.ghost_state, outcome.ghost_liveness })
  assert.same({ "sent", "EPIPE" }, { outcome.first_reply, outcome.second_reply })
end

describe("stale_replay", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: B's request is carried out after B has given up and gone", function()
    local outcome, holds, why = stale_replay()
    assert.is_true(holds, why)
    assert_ghost(outcome)
    assert.equal("ESTABLISHED", outcome.b_state)
    assert.same({ "login A", "login B" }, outcome.served)
  end)

  it("connects B at once, though the server is busy with A", function()
    local outcome = stale_replay { patience = 0 }
    assert.is_true(outcome.b_connect_seconds > 0)
    assert.is_true(outcome.b_connect_seconds < 5) -- of the 10 s that it would wait
  end)

  local more_than_the_kernel_grants = environment.sysctl "net.core.somaxconn" + 1000
  for _, backlog in ipairs { 0, 1, 5, 100, 5000, more_than_the_kernel_grants } do
    it("holds with a backlog of " .. backlog, function()
      local outcome, holds, why = stale_replay { backlog = backlog, patience = 0 }
      assert.is_true(holds, why)
      assert_ghost(outcome)
      assert.same({ "login A", "login B" }, outcome.served)
    end)
  end

  for _, patience in ipairs { 0, 0.01, 0.2 } do
    it(("holds when B waits %g s, and no less"):format(patience), function()
      local started = lunet.now()
      local outcome, holds, why = stale_replay { patience = patience }
      assert.is_true(lunet.now() - started >= patience)
      assert.is_true(holds, why)
      assert_ghost(outcome)
    end)
  end

  for _, requests in ipairs { 1, 2, 5 } do
    it(("carries out all of B's requests, in order: %d"):format(requests), function()
      local outcome, holds, why = stale_replay { requests = requests, patience = 0 }
      assert.is_true(holds, why)
      assert_ghost(outcome)
      local expected = { "login A", "login B" }
      for i = 2, requests do expected[i + 1] = ("request %d of B"):format(i) end
      assert.same(expected, outcome.served)
    end)
  end

  it("control: a server that looks at the state of its connection carries out nothing of a client that left", function()
    assert.same({ server = "looks" }, stale_replay.control)
    local outcome, holds, why = stale_replay { server = stale_replay.control.server, patience = 0 }
    assert.is_false(holds)
    assert.equal("no request of B was carried out", why)
    assert.same({ "login A" }, outcome.served)
    assert.same({ "CLOSE_WAIT", "fin" }, { outcome.ghost_state, outcome.ghost_liveness })
  end)

  it("judges nothing if B sent no request: the ghost comes all the same", function()
    local outcome, holds, why = stale_replay { requests = 0, patience = 0 }
    assert.same({ nil, "B sent no request" }, { holds, why })
    assert.same({ "login A" }, outcome.served)
    assert.same({ "TIMEOUT", 1, 1 }, { outcome.b_error, outcome.queue_before_b_left, outcome.queue_after_b_left })
    assert.same({ "CLOSE_WAIT", "fin" }, { outcome.ghost_state, outcome.ghost_liveness })
    assert.is_nil(outcome.first_reply)
  end)

  it("accepts B after B has left, and after A has: the kernel's own order", function()
    local run = stale_replay:execute(stale_replay:settings { patience = 0 })
    local order = {}
    for _, e in ipairs(run.events) do
      if e.kind == "accept" and not e.code then order[#order + 1] = "accept" end
      if e.kind == "connect" and e.label == "B" then order = { "connect B" } end
      if e.kind == "close" and (e.label == "A" or e.label == "B") then order[#order + 1] = "close " .. e.label end
    end
    assert.same({ "connect B", "close B", "close A", "accept" }, order)
  end)

  it("prints as JSON what it found", function()
    local result = program.shell(
      os.getenv "LUNET" .. " experiments/stale_replay.lua --json --backlog 5 --patience 0.01")
    assert.same({ 0, "" }, { result.status, result.errors })
    local record = dkjson.decode(result.output)
    assert.same({ "stale_replay", "holds" }, { record.experiment, record.verdict })
    assert.same({ backlog = 5, patience = 0.01, requests = 1, server = "serves" }, record.knobs)
    assert_ghost(record.outcome)
    assert.same({ "login A", "login B" }, record.outcome.served)
  end)

  it("tells the story", function()
    local result = program.shell(os.getenv "LUNET" .. " experiments/stale_replay.lua --patience 0.01")
    assert.same({ 0, "" }, { result.status, result.errors })
    local at = 1
    for _, part in ipairs { "stale_replay: the claim", "A request whose client gave up while queued",
      "Knobs", "Timeline", "ms   A           B            queue     server", "accepts A's connection",
      "SYN", "SYN-ACK", "ACK", "connects to server: success", "1/100", "8 bytes",
      "sends 8 bytes to server",
      "gives up waiting for bytes (TIMEOUT)", "kernel: holds B's connection", "FIN",
      "closes its connection with server", "FIN", "closes its connection with server", "0/100",
      "accepts B's connection",
      "receives 8 bytes from B", "13 bytes", "RST", "cannot send: B is gone (EPIPE)",
      "Outcome", 'served                  { "login A", "login B" }', "The claim holds: " } do
      local first, last = result.output:find(part, at, true)
      assert.is_truthy(first, "not there, or too early: " .. part)
      at = last
    end
  end)

  it("tells its figures", function()
    for requests = 0, 2 do
      local knobs = { requests = requests, patience = 0 }
      assert.equal(("B gave up and left; %d of its %d requests carried out"):format(requests, requests),
        stale_replay.figures(stale_replay(knobs), knobs))
    end
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() stale_replay { backlog = -1 } end,
      "knob backlog: %-1 is not allowed; it is a whole number, 0 or more %(connections%)$")
    assert.error_matches(function() stale_replay { patience = 0 / 0 } end,
      "knob patience: %-?nan is not allowed; it is a number, 0 or more %(s%)$")
    assert.error_matches(function() stale_replay { requests = 0.5 } end,
      "knob requests: 0.5 is not allowed; it is a whole number, 0 or more %(lines%)$")
  end)
end)
