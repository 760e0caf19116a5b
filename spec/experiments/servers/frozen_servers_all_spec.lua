local frozen = require "spec.support.frozen"
local server = require "lunet.peer.server"
local it, judge = require "spec.support.patient"(it)

local is_here, missing = server.find_all(server.names())
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

-- New clients of a server that was stopped whole, seen by hand on 2026-11-28. By the way they left: whether their
-- request was carried out, and the words of the log.
local BY_HAND <const> = {
  haproxy = { close = { true, "200 ----" }, reset = { true, "200 CD--" } },
  haproxy_abort = { close = { true, "400 CH--" } },
  lighttpd = { close = { true, "200" } },
  apache2 = { close = { true, "200" } },
  postgresql = { close = { true, "connection to client lost" } },
  memcached = { close = { true, "nothing" }, reset = { true, "nothing" } },
  beanstalkd = { close = { true, "nothing" }, reset = { true, "nothing" } },
  varnish = { close = { true, "nothing" } },
  squid = { close = { false, "TCP_MISS_ABORTED/000" } },
}

local function run(knobs) return frozen.run(judge, knobs) end

describe("frozen_servers with all servers #slow", function()
  after_each(function() assert.same({}, require("lunet").open_handles()) end)

  it("holds, and sees what was seen by hand", function()
    if reason then return pending(reason) end
    local row, outcome = run { server = "all" }
    assert.is_true(#outcome.rows > 300)
    for name, seen in pairs(BY_HAND) do
      for departure, wanted in pairs(seen) do
        local found = row(name, "whole", "after", departure)
        assert.same(wanted, { found.carried_out, found.log }, name .. " " .. departure)
      end
    end
  end)
end)
