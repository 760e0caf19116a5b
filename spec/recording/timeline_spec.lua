local lunet = require "lunet"
local core = require "lunet.core"
local experiment = require "lunet.experiment"
local run_of = require("lunet.run.run").of

-- "who what", or "> note", one string a line; the queue behind it, where it changed.
local function read(events)
  local texts = {}
  for i, line in ipairs(run_of({ events = events }):rows()) do
    local text = line.note and "> " .. line.note or line.who .. " " .. line.what
    texts[i] = line.queue and text .. " [" .. line.queue .. "]" or text
  end
  return texts
end

describe("the timeline of a run", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  local function without(kinds, events)
    local others = {}
    for _, e in ipairs(events) do
      if not kinds[e.kind] then others[#others + 1] = e end
    end
    return others
  end

  -- Without what the kernel is found to hold at some events: the specs of the kernel's side have that.
  local function record(run)
    local declared = experiment {
      claim = "",
      run = function() run() return {} end,
      check = function() end,
    }
    return without({ counters = true, sockets = true }, declared:execute(declared:settings()).events)
  end

  -- The queue's changes are found when the next event comes; only the tests about them look at them.
  local function without_queues(events)
    return without({ queue = true }, events)
  end

  it("tells who does what to whom, by their labels", function()
    assert.same({
      "the shop listens, backlog 3",
      "Ada connects to the shop: success",
      "Ada sends 6 bytes to the shop",
      "> Now the shop opens.",
      "the shop accepts Ada's connection",
      "the shop receives 6 bytes from Ada",
      "the shop sends 1 byte to Ada",
      "Ada receives 1 byte from the shop",
      "Ada ends its side (FIN)",
      "the shop reads the end of what Ada sent (EOF)",
      "the shop resets its connection with Ada",
      "Ada closes its connection with the shop",
      "the shop shuts its sending side: no change",
      "the shop listens no more",
      "the shop closes the listener",
    }, read(without_queues(record(function()
      local listener = assert(lunet.listen { backlog = 3, label = "the shop" })
      local client = assert(lunet.connect({ listener, label = "Ada" }, 10))
      assert(client:send "hello\n")
      lunet.note "Now the shop opens."
      local server = assert(listener:accept(10))
      assert(server:receive("l", 10))
      assert(server:send "!")
      assert(client:receive(1, 10))
      assert(client:shutdown())
      assert.equal("EOF", select(3, server:receive(nil, 10)))
      server:reset()
      client:close()
      assert(listener:shutdown "wr")
      assert(listener:shutdown "rd")
      listener:close()
    end))))
  end)

  it("calls those without a label server and client", function()
    assert.same({
      "server listens, backlog 0",
      "client connects to server: success",
      "server accepts client's connection",
      "client closes its connection with server",
      "server closes its connection with client",
      "server closes the listener",
    }, read(without_queues(record(function()
      local listener = assert(lunet.listen { backlog = 0 })
      local client = assert(lunet.connect(listener, 10))
      local server = assert(listener:accept(10))
      client:close()
      server:close()
      listener:close()
    end))))
  end)

  it("tells several clients of a listener apart", function()
    local lines = read(without_queues(record(function()
      local listener <close> = assert(lunet.listen { backlog = 3, label = "server" })
      local a <close> = assert(lunet.connect({ listener, label = "A" }, 10))
      local b <close> = assert(lunet.connect({ listener, label = "B" }, 10))
      local for_a <close> = assert(listener:accept(10))
      local for_b <close> = assert(listener:accept(10))
      assert(for_b:send "b")
      assert(for_a:send "a")
      assert(a:receive(1, 10))
      assert(b:receive(1, 10))
    end)))
    assert.same({
      "server accepts A's connection",
      "server accepts B's connection",
      "server sends 1 byte to B",
      "server sends 1 byte to A",
      "A receives 1 byte from server",
      "B receives 1 byte from server",
    }, table.move(lines, 4, 9, 1, {}))
  end)

  it("tells several listeners apart", function()
    local lines = read(without_queues(record(function()
      local east <close> = assert(lunet.listen { backlog = 3, label = "east" })
      local west <close> = assert(lunet.listen { backlog = 3, label = "west" })
      local client <close> = assert(lunet.connect({ west, label = "A" }, 10))
      local server <close> = assert(west:accept(10))
      assert(server and client and east)
    end)))
    assert.same({ "A connects to west: success", "west accepts A's connection" }, table.move(lines, 3, 4, 1, {}))
  end)

  -- An address that only this process uses: any port of 127.0.0.1 may belong to a connection in TIME_WAIT.
  local function own_address()
    local file <close> = assert(io.open "/proc/self/stat")
    local process = file:read "n"
    return ("127.%d.%d.%d:4000"):format(64 + (process >> 16), process >> 8 & 255, process & 255)
  end

  it("names a client whose port was used by another one before", function()
    local from = own_address()
    assert.same({
      "A connects to server: success",
      "server accepts A's connection",
      "A resets its connection with server",
      "server closes its connection with A",
      "B connects to server: success",
      "server accepts B's connection",
    }, table.move(read(without_queues(record(function()
      local listener <close> = assert(lunet.listen { backlog = 3, label = "server" })
      local a = assert(lunet.connect({ listener, from = from, label = "A" }, 10))
      local for_a = assert(listener:accept(10))
      a:reset()
      assert(lunet.eventually(function() return for_a:liveness() == "reset" end, 10))
      for_a:close()
      local _b <close> = assert(lunet.connect({ listener, from = from, label = "B" }, 10))
      local _for_b <close> = assert(listener:accept(10))
    end))), 2, 7, 1, {}))
  end)

  it("tells the gate and the backlog", function()
    assert.same({
      "server shuts the gate",
      "server opens the gate for 2 at a time",
      "server opens the gate",
      "server changes the backlog to 7",
    }, table.move(read(without_queues(record(function()
      local listener <close> = assert(lunet.listen { backlog = 3 })
      listener:gate(0)
      listener:gate(2)
      listener:gate(math.huge)
      listener:resize(7)
    end))), 2, 5, 1, {}))
  end)

  it("tells what failed, and the code", function()
    assert.same({
      "server gives up waiting for a connection (TIMEOUT)",
      "A connects to server: success",
      "A gives up waiting for bytes (TIMEOUT)",
      "A closes its connection with server",
    }, table.move(read(without_queues(record(function()
      local listener <close> = assert(lunet.listen { backlog = 3 })
      assert.equal("TIMEOUT", select(3, listener:accept(0)))
      local a <close> = assert(lunet.connect({ listener, label = "A" }, 10))
      assert.equal("TIMEOUT", select(3, a:receive("l", 0)))
    end))), 2, 5, 1, {}))
  end)

  it("tells of a client that nobody answers that it gives up, and closes no connection", function()
    local lines = read(without_queues(record(function()
      local listener <close> = assert(lunet.listen { backlog = 0, label = "server" })
      local _a <close> = assert(lunet.connect({ listener, label = "A" }, 10))
      assert(lunet.eventually(function() return listener:queue().depth == 1 end, 10))
      assert.equal("TIMEOUT", select(3, lunet.connect({ listener, label = "B" }, 0.01)))
    end)))
    assert.same({ "B gives up connecting to server: no answer (TIMEOUT)", "B closes its socket" },
      table.move(lines, 3, 4, 1, {}))
  end)

  it("tells of a client that is refused", function()
    assert.same({ "A cannot connect to 127.0.0.1:1 (ECONNREFUSED)", "A closes its socket" }, read(record(function()
      assert.equal("ECONNREFUSED", select(3, lunet.connect({ "127.0.0.1:1", label = "A" }, 10)))
    end)))
  end)

  it("tells the queue beside the event that found it changed, and nowhere else", function()
    assert.same({
      "server listens, backlog 3 [0/3]",
      "> nothing",
      "client connects to server: success",
      "> queued [1/3]",
      "> nothing",
      "server accepts a connection [0/3]",
      "server changes the backlog to 9 [0/9]",
    }, table.move(read(record(function()
      local listener <close> = assert(lunet.listen { backlog = 3 })
      lunet.note "nothing"
      core.record(false) -- on a busy machine the entry comes after the connect, else before it ends
      local _client <close> = assert(lunet.connect(listener, 10))
      assert(lunet.eventually(function() return listener:queue().depth == 1 end, 10))
      core.record(true)
      lunet.note "queued"
      lunet.note "nothing"
      local _server <close> = assert(listener:accept(10))
      listener:resize(9)
    end)), 1, 7, 1, {}))
  end)

  it("takes Unix sockets, whose two ends share no ports", function()
    local path = os.tmpname()
    os.remove(path)
    assert.same({
      "server listens, backlog 3",
      "A connects: success",
      "server accepts a connection",
      "server sends 1 byte",
      "A receives 1 byte",
      "A closes its connection",
      "server closes its connection",
      "server closes the listener",
    }, read(record(function()
      local listener = assert(lunet.listen { address = "unix:" .. path, backlog = 3 })
      local a = assert(lunet.connect({ listener, label = "A" }, 10))
      local server = assert(listener:accept(10))
      assert(server:send "x")
      assert(a:receive(1, 10))
      a:close()
      server:close()
      listener:close()
    end)))
  end)

  it("counts the time from the first event", function()
    local lines = run_of({ events = record(function()
      lunet.note "first"
      lunet.sleep(0.01)
      lunet.note "second"
    end) }):rows()
    assert.equal(0, lines[1].at)
    assert.is_true(lines[2].at >= 0.01)
  end)
end)
