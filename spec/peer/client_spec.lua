local client = require "lunet.peer.client"
local lab = require "lunet.lab"
local lunet = require "lunet"
local raised = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"
local FAKE <const> = "spec/fakes/impatient.lua"

describe("a client", function()
  local server, host, address, listener

  before_each(function()
    local link
    server, host, link = lab.hosts { "server", "client" }
    address = link:address(server)
    listener = lab.listen(server, { backlog = 10 })
  end)
  after_each(function()
    server:close()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  local function open(option, path)
    return client.open(path or FAKE, host, { address = address, port = lab.PORT, option = option })
  end

  it("waits for a server that never accepts, and leaves no file and no process", function()
    local running = open()
    running:start()
    lab.await_depth(listener, 1)
    assert.is_false(running:await_end(0.1))
    assert.equal("connected", running:words())
    running:close()
    running:close()
    assert.is_nil(io.open(running.place.path .. "/client.lua"))
    lab.await(function() return #assert(host:sockets { peer_port = lab.PORT, state = "ESTABLISHED" }) == 0 end)
  end)

  it("gives up by its option, and its words and its status are told", function()
    local running <close> = open "answer"
    running:start()
    assert.is_true(running:await_end(BOUND))
    assert.same({ "no answer", 7 }, { running:words(), running:status() })
    lab.await_depth(listener, 1)
  end)

  it("may run on when it has given up", function()
    local running <close> = open "connect"
    running:start()
    assert.is_true(running:await_end(BOUND))
    assert.same({ "gave up" }, { running:words(), running:status() })
  end)

  it("may say more without end than it is heard for", function()
    local running <close> = open()
    running.asker = { receive = function() return "more" end, close = function() end }
    assert.is_false(running:await_end(0.01))
  end)

  it("may take long to end, if it ends by its description", function()
    local running <close> = open(nil, "spec/fakes/lingering.lua")
    running:start()
    assert.is_true(running:await_end(BOUND))
    assert.equal(5, running:status())
  end)

  it("has the address, the port, the place and the option in its texts", function()
    local running <close> = open "answer"
    assert.equal(("local address, port, place, option = %q, %d, %q, %q"):format(address, lab.PORT, running.place.path,
      "end 7"), running.place:read "client.lua":match "^[^\n]+")
  end)

  it("is a proxy that is asked for something", function()
    local running <close> = open(nil, "spec/fakes/proxy.lua")
    running:start()
    assert.is_true(running:await_end(BOUND))
    assert.equal("504 too late", running:words())
    assert.is_nil(running:status())
    lab.await_depth(listener, 1)
  end)

  it("has none of root's rights", function()
    local running <close> = open()
    running:start()
    lab.await_depth(listener, 1)
    local file <close> = assert(io.open(("/proc/%d/status"):format(running.process:pid())))
    assert.not_matches("\nUid:%s+0%s", file:read "a")
  end)

  it("is one that is described, with an option that it has", function()
    assert.matches("there is no client 'nonsense': aiohttp, amqplib, ", raised(client.open, "nonsense", host, {}))
    assert.matches("redis_cli has no option 'answer'", raised(client.open, "redis_cli", host, { option = "answer" }))
  end)

  it("names the packages of a library that is missing", function()
    local why = raised(open, nil, "spec/fakes/no_library.lua")
    assert.equal("/no/such/library is missing (install the package python3-missing)", why)
  end)
end)
