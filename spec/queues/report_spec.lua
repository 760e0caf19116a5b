local json = require "lunet.text.json"
local merged = require "spec.support.merged"
local report = require "lunet.queues.report"

local function tcp(more)
  local entry = { address = "0.0.0.0:80", port = 80, pid = 7, program = "nginx", depth = 0, limit = 511,
    at_somaxconn = false, drops = 0, left_by_fin = 0, left_by_reset = 0, bytes = 0, half_open = 0, peak = 0,
    sockets = 1, mptcp = false }
  return merged(entry, more)
end

local function path(name, peak)
  return { address = name, depth = 0, limit = 5, at_somaxconn = false, left_by_fin = 0, left_by_reset = 0,
    half_open = 0, peak = peak, sockets = 1, mptcp = false }
end

local function look(...) return { time = 1, listeners = { ... }, clients = {} } end

local function lines(of, how) return report.lines(of, how or { is_root = true }) end

describe("a report of queues", function()
  it("is a table, with a question mark for what is unknown", function()
    local entry = tcp()
    entry.left_by_reset, entry.program = nil, nil
    assert.same({
      "listener    program  depth  limit  drops  fin  rst  bytes  half_open  peak",
      "0.0.0.0:80  ?            0    511      0    0  ?        0          0     0",
    }, table.move(lines(look(entry)), 1, 2, 1, {}))
  end)

  it("says which limit is net.core.somaxconn", function()
    assert.same({
      "listener    program  depth  limit  somaxconn  drops  fin  rst  bytes  half_open  peak",
      "0.0.0.0:80  nginx/7      0    511  at it          0    0    0      0          0     0",
      "0.0.0.0:80  nginx/7      0    511                 0    0    0      0          0     0",
    }, table.move(lines(look(tcp { at_somaxconn = true }, tcp())), 1, 3, 1, {}))
  end)

  it("has a line for each of several listeners", function()
    local members = { { address = "0.0.0.0:80", depth = 1, limit = 5, drops = 3 }, { address = "1.1.1.1:80", depth = 0,
      limit = 6 } }
    assert.same({
      "listener                program  depth  limit  drops  fin  rst  bytes  half_open  peak",
      "0.0.0.0:80 (2 sockets)  nginx/7      1     11  ?        0    0      0          0     1",
      "- 0.0.0.0:80                         1      5  3",
      "- 1.1.1.1:80                         0      6  ?",
    }, (function()
      local entry = tcp { sockets = 2, members = members, depth = 1, limit = 11, peak = 1 }
      entry.drops = nil
      return lines(look(entry))
    end)())
  end)

  it("leaves out Unix listeners that have always been empty, unless it is asked for them", function()
    local told = lines(look(path("unix:@never", 0), path("unix:@once", 1)))
    assert.same({ "unix:@once", "1 Unix listeners with empty queues are not shown (--all shows them)." },
      { told[2]:match "^%S+", told[3] })
    told = lines(look(path("unix:@never", 0)), { is_root = true, shows_all = true })
    assert.matches("^unix:@never", told[2])
    assert.equal("Nobody listens here.", lines(look())[1])
  end)

  it("shortens a long path, escapes what a terminal would obey, and fits", function()
    local told = lines(look(path("unix:/run/\27[2J" .. ("x"):rep(90), 1)))
    for _, line in ipairs(told) do
      assert.is_nil(line:find "\27")
      assert.is_true(#line <= 120)
    end
    assert.matches("^%.%.%.x+ ", told[2])
  end)

  it("is JSON with null for what is unknown", function()
    local whole = json.decode(report.json(look(tcp(), path("unix:@x", 1)), false))
    assert.same({ 1, 1, false, 80, "nginx", 0 }, { whole.format, whole.time, whole.privileged, whole.listeners[1].port,
      whole.listeners[1].program, whole.listeners[1].left_by_reset })
    assert.is_nil(whole.listeners[2].port)
    assert.matches('"port":null', report.json(look(path("unix:@x", 1)), false), 1, true)
    assert.matches('"clients":[]', report.json(look(), false), 1, true)
  end)
end)
