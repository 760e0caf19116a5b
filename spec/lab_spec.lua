local lab = require "lunet.lab"
local lunet = require "lunet"
local rests = require "spec.support.rests"
local stay_busy_until = require "spec.support.stay_busy_until"

local BOUND <const> = require "spec.support.bound"

-- Calls fn with what it needs, on hosts that end with it.
local function in_lab(fn)
  return lunet.scope(function()
    local server, clients = lab.hosts { "server", "clients" }
    fn(server, clients, lab.listen(server, { backlog = 1 }))
  end)
end

after_each(function() assert.same({}, lunet.open_handles()) end)

describe("the hosts of a lab", function()
  it("are joined, the first to each of the others, and followed by the links", function()
    lunet.scope(function()
      local server, a, b, to_a, to_b = lab.hosts { "server", "A", { name = "B", sysctl = {
        ["net.ipv4.tcp_syn_retries"] = 3 } } }
      assert.same({ "server", "A", "B" }, { server:name(), a:name(), b:name() })
      assert.equal(3, b:sysctl "net.ipv4.tcp_syn_retries")
      local listener = lab.listen(server, { backlog = 5 })
      for _, joined in ipairs { { a, to_a }, { b, to_b } } do
        local host, link = table.unpack(joined)
        local client = assert(host:connect({ address = link:address(server), port = lab.PORT }, lab.LONG))
        assert.equal(link:address(host), (client:address():match "^(.*):"))
      end
      assert.is_nil(to_a:address(b))
      lab.await_depth(listener, 2)
    end)
  end)

  it("have links with a delay if one is given", function()
    lunet.scope(function()
      local _, _, link = lab.hosts { "server", "client", delay = 0.001 }
      assert.is_table(link:statistics())
      local _, _, direct = lab.hosts { "server", "client" }
      assert.equal("EOPNOTSUPP", (select(3, direct:statistics())))
    end)
  end)

  it("may be one alone", function()
    lunet.scope(function() assert.equal(1, select("#", lab.hosts { "server" })) end)
  end)
end)

describe("a lab", function()
  it("listens where the target says, and else on its own port", function()
    in_lab(function(server, clients, listener)
      assert.equal(lab.PORT, (select(2, listener:address())))
      local given = { port = 7301, backlog = 1 }
      assert.equal(7301, (select(2, lab.listen(server, given):address())))
      assert.same({ port = 7301, backlog = 1 }, given)
      assert.matches("unix:@there", lab.listen(clients, { address = "unix:@there", backlog = 1 }):address())
    end)
  end)

  it("has a client in the queue when it is connected", function()
    in_lab(function(_, clients, listener)
      for depth = 1, 2 do
        local client = lab.queue_client(clients, listener, { label = "A", sndbuf = 8192 })
        assert.same({ "ESTABLISHED", depth }, { client:state(), lab.depth(listener) })
      end
    end)
  end)

  it("fills a queue, and leaves as many places free as asked", function()
    in_lab(function(_, clients, listener)
      local one = lab.fill_queue(clients, listener, "A", 1)
      assert.same({ 1, 1 }, { #one, lab.depth(listener) })
      local rest = lab.fill_queue(clients, listener)
      assert.same({ 1, 2 }, { #rest, lab.depth(listener) })
      assert.same({}, lab.fill_queue(clients, listener))
    end)
  end)

  it("finds a socket, or none", function()
    in_lab(function(server, clients, listener)
      assert.equal("LISTEN", lab.socket(server, { state = "LISTEN" }).state)
      assert.is_nil(lab.socket(server, { state = "ESTABLISHED" }))
      local client = lab.queue_client(clients, listener)
      assert.equal("ESTABLISHED", lab.socket(server, { peer_address = client:address() }).state)
    end)
  end)

  it("counts how much a counter has moved since", function()
    in_lab(function(server, clients, listener)
      lab.queue_client(clients, listener)
      local moved = lab.counters(server)
      assert.equal(0, moved "PassiveOpens")
      lab.queue_client(clients, listener)
      assert.equal(1, moved "PassiveOpens")
    end)
  end)

  it("measures cases at once, and how late the machine was while it did", function()
    local results, late = lab.measure({ 1, 2 }, function(case, number)
      if case == 1 then stay_busy_until(lunet.now() + 1) end
      return case + number
    end, function(prepared, case, number, meet)
      meet()
      return prepared + case + number
    end)
    assert.same({ 4, 8 }, results)
    assert.is_true(late < 0.9, late)
    results, late = lab.measure({ "a" }, function() end, function() stay_busy_until(lunet.now() + 0.15) end)
    assert.same({}, results)
    assert.is_true(late > 0.1, late)
    assert.same({ {}, 0.0 }, { lab.measure({}, print, print) })
  end)

  it("refuses to measure by what is no function", function()
    assert.error_matches(function() lab.measure({ 1 }, print) end, "measure: a function expected, not nil")
    assert.error_matches(function() lab.measure({ 1 }, 1, print) end, "function expected, got number")
    assert.error_matches(function() lab.measure(1, print, print) end, "list expected")
  end)

  it("lets a few tasks act at once, also after one that fails", function()
    local in_turn, acting, most = lab.turns(2), 0, 0
    local function act(item)
      acting = acting + 1
      most = math.max(most, acting)
      lunet.sleep(0.001)
      acting = acting - 1
      return 10 * item
    end
    local function fail() error("no", 0) end
    for _ = 1, 3 do assert.same({ false, "no" }, { pcall(in_turn, fail) }) end
    assert.same({ 10, 20, 30, 40, 50 }, lunet.together({ 1, 2, 3, 4, 5 }, function(item) return in_turn(act, item) end))
    assert.equal(2, most)
  end)

  it("gives turns in the order in which tasks came, and none to a task that was cancelled meanwhile", function()
    local in_turn, order, tasks = lab.turns(1), {}, {}
    in_turn(function()
      for i = 1, 4 do
        tasks[i] = lunet.spawn(in_turn, function() order[#order + 1] = i end)
        lunet.sleep(0)
      end
      tasks[2]:cancel()
    end)
    for i = 1, 4 do tasks[i]:join(BOUND) end
    assert.same({ 1, 3, 4 }, order)
    assert.equal("free", in_turn(function() return "free" end))
  end)

  it("passes on the turn of a task that was cancelled when it had just got it", function()
    local in_turn = lab.turns(1)
    local first
    in_turn(function()
      first = lunet.spawn(in_turn, function() lunet.sleep(1000) end)
      lunet.sleep(0)
    end)
    first:cancel()
    assert.equal("free", in_turn(function() return "free" end))
  end)

  it("lets the processor rest while tasks wait for their turn", function()
    local in_turn, before = lab.turns(1), rests()
    lunet.together({ 1, 2, 3 }, function() in_turn(lunet.sleep, 0.2) end)
    assert.is_true(rests() - before < 50) -- each look in 5 ms would be one
  end)

  it("lets no task wait longer for its turn than it is told", function()
    local in_turn = lab.turns(1, 0.001)
    in_turn(function()
      assert.error_matches(function() in_turn(function() end) end, "the deadline passed %(TIMEOUT%)")
    end)
    assert.equal("free", in_turn(function() return "free" end))
  end)

  it("sleeps until a time, and not at all if that is over", function()
    local time = lunet.now() + 0.02
    lab.sleep_until(time)
    assert.is_true(lunet.now() >= time)
    lab.sleep_until(time - 1000)
  end)

  it("waits for a state, and returns what it was told", function()
    local asked = 0
    assert.equal(3, lab.await(function()
      asked = asked + 1
      return asked == 3 and asked
    end))
  end)

  it("raises an error when the state does not come", function()
    local long = lab.LONG
    lab.LONG = 0.001
    local ok, why = pcall(lab.await, function() return false end)
    lab.LONG = long
    assert.is_false(ok)
    assert.matches("the deadline passed %(TIMEOUT%)", why)
  end)
end)

describe("misuse of a lab", function()
  local misuses = {
    ["hosts: a list of hosts expected"] = function() lab.hosts "server" end,
    ["hosts: unknown option 'dely' (known: delay)"] = function() lab.hosts { "a", "b", dely = 1 } end,
    ["listen: a table expected, not nil"] = function() lab.listen() end,
    ["turns: a whole number from 1 on expected"] = function() lab.turns(0) end,
    ["await: a function expected, not boolean"] = function() lab.await(true) end,
    ["depth: a listener expected, not nil"] = function() lab.depth() end,
    ["await_depth: a listener expected, not number"] = function() lab.await_depth(1) end,
    ["queue_client: a listener expected, not nil"] = function() lab.queue_client() end,
    ["fill_queue: a listener expected, not string"] = function() lab.fill_queue(nil, "full") end,
  }
  for message, misuse in pairs(misuses) do
    it("is told, at the caller's line: " .. message, function()
      local ok, why = pcall(misuse)
      assert.is_false(ok)
      assert.matches("^[^:]*lab_spec.lua:%d+: ", why)
      assert.matches(message, why, 1, true)
    end)
  end

  it("tells a depth that is no whole number", function()
    in_lab(function(_, _, listener)
      assert.error_matches(function() lab.await_depth(listener, "1") end, "await_depth: a whole number expected")
    end)
  end)
end)
