-- connection:set and get, and those of a listener: socket options of what is open already.
local core = require "lunet.core"
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local merged = require "spec.support.merged"
local pair = require "spec.support.pair"
local run_of = require("lunet.run.run").of

local BOUND <const> = require "spec.support.bound"
local MUCH <const> = ("x"):rep(1 << 24) -- more than the kernel's buffers hold

-- Each option: a value that a live connection takes, and what get then says, if not the same.
local TAKEN <const> = { nodelay = { true }, reuseaddr = { true }, reuseport = { true }, keepalive = { true },
  keepidle = { 7 }, keepintvl = { 8 }, keepcnt = { 9 }, user_timeout = { 0.0004, 0.001 }, defer_accept = { 2, 3 },
  syncnt = { 4 }, congestion = { "reno" }, linger = { 0 }, sndbuf = { 50000, 100000 }, rcvbuf = { 60000, 120000 } }

local near, far, listener

setup(families.open)
teardown(families.close)
before_each(function() near, far, listener = pair.open() end)

after_each(function() pair.close(near, far, listener) end)

describe("set and get", function()
  for name, values in pairs(TAKEN) do
    it("change " .. name .. " of a live connection and of a listener, and tell it in the script's unit", function()
      for _, live in ipairs { near, listener } do
        assert.is_true(live:set { [name] = values[1] })
        assert.same({ [name] = values[2] or values[1] }, live:get(name))
      end
    end)
  end

  it("change nothing else", function()
    local before = assert(near:get())
    assert(near:set { keepcnt = 3 })
    assert.same(merged(before, { keepcnt = 3 }), near:get())
  end)

  it("tell all options that the socket has: those of TCP are not a Unix socket's", function()
    local known = {}
    for name in pairs(assert(listener:get())) do known[#known + 1] = name end
    for name in pairs(TAKEN) do assert.is_not_nil(listener:get()[name], name) end
    local path = assert(lunet.listen { address = families[4].address(), backlog = 1 })
    local _path <close> = path
    assert.is_false(path:get().linger)
    assert.is_nil(path:get().nodelay)
    assert.is_true(#known > 10)
  end)

  it("tell several by name", function()
    assert(near:set { nodelay = true, user_timeout = 1.5 })
    assert.same({ nodelay = true, user_timeout = 1.5, linger = false }, near:get("nodelay", "user_timeout", "linger"))
  end)

  it("name the option that the socket has not", function()
    local options, message, code = near:get "v6only"
    assert.same({ nil, "option v6only: operation not supported on socket (EOPNOTSUPP)", "EOPNOTSUPP" },
      { options, message, code })
    local path <close> = assert(lunet.listen { address = families[4].address(), backlog = 1 })
    assert.equal("EOPNOTSUPP", code_of(path:set { nodelay = true }))
  end)

  it("name the option that the kernel refuses, and keep those before it", function()
    local ok, message, code = near:set { nodelay = true, congestion = "nosuch" }
    assert.same({ nil, "option congestion = nosuch: no such file or directory (ENOENT)", "ENOENT" },
      { ok, message, code })
    assert.is_true(near:get("nodelay").nodelay)
    assert.equal("EINVAL", code_of(near:set { fastopen_connect = true }))
    local six <close> = assert(lunet.listen { address = "::1", backlog = 1 })
    assert.equal("EINVAL", code_of(six:set { v6only = true }))
  end)

  it("say CLOSED once it is closed", function()
    near:close()
    listener:close()
    for _, live in ipairs { near, listener } do
      assert.equal("CLOSED", code_of(live:set { nodelay = true }))
      assert.equal("CLOSED", code_of(live:get "nodelay"))
    end
  end)

  it("raise what is no option", function()
    for _, live in ipairs { near, listener } do
      for pattern, call in pairs {
        ["set: a table of options expected, not nil"] = function() live:set() end,
        ["set: an option expected, such as { rcvbuf = 65536 }; not {}"] = function() live:set {} end,
        ["set: unknown option 'backlog' (known: nodelay"] = function() live:set { backlog = 3 } end,
        ["set: unknown option '1' (known: nodelay"] = function() live:set { true } end,
        ["set: option nodelay: true or false expected, not number"] = function() live:set { nodelay = 1 } end,
        ["set: option rto_max: a number from 1 to 120 seconds expected, not 0.5"] = function()
          live:set { rto_max = 0.5 }
        end,
        ["get: unknown option 'backlog' (known: nodelay"] = function() live:get "backlog" end,
        ["get: the name of an option expected, not number"] = function() live:get("nodelay", 5) end,
      } do
        local ok, message = pcall(call)
        assert.is_false(ok)
        assert.is_truthy(message:find(pattern, 1, true), message)
      end
    end
  end)

  it("are in the timeline: the options, and the refused one", function()
    local first = core.record(false)
    assert(near:set { nodelay = true, rcvbuf = 4096 })
    near:set { keepcnt = 5, congestion = "nosuch" }
    assert(listener:set { keepcnt = 5 })
    local what = {}
    for i, line in ipairs(run_of({ events = (core.events(first)) }):rows()) do what[i] = line.what end
    assert.same({ "sets nodelay = true, rcvbuf = 4096", "cannot set congestion = nosuch (ENOENT)", "sets keepcnt = 5" },
      what)
  end)
end)

describe("a listener's options", function()
  -- net/core/sock.c, sk_clone_lock
  it("are inherited by connections whose handshake ends later, and not by queued ones", function()
    local _queued <close> = assert(lunet.connect(listener, BOUND))
    assert(listener:set { keepcnt = 5 })
    local _later <close> = assert(lunet.connect(listener, BOUND))
    for _, count in ipairs { 9, 5 } do
      local accepted <close> = assert(listener:accept(BOUND))
      assert.equal(count, accepted:get("keepcnt").keepcnt)
    end
  end)
end)

describe("user_timeout", function()
  it("set while bytes are on their way ends the connection with ETIMEDOUT", function()
    assert(far:set { rcvbuf = 4096 })
    assert(near:set { sndbuf = 4096 })
    assert.equal("TIMEOUT", code_of(near:send(MUCH, 0)))
    assert(near:set { user_timeout = 0.05 })
    assert.equal("ETIMEDOUT", code_of(near:send(MUCH, BOUND)))
  end)
end)

describe("linger", function()
  it("set before close makes it send RST", function()
    assert(near:set { linger = 0 })
    near:close()
    eventually(function() return far:liveness() == "reset" end)
  end)
end)

-- net/ipv4/tcp_input.c, tcp_set_rto: srtt + 4 * rttvar, which is three round trips after the first one.
describe("rto_max", function()
  it("bounds the retransmission timeout, or is refused with the version that it needs", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    local link <close> = lunet.link(a, b, { delay = 0.2 })
    local server = assert(b:listen { backlog = 1 })
    local client, message, code = a:connect({ server, rto_max = 1 }, BOUND)
    if not client then
      assert.same({ "option rto_max = 1, which needs Linux 6.15: protocol not available (ENOPROTOOPT)", "ENOPROTOOPT" },
        { message, code })
      return
    end
    assert.equal(1.0, client:get("rto_max").rto_max)
    assert.equal(1000000, client:info().tcpi_rto)
    local other = assert(a:connect(server, BOUND))
    assert.is_true(other:info().tcpi_rto > 1000000)
    assert.equal(120.0, other:get("rto_max").rto_max)
    link:close()
  end)
end)

describe("dissolve", function()
  it("tells the peer by RST, and leaves this end in CLOSE", function()
    assert(far:send "unread")
    eventually(function() return near:unread() == 6 end)
    assert.is_true(near:dissolve())
    assert.same({ "CLOSE", "reset" }, { near:state(), near:liveness() })
    eventually(function() return far:liveness() == "reset" end)
    assert.equal("ECONNRESET", code_of(far:receive(1, BOUND)))
    assert.equal("ECONNRESET", code_of(near:receive(6, BOUND))) -- the bytes are gone
    assert.equal("ENOTCONN", code_of(near:receive(6, BOUND)))
    assert.equal("EPIPE", code_of(near:send "x"))
    assert.is_true(near:dissolve())
  end)

  it("ends waiting calls", function()
    local receive = lunet.spawn(near.receive, near, "l", BOUND)
    local send = lunet.spawn(near.send, near, MUCH, BOUND)
    eventually(function() return near:unsent() > 0 end)
    lunet.sleep(0)
    assert(near:dissolve())
    local codes = { [select(4, receive:join(BOUND))] = true, [select(4, send:join(BOUND))] = true }
    assert.is_true(codes.ECONNRESET) -- the kernel tells it once
    assert.is_true(codes.ENOTCONN or codes.EPIPE)
  end)

  it("frees the port that the kernel chose, while the socket stays", function()
    local host <close> = assert(lunet.host()) -- where nobody else takes ports
    local client = assert(host:connect(assert(host:listen { backlog = 1 }), BOUND))
    local _, port = client:address()
    local function listen() return host:listen { port = port, backlog = 1 } end
    assert.equal("EADDRINUSE", code_of(listen()))
    assert(client:dissolve())
    assert(listen())
  end)

  it("says reset also after both ends have sent their FIN, and sends none", function()
    near:shutdown()
    eventually(function() return far:liveness() == "fin" end)
    far:shutdown()
    eventually(function() return far:state() == "CLOSE" end)
    assert(far:dissolve())
    assert.equal("reset", far:liveness())
    assert.equal("EOF", code_of(near:receive(1, BOUND)))
  end)

  it("is told in the timeline", function()
    local first = core.record(false)
    assert(near:dissolve())
    local lines = run_of({ events = (core.events(first)) }):rows()
    assert.matches("^dissolves its connection .*%(connect to AF_UNSPEC%)$", lines[1].what)
  end)
end)
