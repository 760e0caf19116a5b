local core = require "lunet.core"
local eventually = require "spec.support.eventually"
local lunet = require "lunet"
local observer = require "lunet.queues.observer"

local BOUND <const> = require "spec.support.bound"
local LOOKS <const>, BETWEEN <const> = 50, 20 -- looks, and connections between two of them
local MANY <const> = 4000 -- clients of a listener: below the usual net.core.somaxconn
local LUNET <const> = os.getenv "LUNET"
local SERVER <const> = [[
local lunet = require "lunet"
local listener = assert(lunet.listen { address = "127.0.0.1", port = 7300, backlog = 100 })
print "up" io.flush()
while true do listener:accept():close() end]]
local CLIENTS <const> = [[
local lunet = require "lunet"
print "up" io.flush()
local function connect_again_and_again()
  while true do
    local client <close> = assert(lunet.connect "127.0.0.1:7300")
    client:receive()
  end
end
lunet.scope(function() for i = 1, 8 do lunet.spawn(connect_again_and_again) end end)]]

local function it_in_scope(words, body) it(words, function() lunet.scope(body) end) end

-- Moves home to a host of its own for each spec.
local host, away
local function enter()
  host = assert(lunet.host "server")
  away = assert(core.set_home(host))
end
local function leave()
  core.set_home(away)
  host:close()
  assert.same({}, lunet.open_handles())
end

describe("an observer", function()
  before_each(enter)
  after_each(leave)

  local function queue_clients(listener, count)
    local clients = {}
    for i = 1, count do clients[i] = assert(lunet.connect(listener, BOUND)) end
    assert(lunet.eventually(function() return listener:queue().depth >= count end, BOUND))
    return clients
  end

  it_in_scope("knows what is in a queue that stands still, at the first look", function()
    local listener <close> = assert(lunet.listen { address = "127.0.0.1", backlog = 10 })
    local clients = queue_clients(listener, 6)
    for i = 1, 3 do clients[i]:send "hello" end
    clients[1]:close()
    clients[2]:reset()
    clients[6]:reset()
    local look = assert(observer.new():look())
    local _, port = listener:address()
    local entry = look.listeners[1]
    assert.same({ port, 6, 10, 0, 1, 2, 10, 0, 6, 1 }, { entry.port, entry.depth, entry.limit, entry.drops,
      entry.left_by_fin, entry.left_by_reset, entry.bytes, entry.half_open, entry.peak, entry.sockets })
    assert.is_nil(entry.members)
    assert.is_string(entry.program)
  end)

  it_in_scope("tells the sum of listeners that share a queue, and each one's own depth", function()
    local options = { address = "127.0.0.1", port = 7300, backlog = 4, reuseport = true }
    local one <close> = assert(lunet.listen(options))
    local other <close> = assert(lunet.listen(options))
    local clients = {}
    for i = 1, 4 do clients[i] = assert(lunet.connect("127.0.0.1:7300", BOUND)) end
    local function depths() return one:queue().depth, other:queue().depth end
    assert(lunet.eventually(function()
      local a, b = depths()
      return a + b == 4
    end, BOUND))
    clients[1]:reset()
    local entry = assert(observer.new():look()).listeners[1]
    assert.same({ 4, 8, 1, 2 }, { entry.depth, entry.limit, entry.left_by_reset, entry.sockets })
    local told = { entry.members[1].depth, entry.members[2].depth }
    local own = { depths() }
    table.sort(told)
    table.sort(own)
    assert.same(own, told)
  end)

  it_in_scope("remembers the peak, and counts drops per second between two looks", function()
    local listener <close> = assert(lunet.listen { address = "127.0.0.1", backlog = 1 })
    local looker = observer.new()
    queue_clients(listener, 2)
    local first = assert(looker:look()).listeners[1]
    assert.is_nil(lunet.connect(listener, 0.01))
    assert(listener:accept(BOUND))
    local second = assert(looker:look()).listeners[1]
    assert.same({ 2, 2, 0, 1 }, { first.peak, second.peak, first.drops, second.drops })
    assert.is_nil(first.drops_per_second)
    assert.is_true(second.drops_per_second > 0)
  end)

  local function start(script)
    local process = assert(host:exec { LUNET, "-e", script, stdin = "pipe" })
    assert.equal("up", process.stdout:receive("l", BOUND))
    return process
  end

  -- Programs of their own, on other processors: a look does not stop them. Nobody leaves before he was served.
  it_in_scope("tells of no ghost that is none, while connections come and are accepted as fast as they can", function()
    local still <close> = assert(lunet.listen { address = "127.0.0.1", backlog = 10 })
    queue_clients(still, 3)[2]:reset()
    start(SERVER)
    for _ = 1, 2 do start(CLIENTS) end
    local looker, _, port = observer.new(), still:address()
    local function connections() return assert(host:counters()).PassiveOpens end
    local first, wrong = connections(), {}
    for _ = 1, LOOKS do
      local before = connections()
      eventually(function() return connections() >= before + BETWEEN end)
      local listeners = assert(looker:look()).listeners
      if #listeners ~= 2 then wrong[#wrong + 1] = #listeners end -- the one that does not accept, and the server's
      for _, entry in ipairs(listeners) do
        local resets = entry.port == port and 1 or 0
        local is_right = entry.left_by_fin == 0 and (entry.left_by_reset or resets) == resets
        if not is_right then wrong[#wrong + 1] = { entry.port, entry.left_by_fin, entry.left_by_reset } end
      end
    end
    assert.same({}, wrong)
    assert.is_true(connections() - first >= LOOKS * BETWEEN)
  end)
end)

describe("an observer of many sockets #slow", function()
  before_each(enter)
  after_each(leave)

  it_in_scope("counts 20,000 as rightly as a few", function()
    for number = 1, 3 do
      local listener = assert(lunet.listen { address = "127.0.0.1", port = 7300 + number, backlog = MANY })
      local clients = {}
      for i = 1, MANY do
        clients[i] = assert(lunet.connect({ listener, from = "127.0.0." .. 1 + number }, BOUND))
        clients[i]:send "hello"
      end
      for i = 1, number * 500, 2 do
        clients[i]:close()
        clients[i + 1]:reset()
      end
    end
    assert.is_true(#lunet.sockets() >= 20000)
    local listeners = assert(observer.new():look()).listeners
    assert.equal(3, #listeners)
    for number, entry in ipairs(listeners) do
      local half = number * 250
      assert.same({ 7300 + number, MANY, half, half, (MANY - half) * 5 },
        { entry.port, entry.depth, entry.left_by_fin, entry.left_by_reset, entry.bytes })
    end
  end)
end)
