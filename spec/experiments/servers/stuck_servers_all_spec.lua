-- The run over all servers, and what takes a server's own time.
local pool = require "lunet.peer.pool"
local stuck_servers = dofile "experiments/servers/stuck_servers.lua"
local it, judge = require "spec.support.patient"(it)

local is_here, missing = pool.find_all(pool.names())
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

-- Seen by hand on 2026-11-28 on Debian 12 and Linux 6.18: 20 clients, one of two workers stopped.
local BY_HAND <const> = {
  apache_event = 0, gunicorn = 0, memcached = 10, nginx = 0, node_cluster = 1, node_cluster_none = 0,
  php_fpm = 0, puma = 0, redis = 20, uwsgi = 0,
}

local function rows_by_name(rows)
  local named = {}
  for _, row in ipairs(rows) do named[row.server] = row end
  return named
end

describe("stuck_servers, with all servers #slow", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds for all servers, and says what was seen by hand", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(stuck_servers, { server = "all" })
    assert.is_true(holds, why)
    assert.equal(#pool.names(), #outcome.rows)
    local rows = rows_by_name(outcome.rows)
    for name, hang in pairs(BY_HAND) do assert.equal(hang, rows[name].hang, name) end
  end)

  -- Its workers tell every 15 s, or more often, that they live.
  it("sees gunicorn end a stuck worker 30 s after it was heard of", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(stuck_servers, { server = "gunicorn", happens = "stuck", watch = 60 })
    assert.is_true(holds, why)
    local seconds = tonumber(outcome.rows[1].watchdog:match "^ended after (%d+) s$")
    assert.is_true(seconds ~= nil and seconds >= 15, outcome.rows[1].watchdog)
  end)
end)
