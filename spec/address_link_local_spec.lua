-- Link-local addresses, whose zone is an interface of the host: that of the call, not that where lunet was started.
local groups = require "lunet.recording.groups"
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local run_of = require("lunet.run.run").of
local recording = require "lunet.recording.recording"
local states = require "lunet.recording.states"
local value = require "lunet.text.value"

local BOUND <const> = require "spec.support.bound"

describe("a link-local address", function()
  local other, server, client, on_any, listener

  -- The client knows the link to the server as eth1, the server knows it as eth0.
  before_each(function()
    other, server, client = assert(lunet.host "other"), assert(lunet.host "server"), assert(lunet.host "client")
    lunet.link(other, client)
    lunet.link(server, client, { a = { "fe80::1/64" }, b = { "fe80::2/64" } })
    on_any = assert(server:listen { address = "::", port = 7000, backlog = 5 })
    listener = assert(server:listen { address = "fe80::1%eth0", port = 7001, backlog = 5 })
  end)

  after_each(function()
    for _, host in ipairs { other, server, client } do host:close() end
    assert.same({}, lunet.open_handles())
  end)

  it("is looked up on the host of the call, and kept by both ends", function()
    local near = assert(client:connect({ "[fe80::1%eth1]:7000", from = "[fe80::2%eth1]:4000" }, BOUND))
    local far = assert(on_any:accept(BOUND))
    assert.same({ "[fe80::2%eth1]:4000", "[fe80::1%eth1]:7000" }, { (near:address()), (near:peer()) })
    assert.same({ "[fe80::1%eth0]:7000", "[fe80::2%eth0]:4000" }, { (far:address()), (far:peer()) })
    assert.equal("connection [fe80::2%eth1]:4000 -> [fe80::1%eth1]:7000", tostring(near))
  end)

  it("can be connected to as peer() and address() tell it", function()
    local first = assert(client:connect(listener, BOUND))
    assert.equal("[fe80::1%eth1]:7001", (first:peer()))
    assert(client:connect((first:peer()), BOUND))
    assert.equal("[fe80::1%eth0]:7001", (listener:address()))
    assert(server:connect((listener:address()), BOUND))
    assert(server:connect(listener, BOUND))
    assert(client:connect(on_any, BOUND))
  end)

  it("is not reached by what a rule of the sender loses", function()
    local near = assert(client:connect(listener, BOUND))
    local far = assert(listener:accept(BOUND))
    local rule = assert(client:drop { direction = "out" })
    assert(near:send "x")
    assert.is_true(eventually(function() return rule:lost() > 0 end))
    assert.equal("TIMEOUT", (select(3, client:connect(listener, 0.05))))
    assert.equal("TIMEOUT", (select(3, far:receive(1, 0))))
    rule:close()
    assert.equal("x", (far:receive(1, BOUND)))
  end)

  it("is not reached from a host that is not on the link", function()
    local ok, message = pcall(other.connect, other, listener, BOUND)
    assert.is_false(ok)
    assert.matches("other and server share no network", message)
  end)

  it("may have its interface by number", function()
    local program = [[import socket; print(socket.if_nametoindex("eth1"))]]
    local python <close> = assert(client:exec { "python3", "-c", program })
    local number = python.stdout:receive("l", BOUND)
    assert.equal("[fe80::1%eth1]:7001", (assert(client:connect("[fe80::1%" .. number .. "]:7001", BOUND)):peer()))
  end)

  it("fails with the kernel's word where the host has no such interface", function()
    local function fails(code, words, ...)
      local made, message, got = ...
      assert.same({ nil, code }, { made, got })
      assert.matches(words, message, 1, true)
    end
    fails("ENODEV", "connect to [fe80::1%eth7]:7001", client:connect("[fe80::1%eth7]:7001", BOUND))
    fails("ENODEV", "connect to [fe80::1%99]:7001", client:connect("[fe80::1%99]:7001", BOUND))
    fails("ENODEV", "from [fe80::2%eth7]:0", client:connect({ listener, from = "fe80::2%eth7" }, BOUND))
    fails("ENODEV", "listen on [fe80::1%eth7]:0", server:listen { address = "fe80::1%eth7", backlog = 1 })
    fails("ENODEV", "sockets", server:sockets { peer_address = "[fe80::2%eth7]:4000" })
    fails("EINVAL", "connect to [fe80::1]:7001", client:connect("[fe80::1]:7001", BOUND))
    fails("EINVAL", "listen on [fe80::1]:0", server:listen { address = "fe80::1", backlog = 1 })
  end)

  it("is listed with its zone, and found with it and without", function()
    local near = assert(client:connect({ listener, from = "[fe80::2%eth1]:4000" }, BOUND))
    eventually(function() return listener:queue().depth == 1 end)
    local socket = server:sockets({ listener = listener })[1]
    assert.same({ "[fe80::1%eth0]:7001", "[fe80::2%eth0]:4000" }, { socket.local_address, socket.peer_address })
    for address, count in pairs {
      ["[fe80::2%eth0]:4000"] = 1, ["[fe80::2]:4000"] = 1, ["[fe80::2%lo]:4000"] = 0, ["[fe80::3]:4000"] = 0,
    } do
      assert.equal(count, #server:sockets { peer_address = address }, address)
    end
    assert.equal((near:peer()), client:sockets({ peer_port = 7001 })[1].peer_address)
  end)

  it("is no address of a link, with a zone", function()
    local ok, message = pcall(lunet.link, other, server, { a = { "fe80::5%eth1/64" } })
    assert.is_false(ok)
    assert.matches("an address with a prefix length", message)
  end)
end)

describe("a recorded run over link-local addresses", function()
  it("has one address for each end, and joins its hosts", function()
    local recorder <close> = recording.start "segments"
    lunet.scope(function()
      local server, client = assert(lunet.host "server"), assert(lunet.host "client")
      lunet.link(server, client, { a = { "fe80::1/64" }, b = { "fe80::2/64" } })
      local listener = assert(server:listen { address = "fe80::1%eth0", port = 7000, backlog = 5 })
      local near = assert(client:connect(listener, BOUND))
      eventually(function() return listener:queue().depth == 1 end)
      lunet.note "It waits."
      assert(near:send "x")
      assert.equal("x", assert(listener:accept(BOUND)):receive(1, BOUND))
      assert.is_nil(code_of(near:shutdown()))
    end)
    local recorded = recorder:finish()
    assert.is_nil(value.show(recorded.events):find("%eth0", 1, true))
    assert.equal(1, #groups.of(recorded.events, {}))
    local names = {} -- in any order: the kernel is asked for both ends while they come to be
    local ends = states.of(recorded.events, 100, run_of(recorded):cast())
    for i, of in ipairs(ends) do names[i] = of.name .. " to " .. of.peer end
    table.sort(names)
    assert.same({ "client to server", "server to client" }, names)
  end)
end)
