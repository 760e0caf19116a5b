local lunet = require "lunet"
local raised = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"

describe("a translation", function()
  local client, between, server, to

  before_each(function()
    client, between, server = assert(lunet.host "client"), assert(lunet.host "between"), assert(lunet.host "server")
    local near, far = lunet.link(client, between), lunet.link(between, server)
    to = { address = near:address(between), port = 7300, server = far:address(server), behind = far:address(between) }
  end)
  after_each(function()
    for _, host in ipairs { client, between, server } do host:close() end
    assert.same({}, lunet.open_handles())
  end)

  local function open() return assert(between:nat { port = 7300, to = to.server, to_port = 7301 }) end

  local function connect() return client:connect({ address = to.address, port = to.port }, BOUND) end

  it("sends connections on to a server, both ways, and counts them", function()
    local rule <close> = open()
    local listener = assert(server:listen { port = 7301, backlog = 5 })
    for count = 1, 2 do
      local near = assert(connect())
      local far = assert(listener:accept(BOUND))
      assert(near:send "question")
      assert.equal("question", far:receive(8, BOUND))
      assert(far:send "reply")
      assert.equal("reply", near:receive(5, BOUND))
      assert.equal(count, (rule:lost()))
      assert.same({}, between:sockets())
    end
  end)

  it("gives what it sends on its own address, and is listed as tracked", function()
    local rule <close> = assert(between:nat { source = true })
    assert.same({}, between:tracked())
    assert(client:route("default", to.address))
    local listener = assert(server:listen { port = 7301, backlog = 5 })
    local near = assert(client:connect(to.server .. ":7301", BOUND))
    local far = assert(listener:accept(BOUND))
    local whence, port = near:address()
    local seen_as = ("%s:%d"):format(to.behind, port)
    assert.equal(seen_as, (far:peer()))
    assert.equal(1, (rule:lost()))
    local tracked = assert(between:tracked())
    assert.equal(1, #tracked)
    assert.is_true(tracked[1].seconds > 1000)
    tracked[1].seconds = nil
    local server_end = to.server .. ":7301"
    assert.same({ state = "ESTABLISHED", from = whence, to = server_end, reply_from = server_end, reply_to = seen_as,
      replied = true, assured = true }, tracked[1])
    assert(near:reset())
    assert(lunet.eventually(function() return between:tracked()[1].state == "CLOSE" end, BOUND))
  end)

  it("lets the server refuse", function()
    local rule <close> = open()
    assert.equal("ECONNREFUSED", select(3, connect()))
    assert.equal(1, (rule:lost()))
  end)

  it("ends when it is closed", function()
    assert(server:listen { port = 7301, backlog = 5 })
    local rule = open()
    assert(connect())
    assert.is_true(rule:close())
    assert.equal("ECONNREFUSED", select(3, connect()))
  end)

  it("names what is wrong with its options", function()
    local function misuse(options) return raised(between.nat, between, options) end
    assert.matches("nat: to_port is missing", misuse { port = 1, to = "10.0.0.1" }, 1, true)
    assert.matches("nat: to: an address like 10.0.0.1 expected, not 'fd00::1'",
      misuse { port = 1, to = "fd00::1", to_port = 1 }, 1, true)
    assert.matches("to: an address like 10.0.0.1 expected, not '10.0.0.256'",
      misuse { port = 1, to = "10.0.0.256", to_port = 1 }, 1, true)
    assert.matches("nat: port", misuse { port = 0, to = "10.0.0.1", to_port = 1 }, 1, true)
    local more = { port = 1, to = "10.0.0.1", to_port = 1, from = "10.0.0.1" }
    assert.matches("unknown option 'from'", misuse(more), 1, true)
    assert.matches("nat: source: without port, to and to_port expected", misuse { source = true, port = 1 }, 1, true)
    assert.matches("nat: port is missing", misuse { source = false }, 1, true)
    assert.matches("nat: source", misuse { source = 1 }, 1, true)
    assert.matches("lunet.host expected", raised(between.nat, 5, { source = true }), 1, true)
  end)
end)

describe("a proxy of SYNs", function()
  local client, between, server, near, target, rule

  before_each(function()
    client, between, server = assert(lunet.host "client"), assert(lunet.host "between"), assert(lunet.host "server")
    local far
    near, far = lunet.link(client, between), lunet.link(between, server)
    assert(client:route("default", near:address(between)))
    assert(server:route("default", far:address(between)))
    target = { address = far:address(server), port = 7300 }
    rule = assert(between:synproxy { port = 7300 })
  end)
  after_each(function()
    for _, host in ipairs { client, between, server } do host:close() end
    assert.same({}, lunet.open_handles())
  end)

  it("answers for a server, connects to it, and passes on what both say", function()
    local capture = assert(client:capture())
    local listener = assert(server:listen { port = 7300, backlog = 5 })
    local near_end = assert(client:connect(target, BOUND))
    assert(near_end:send "question")
    local far_end = assert(listener:accept(BOUND))
    assert.equal("question", far_end:receive(8, BOUND))
    assert(far_end:send "reply")
    assert.equal("reply", near_end:receive(5, BOUND))
    assert.equal((near_end:address()), (far_end:peer()))
    assert.equal(1, (rule:lost()))
    assert.same({}, between:sockets())
    assert.equal("ESTABLISHED", between:tracked()[1].state)
    local _, answer = table.unpack(capture:segments())
    assert.same({ "SYN,ACK", 0 }, { answer.flags, answer.window }) -- the server's own answer has another window
  end)

  it("answers for a server that never hears of it", function()
    local deaf <close> = assert(server:drop { flags = "SYN", direction = "in" })
    local listener = assert(server:listen { port = 7300, backlog = 5 })
    local near_end = assert(client:connect(target, BOUND))
    assert(near_end:send "question")
    assert(lunet.eventually(function() return deaf:lost() > 0 end, BOUND))
    assert.equal(0, listener:queue().depth)
    assert.equal("SYN_SENT", between:tracked()[1].state)
  end)

  it("ends, so that the server hears its clients again", function()
    assert.is_true(rule:close())
    local _, message, code = client:connect(target, BOUND)
    assert.same({ "ECONNREFUSED", true }, { code, message ~= nil })
  end)

  it("is not for other ports, and is refused without one", function()
    assert.equal("ECONNREFUSED", select(3, client:connect({ address = target.address, port = 7301 }, BOUND)))
    assert.equal(0, (rule:lost()))
    assert.matches("synproxy: port is missing", raised(between.synproxy, between, {}), 1, true)
    assert.matches("synproxy: port: a whole number from 1 to 65535 expected, not 0",
      raised(between.synproxy, between, { port = 0 }), 1, true)
    assert.matches("unknown option 'to'", raised(between.synproxy, between, { to = "10.0.0.1" }), 1, true)
    between:close()
    assert.matches("the host is closed", raised(between.synproxy, between, { port = 1 }), 1, true)
  end)
end)
