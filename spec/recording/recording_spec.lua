local core = require "lunet.core"
local lunet = require "lunet"
local recording = require "lunet.recording.recording"
local run_of = require("lunet.run.run").of
local scratch = require "lunet.peer.scratch"
local strace = require "spec.support.strace"
local timeline = require "lunet.recording.timeline"

local BOUND <const> = require "spec.support.bound"

-- Records a run with two hosts: fn(client, server, listener).
local function record(level, fn)
  local recorder <close> = recording.start(level)
  lunet.scope(function()
    local client, server = assert(lunet.host "client"), assert(lunet.host "server")
    lunet.link(client, server)
    fn(client, server, assert(server:listen { port = 7000, backlog = 1 }))
  end)
  return recorder:finish()
end

local function all(events, kind)
  local found = {}
  for _, e in ipairs(events) do
    if e.kind == kind then found[#found + 1] = e end
  end
  return found
end

local function number_of(recorded, name)
  for number, known in pairs(recorded.hosts) do
    if known == name then return number end
  end
end

-- A client that connects, sends, gives up and leaves, all before anybody accepts.
local function ghost(client, _, listener)
  local connection = assert(client:connect(listener, BOUND))
  assert(connection:send "hello\n")
  lunet.eventually(function() return listener:queue().depth == 1 end, BOUND)
  assert.equal("TIMEOUT", (select(3, connection:receive("l", 0.02))))
  connection:close()
  lunet.note "It has left."
end

describe("a recording", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- An open tap would keep the network of a closed host, which goes on to answer and to forward.
  it("lets a closed host go, and has its last segments", function()
    local recorded
    do
      local recorder <close> = recording.start "segments"
      lunet.scope(function()
        local client, server = assert(lunet.host "client"), assert(lunet.host "server")
        local link = lunet.link(client, server)
        local listener = assert(server:listen { port = 7000, backlog = 1 })
        local connection = assert(client:connect(listener, BOUND))
        assert.equal(0, client:sysctl "net.ipv4.conf.eth0.forwarding")
        local _rule <close> = assert(client:drop { port = 1 }) -- lunet has a child as long as the rule is there
        local target = { address = link:address(server), port = 7000 }
        server:close()
        assert.equal("ECONNRESET", (select(3, connection:receive("l", BOUND))))
        assert(lunet.eventually(function() return not client:sysctl "net.ipv4.conf.eth0.forwarding" end, BOUND))
        assert.equal("ENETUNREACH", (select(3, client:connect(target, BOUND))))
      end)
      recorded = recorder:finish()
    end
    local resets = {}
    for _, e in ipairs(all(recorded.events, "segment")) do
      if e.flags:find "RST" then resets[#resets + 1] = e.host == number_of(recorded, "server") end
    end
    assert.same({ true }, resets)
  end)

  it("tells what wires lost: of a segment in its event, of all else in events of their own", function()
    for level, kind in pairs { segments = "segment", kernel = "loss" } do
      local recorder <close> = recording.start(level)
      lunet.scope(function()
        local client, server = assert(lunet.host "client"), assert(lunet.host "server")
        local link = lunet.link(client, server, { loss = 1, seed = 7 })
        local listener = assert(server:listen { port = 7000, backlog = 1 })
        assert.equal("TIMEOUT", (select(3, client:connect(listener, 0.02))))
        assert(lunet.eventually(function() return link:statistics().lost > 0 end, BOUND))
      end)
      local recorded = recorder:finish()
      local lost = all(recorded.events, kind)
      assert.equal("SYN", lost[1].flags)
      assert.equal("chance", lost[1].lost or lost[1].cause)
      assert.equal(0, #all(recorded.events, kind == "loss" and "segment" or "loss"))
      assert.equal("link of client and server", recorded.wires[1].name)
      assert.equal(#lost, recorded.wires[1].statistics.lost)
      local rows = run_of(recorded):rows()
      local words = {}
      for i, row in ipairs(rows) do words[i] = timeline.sentence(row) end
      assert.matches("client %-> server: SYN, lost by chance", table.concat(words, "\n"))
    end
  end)

  it("has events of all witnesses, in the order of time", function()
    local recorded = record("segments", ghost)
    local kinds, last = {}, 0
    for _, e in ipairs(recorded.events) do
      kinds[e.kind] = true
      assert.is_true(e.at >= last)
      last = e.at
    end
    for _, kind in ipairs { "listen", "connect", "send", "receive", "close", "note", "queue", "counters", "sockets",
      "segment" } do
      assert.is_true(kinds[kind], kind)
    end
    assert.same({ 0, 0 }, { recorded.lost, recorded.taps.dropped })
    assert.is_true(recorded.taps.error < 0.001)
  end)

  it("knows of each call who made it, with whom", function()
    local recorded = record("kernel", ghost)
    local connect, listen = all(recorded.events, "connect")[1], all(recorded.events, "listen")[1]
    assert.same({ number_of(recorded, "client"), number_of(recorded, "server") }, { connect.host, listen.host })
    assert.match("^10%.%d+%.%d+%.1:%d+$", connect.local_address)
    assert.match("^10%.%d+%.%d+%.2:7000$", connect.peer_address)
    assert.equal("0.0.0.0:7000", listen.local_address)
    assert.is_nil(recorded.taps)
    assert.same({}, all(recorded.events, "segment"))
  end)

  it("has the segments between the calls that sent and received them", function()
    local recorded = record("segments", ghost)
    local syn = all(recorded.events, "segment")[1]
    local connect = all(recorded.events, "connect")[1]
    assert.equal("SYN", syn.flags)
    assert.same({ connect.local_address, connect.peer_address }, { syn.from, syn.to })
    assert.same({ connect.host, number_of(recorded, "server") }, { syn.host, syn.to_host })
    assert.is_true(syn.at <= syn.arrived and syn.arrived < connect.at)
  end)

  it("of calls only looks at nothing else", function()
    local kinds = {}
    for _, e in ipairs(record("none", ghost).events) do kinds[e.kind] = true end
    assert.same({ listen = true, connect = true, send = true, receive = true, close = true, note = true }, kinds)
  end)

  it("tells when a deadline passed and at a note what the kernel holds, and what its counters counted", function()
    local recorded = record("kernel", ghost)
    local server = number_of(recorded, "server")
    local unread = {}
    for _, e in ipairs(all(recorded.events, "sockets")) do
      for _, socket in ipairs(e.changed) do
        if e.host == server and socket.state ~= "LISTEN" and socket.state ~= "gone" and not socket.owned then
          unread[#unread + 1] = socket.receive_queue
        end
      end
    end
    assert.same({ 6, 7 }, unread) -- its FIN is one more
    local opened = 0
    for _, e in ipairs(all(recorded.events, "counters")) do
      if e.host == server then opened = opened + (e.moved.PassiveOpens or 0) end
    end
    assert.equal(1, opened)
  end)

  it("marks what a rule lost, as many as it lost, and tells of the rule", function()
    local recorded = record("segments", function(client, server, listener)
      local rule = assert(server:drop { flags = "data", first = 1 })
      local connection = assert(client:connect(listener, BOUND))
      assert(connection:send "hello\n")
      local far = assert(listener:accept(BOUND))
      assert.equal("hello", far:receive("l", BOUND)) -- it is sent again after 0.2 s
      rule:close()
    end)
    local data = {}
    for _, s in ipairs(all(recorded.events, "segment")) do
      if s.bytes > 0 then data[#data + 1] = { s.lost or "came", s.again or false } end
    end
    assert.same({ { "rule", false }, { "came", true } }, data)
    assert.match("flags=data", all(recorded.events, "drop")[1].text, 1, true)
    assert.equal(1, all(recorded.events, "drop_end")[1].segments)
  end)

  it("marks what a rule lost on the way out", function()
    local recorded = record("segments", function(client, _, listener)
      local _rule <close> = assert(client:drop { direction = "out", flags = "SYN" })
      assert.equal("TIMEOUT", (select(3, client:connect(listener, 0.02))))
    end)
    local first = all(recorded.events, "segment")[1]
    assert.same({ "SYN", "rule" }, { first.flags, first.lost })
  end)

  it("ends: hosts made later have no tap, and what was set before is set again", function()
    local _, was_on = core.record(false)
    record("segments", function() end)
    local _, is_on = core.record(was_on)
    assert.is_false(is_on)
    local host <close> = assert(lunet.host "later")
    assert.same({ "host later" }, lunet.open_handles())
    assert.equal("later", host:name())
  end)

  it("leaves the taps to the one that began before", function()
    local inner
    local outer = record("segments", function(client, _, listener)
      inner = record("segments", ghost)
      assert(client:connect(listener, BOUND)):close()
    end)
    assert.is_nil(inner.taps)
    assert.is_true(#all(outer.events, "segment") > 6)
  end)
end)

-- A snapshot that failed made the story index nil: the outcome was lost.
describe("a recording to which a system call is refused", function()
  local SCRIPT <const> = [[
    local lunet = require "lunet"
    return require "lunet.experiment" { claim = "It is told.",
      run = function()
        local server, client = assert(lunet.host "server"), assert(lunet.host "client")
        lunet.link(server, client)
        local listener <close> = assert(server:listen { backlog = 1 })
        lunet.note "It listens."
        local near <close> = assert(client:connect(listener, 10))
        return { is_over = true }
      end,
      check = function(outcome) assert(outcome.is_over) end,
    }
  ]]

  -- Lets the first call fail, then the second, and so on, up to the last of the run's own process. Judges each run.
  local function refuse_each(call, code)
    local place <close> = scratch.open()
    local script, unseen = place:write("refused.lua", SCRIPT), 0
    local count = #strace.run(call, SCRIPT, "--record segments")
    assert.is_true(count > 10 and count < 100)
    for number = 1, count do
      local result = strace.inject(call, number, code, script, "--record segments")
      local said = result.output .. result.errors
      assert.is_nil(said:find("stack traceback", 1, true), said)
      if result.status == 3 then
        assert.match("^lunet: refused could not run: [^\n]*" .. code, result.errors)
      else
        local errors = result.errors:gsub("^lunet: note: [^\n]*" .. code .. "[^\n]*\n", "")
        assert.same({ 0, "" }, { result.status, errors })
        assert.match("\nOutcome\n\n  is_over  true\n\nThe claim holds.\n$", result.output)
        if said:find("kernel could not be asked once (" .. code, 1, true) then unseen = unseen + 1 end
      end
    end
    return unseen
  end

  it("tells the outcome, and that the kernel could not be asked then", function()
    assert.is_true(refuse_each("socket", "EMFILE") >= 4)
  end)
end)
