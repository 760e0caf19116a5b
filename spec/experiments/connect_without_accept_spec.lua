local isolation = require "lunet.run.isolation"
local lunet = require "lunet"
local strace = require "spec.support.strace"
local connect_without_accept = dofile "experiments/connect_without_accept.lua"
local it = require "spec.support.patient"(it)

local somaxconn = isolation.SYSCTLS["net.core.somaxconn"]

local function repeated(value, count)
  local list = {}
  for i = 1, count do list[i] = value end
  return list
end

-- How it looks from all three sides when all clients connect.
local function assert_all_connected(outcome, clients, limit)
  assert.same({
    client = { connected = clients, states = repeated("ESTABLISHED", clients), errors = {} },
    kernel = { depth = clients, limit = limit, somaxconn = somaxconn },
    server = { known_before_accept = 0, unknown_before_accept = clients, accepted = clients,
      known_after_accept = clients, then_accept_says = "TIMEOUT" },
  }, outcome)
end

describe("connect_without_accept", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is: the clients are connected, and the server knows nothing", function()
    local outcome, holds, why = connect_without_accept()
    assert.is_true(holds, why)
    assert_all_connected(outcome, 3, 5)
  end)

  for _, backlog in ipairs { 0, 1, 5, 100 } do
    it(("holds for as many clients as a backlog of %d admits: one more"):format(backlog), function()
      local outcome, holds, why = connect_without_accept { backlog = backlog, clients = backlog + 1 }
      assert.is_true(holds, why)
      assert_all_connected(outcome, backlog + 1, backlog)
    end)
  end

  for _, backlog in ipairs { 5000, somaxconn + 1000 } do
    it(("holds with a backlog of %d, which the kernel cuts to somaxconn"):format(backlog), function()
      local outcome, holds, why = connect_without_accept { backlog = backlog, clients = 10 }
      assert.is_true(holds, why)
      assert_all_connected(outcome, 10, math.min(backlog, somaxconn))
    end)
  end

  for _, clients in ipairs { 1, 2, 20 } do
    it(("holds for %d clients"):format(clients), function()
      local outcome, holds, why = connect_without_accept { backlog = 19, clients = clients }
      assert.is_true(holds, why)
      assert_all_connected(outcome, clients, 19)
    end)
  end

  for _, patience in ipairs { 0.1, 0.2 } do
    it(("control: with clients > backlog + 1 the last one gets no answer in %g s"):format(patience), function()
      local control = connect_without_accept.control
      assert.same({ backlog = 1, clients = 3 }, control)
      local started = lunet.now()
      local outcome, holds, why = connect_without_accept { backlog = control.backlog, clients = control.clients,
        patience = patience }
      assert.is_true(lunet.now() - started >= patience)
      assert.is_false(holds)
      assert.equal("not every connect succeeded", why)
      assert.same({
        client = { connected = 2, states = { "ESTABLISHED", "ESTABLISHED", "none" }, errors = { "TIMEOUT" } },
        kernel = { depth = 2, limit = 1, somaxconn = somaxconn },
        server = { known_before_accept = 0, unknown_before_accept = 2, accepted = 2, known_after_accept = 2,
          then_accept_says = "TIMEOUT" },
      }, outcome)
    end)
  end

  it("tells every client that finds no room", function()
    local outcome, holds = connect_without_accept { backlog = 0, clients = 4, patience = 0.1 }
    assert.is_false(holds)
    assert.same({ "ESTABLISHED", "none", "none", "none" }, outcome.client.states)
    assert.same({ "TIMEOUT", "TIMEOUT", "TIMEOUT" }, outcome.client.errors)
    assert.same({ depth = 1, limit = 0, somaxconn = somaxconn }, outcome.kernel)
  end)

  it("makes no accept4 system call before the last connect is done", function()
    local lines, result = strace.run("accept4,accept,connect",
      [[return dofile "experiments/connect_without_accept.lua"]])
    assert.same({ 0, "" }, { result.status, result.errors })
    local last_connect, first_accept, clients, accepted = 0, math.huge, {}, 0
    for i, line in ipairs(lines) do
      local client = line:match "connect%((%d+), {sa_family=AF_INET"
      if client then
        last_connect = i
        clients[client] = true
      elseif line:find "accept4?%(" then
        first_accept = math.min(first_accept, i)
        if line:find "= %d+$" then accepted = accepted + 1 end
      end
    end
    local count = 0
    for _ in pairs(clients) do count = count + 1 end
    assert.same({ 3, 3 }, { count, accepted })
    assert.is_true(first_accept > last_connect, table.concat(lines, "\n"))
  end)

  it("tells its figures", function()
    local knobs = { clients = 4 }
    assert.equal("4 connected, 4 queued, 0 known to the server",
      connect_without_accept.figures(connect_without_accept(knobs), knobs))
  end)

  it("refuses knobs that make no sense", function()
    assert.error_matches(function() connect_without_accept { clients = 0 } end,
      "knob clients: 0 is not allowed; it is a whole number from 1 to 1000 %(clients%)$")
    assert.error_matches(function() connect_without_accept { clients = 1001 } end, "knob clients: 1001 is not allowed")
    assert.error_matches(function() connect_without_accept { backlog = -1 } end, "knob backlog: %-1 is not allowed")
    assert.error_matches(function() connect_without_accept { patience = -1 } end, "knob patience: %-1 is not allowed")
  end)
end)
