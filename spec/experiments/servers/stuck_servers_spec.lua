local pool = require "lunet.peer.pool"
local stuck_servers = dofile "experiments/servers/stuck_servers.lua"
local it, judge = require "spec.support.patient"(it)

local is_here, missing = pool.find_all(pool.names())
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

describe("stuck_servers", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds as it is, with a worker stuck, at a stop and at a reload", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(stuck_servers)
    assert.is_true(holds, why)
    assert.equal(5, #outcome.rows)
    assert.equal(8, #outcome.orders) -- neither Node's cluster nor memcached can reload
  end)
end)

describe("stuck_servers with a worker stuck #part_stuck", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("hangs clients in the queue of a stuck worker, and a new port is a new draw", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(stuck_servers, { server = "nginx_reuseport", happens = "stuck", clients = 40 })
    assert.is_true(holds, why)
    local row = outcome.rows[1]
    assert.is_true(row.hang > 0 and row.hang < 40)
    assert.same({ row.hang, 0, row.hang }, { row.queued, row.accepted, row.carried_out })
  end)

  it("does not hold if all workers of one queue are stuck", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(stuck_servers, { server = "gunicorn", happens = "stuck", stuck = 2, clients = 3 })
    assert.same({ false, "gunicorn: hang is 3, not 0" }, { holds, why })
    assert.same({ 3, 3, "nothing" }, { outcome.rows[1].queued, outcome.rows[1].carried_out, outcome.rows[1].log })
  end)

  it("says that a server has ended its stuck worker, or not", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(stuck_servers, { server = "nginx", happens = "stuck", watch = 0.5 })
    assert.is_true(holds, why)
    assert.equal("not in 0.5 s", outcome.rows[1].watchdog)
  end)

  it("sees php-fpm serve all clients, however late, since those with an answer leave", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(stuck_servers, { server = "php_fpm", happens = "stuck", patience = 0.01 })
    assert.is_true(holds, why)
    assert.equal(0, outcome.rows[1].hang)
  end)
end)

describe("stuck_servers with an order #part_orders", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("sees HAProxy's reload reset the queue of workers that are busy for over a second", function()
    if reason then return pending(reason) end
    local outcome, holds, why
    for _, busy in ipairs { 5, 10, 10 } do -- on a busy machine HAProxy may start so late that it asks when they go on
      outcome, holds, why = stuck_servers { server = "haproxy", happens = "reload", busy = busy }
      if not holds then break end
    end
    local served, reset = outcome.orders[1].served, outcome.orders[1].reset
    assert.same({ false, ("haproxy, reload: served is %d, not 5"):format(served) }, { holds, why })
    -- Workers that go on may serve some before they hear of the reload: four on a machine at load 20.
    assert.is_true(reset >= 1 and served + reset == 5, reset .. " are reset")
  end)

  it("gives an order again that the machine made late, and judges nothing if it always does", function()
    if reason then return pending(reason) end
    local orders = { slow = 1, given = 0 }
    package.loaded["spec.fakes.slow_orders"] = orders
    local knobs = { server = "spec/fakes/slow_nginx.lua", happens = "reload", busy = 0.1 }
    local outcome, holds, why = judge(stuck_servers, knobs)
    assert.is_true(holds, why)
    assert.is_true(orders.given > orders.slow)
    assert.equal(5, outcome.orders[1].served)
    orders.slow, orders.given = 3, 0
    assert.same({ nil, "the machine was late with slow_nginx" }, { select(2, stuck_servers(knobs)) })
    assert.equal(3, orders.given)
  end)

  it("judges nothing if a server knows no such order", function()
    if reason then return pending(reason) end
    local _, holds, why = judge(stuck_servers, { server = "redis", happens = "reload" })
    assert.same({ nil, "the server knows no such order" }, { holds, why })
  end)

  it("says which servers there are, and refuses what is no number of workers", function()
    assert.error_matches(function() stuck_servers { server = "nonsense" } end,
      "there is no pool 'nonsense': apache_event, .*uwsgi, or the path of a file")
    assert.error_matches(function() stuck_servers { stuck = 0 } end, "stuck.*0")
    assert.error_matches(function() stuck_servers { happens = "never" } end, "happens.*never")
  end)
end)
