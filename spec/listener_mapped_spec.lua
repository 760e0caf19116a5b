-- An IPv4 client of a listener on "::". A socket of IPv6 has its address as [::ffff:10.0.0.2], the client and the wire
-- as 10.0.0.2. The client was nameless in the timeline, had two states' lanes, and a peer_address missed it.
local groups = require "lunet.recording.groups"
local lunet = require "lunet"
local eventually = require "spec.support.eventually"
local recording = require "lunet.recording.recording"
local states = require "lunet.recording.states"
local run_of = require("lunet.run.run").of
local timeline = require "lunet.recording.timeline"
local value = require "lunet.text.value"

local BOUND <const> = require "spec.support.bound"

-- A ghost that is accepted and answered, at a listener on that address.
local function record(address)
  local recorder <close> = recording.start "segments"
  lunet.scope(function()
    local client, server = assert(lunet.host "client"), assert(lunet.host "server")
    local link = lunet.link(client, server, { a = { "10.7.0.2/24" }, b = { "10.7.0.1/24" } })
    local listener = assert(server:listen { address = address, port = 7000, backlog = 5 })
    local near = assert(client:connect(link:address(server) .. ":7000", BOUND))
    assert(near:send "hello\n")
    eventually(function()
      local queued = server:sockets({ listener = listener })[1]
      return queued and queued.receive_queue == 6
    end)
    lunet.note "It waits." -- once: the kernel is not looked at again so soon
    near:close()
    eventually(function() return #server:sockets { state = "CLOSE_WAIT" } == 1 end)
    local far = assert(listener:accept(BOUND))
    assert.equal("hello\n", far:receive("a", BOUND))
    far:close()
    eventually(function() return #server:sockets { state = "LAST_ACK" } == 0 end) -- the last ACK has arrived
  end)
  return recorder:finish()
end

local function sentences(recorded)
  local list = {}
  for _, line in ipairs(run_of({ events = recorded.events }):rows()) do
    local sentence = timeline.sentence(line)
    if not sentence:find "kernel:.*[+]" then list[#list + 1] = sentence end -- counters may move twice
  end
  table.sort(list)
  return list
end

local function ends(recorded)
  local list = {}
  for i, of in ipairs((states.of(recorded.events, 100, run_of(recorded):cast()))) do
    list[i] = { of.name, of.peer, (of.far:gsub(":%d+$", "")), of.accepted ~= nil }
  end
  return list
end

describe("an IPv4 client of a listener on any IPv6 address", function()
  local plain, mapped

  setup(function() plain, mapped = record "0.0.0.0", record "::" end)

  it("is told as the same client of one on any IPv4 address is", function()
    assert.same(sentences(plain), sentences(mapped))
    assert.same(ends(plain), ends(mapped))
    assert.equal(2, #ends(mapped))
  end)

  it("has one address in all that is recorded", function()
    assert.is_nil(value.show(mapped.events):find "::ffff")
    assert.equal(#groups.of(plain.events, {}), #groups.of(mapped.events, {}))
  end)
end)

describe("addresses of an IPv4 client at a socket of IPv6", function()
  local server, client, listener, near

  before_each(function()
    server, client = assert(lunet.host "server"), assert(lunet.host "client")
    local link = lunet.link(server, client, { a = { "10.7.0.1/24" }, b = { "10.7.0.2/24" } })
    listener = assert(server:listen { address = "::", port = 7000, backlog = 5 })
    near = assert(client:connect({ link:address(server) .. ":7000", from = "10.7.0.2:4000" }, BOUND))
  end)

  after_each(function()
    server:close()
    client:close()
    assert.same({}, lunet.open_handles())
  end)

  it("are one for a filter, however it is written", function()
    local far = assert(listener:accept(BOUND))
    assert.equal("[::ffff:10.7.0.2]:4000", (far:peer()))
    for _, address in ipairs { near:address(), (far:peer()), "10.7.0.2:4000", "[::ffff:a07:2]:4000" } do
      local found = server:sockets { peer_address = address }
      assert.same({ 1, "[::ffff:10.7.0.2]:4000" }, { #found, found[1] and found[1].peer_address })
    end
    for _, address in ipairs { "10.7.0.1:7000", "[::ffff:10.7.0.1]:7000" } do
      assert.equal(1, #client:sockets { peer_address = address })
    end
    assert.same({}, server:sockets { peer_address = "10.7.0.3:4000" })
    assert.same({}, server:sockets { peer_address = "[::a07:2]:4000" })
  end)

  it("are one for a rule, however it is written", function()
    for _, from in ipairs { "10.7.0.2", "::ffff:10.7.0.2", "::ffff:10.7.0.0/120", "::ffff:10.7.0.2/128" } do
      local rule <close> = assert(server:drop { from = from, reject = "reset" })
      assert.equal("ECONNREFUSED", (select(3, client:connect("10.7.0.1:7000", BOUND))), from)
      assert.equal(1, (rule:lost()))
    end
  end)

  it("are one for who connects from another host", function()
    for port, address in ipairs { "::ffff:0.0.0.0", "::ffff:10.7.0.1" } do
      local other = assert(server:listen { address = address, port = port, backlog = 5 })
      assert.equal("10.7.0.1:" .. port, (assert(client:connect(other, BOUND)):peer()))
      assert(server:connect(other, BOUND))
    end
    local inside = assert(server:listen { address = "::ffff:127.0.0.1", backlog = 5 })
    local ok, message = pcall(client.connect, client, inside, BOUND)
    assert.is_false(ok)
    assert.matches("only server itself reaches its 127%.0%.0%.1:%d+", message)
  end)
end)
