local lunet = require "lunet"
local inside = require "lunet.peer.inside"
local running = require "lunet.peer.running"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"

-- The program needs no network of a forwarder's own: any host will do.
describe("clients inside", function()
  local host, server, place, one, process, listener

  before_each(function()
    host, server, place = assert(lunet.host "inside"), assert(lunet.host "server"), scratch.open()
    local link = lunet.link(host, server)
    listener = assert(server:listen { port = 7301, backlog = 5 })
    one = setmetatable({ description = {}, name = "one", host = host, place = place, printed = "",
      words = { PLACE = place.path, SERVER = link:address(server), BEHIND = "7301" } }, running)
    place:write("ready", "1")
    process = assert(host:exec { "sh", "-c", inside.command(one), stderr = "stdout" })
    assert.is_true(inside.await(one, process, BOUND))
  end)
  after_each(function()
    process:close()
    place:close()
    host:close()
    server:close()
    assert.same({}, lunet.open_handles())
  end)

  local function pair()
    local client = assert(inside.connect(one, "A", BOUND))
    return client, assert(listener:accept(BOUND))
  end

  it("send and receive", function()
    local client, far = pair()
    assert(client:send "question\n")
    assert.equal("question", far:receive("l", BOUND))
    assert(far:send "reply\n")
    assert.equal("reply", client:receive("l", BOUND))
    far:close()
    assert.equal("EOF", select(3, client:receive(nil, BOUND)))
  end)

  for departure, liveness in pairs { close = "fin", reset = "reset" } do
    it("leave by " .. departure, function()
      local client, far = pair()
      assert(client:send "last")
      assert.equal("last", far:receive(4, BOUND))
      inside.leave(client, departure)
      assert.is_true(lunet.eventually(function() return far:liveness() == liveness end, BOUND))
    end)
  end

  it("are told of a reset, and of nothing else, by a zero byte", function()
    local client, far = pair()
    far:reset()
    local text = assert(client:receive("a", BOUND))
    assert.equal("ECONNRESET", inside.reset_in(text))
    assert.is_nil(inside.reset_in "502")
    assert.is_nil(inside.reset_in "")
  end)

  it("say why they cannot connect", function()
    listener:close()
    local client, message, code = inside.connect(one, "A", BOUND)
    assert.same({ nil, "connect: ECONNREFUSED", "ECONNREFUSED" }, { client, message, code })
  end)

  it("wait no longer than they may", function()
    local clients = { assert(server:connect({ listener }, BOUND)) }
    assert(listener:resize(0))
    assert.equal("TIMEOUT", select(3, inside.connect(one, "A", 0.1)))
    clients[1]:close()
  end)

  it("are not there if the program has ended", function()
    local ended <close> = assert(host:exec { "true" })
    assert(ended:wait(BOUND))
    os.remove(place.path .. "/clients")
    assert.is_false(inside.await(one, ended, BOUND))
  end)
end)
