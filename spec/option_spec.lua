-- The socket options that lunet.listen and lunet.connect take by name.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local pair = require "spec.support.pair"
local strace = require "spec.support.strace"

local BOUND <const> = require "spec.support.bound"
local MUCH = ("x"):rep(1 << 24) -- more than the kernel's buffers hold

local RENO = ("=I4"):unpack "reno" -- strace shows the name as a number

-- Option, value, and the system call that it makes, as strace shows it.
local calls = {
  { "nodelay", "true", "TCP_NODELAY, [1], 4" },
  { "nodelay", "false", "TCP_NODELAY, [0], 4" },
  { "reuseaddr", "true", "SO_REUSEADDR, [1], 4" },
  { "reuseaddr", "false", "SO_REUSEADDR, [0], 4" },
  { "reuseport", "true", "SO_REUSEPORT, [1], 4" },
  { "keepalive", "true", "SO_KEEPALIVE, [1], 4" },
  { "keepidle", "7", "TCP_KEEPIDLE, [7], 4" },
  { "keepintvl", "8", "TCP_KEEPINTVL, [8], 4" },
  { "keepcnt", "9", "TCP_KEEPCNT, [9], 4" },
  { "user_timeout", "1.5", "TCP_USER_TIMEOUT, [1500], 4" },
  { "user_timeout", "0.0001", "TCP_USER_TIMEOUT, [1], 4" }, -- 0 would mean: the system's default
  { "defer_accept", "3", "TCP_DEFER_ACCEPT, [3], 4" },
  { "fastopen", "5", "TCP_FASTOPEN, [5], 4" },
  { "fastopen_connect", "true", "TCP_FASTOPEN_CONNECT, [1], 4" },
  { "syncnt", "4", "TCP_SYNCNT, [4], 4" },
  { "congestion", '"reno"', ("TCP_CONGESTION, [%d], 4"):format(RENO) },
  { "linger", "0", "SO_LINGER, {l_onoff=1, l_linger=0}, 8" },
  { "linger", "false", "SO_LINGER, {l_onoff=0, l_linger=0}, 8" },
  { "sndbuf", "50000", "SO_SNDBUF, [50000], 4" },
  { "rcvbuf", "60000", "SO_RCVBUF, [60000], 4" },
  { "v6only", "true", "IPV6_V6ONLY, [1], 4" },
  { "v6only", "false", "IPV6_V6ONLY, [0], 4" },
}

-- The range of each option; the spec also tries a value on either side of it.
local numbers = {
  { "keepidle", 1, 32767, "a whole number from 1 to 32767 seconds expected" },
  { "keepintvl", 1, 32767, "a whole number from 1 to 32767 seconds expected" },
  { "keepcnt", 1, 127, "a whole number from 1 to 127 expected" },
  { "user_timeout", 0, 2147483, "a number from 0 to 2147483 seconds expected" },
  { "defer_accept", 0, 3600, "a whole number from 0 to 3600 seconds expected" },
  { "fastopen", 0, 2147483647, "a whole number from 0 to 2147483647 expected" },
  { "syncnt", 1, 127, "a whole number from 1 to 127 expected" },
  { "sndbuf", 0, 1073741823, "a whole number from 0 to 1073741823 expected" },
  { "rcvbuf", 0, 1073741823, "a whole number from 0 to 1073741823 expected" },
}

-- Since Linux 6.15; spec/option_live_spec.lua has what older kernels say.
do
  local listener <close> = lunet.listen { backlog = 0, rto_max = 1 }
  if listener then numbers[#numbers + 1] = { "rto_max", 1, 120, "a number from 1 to 120 seconds expected" } end
end

local IN_FRACTIONS <const> = { user_timeout = true, rto_max = true }
local flags = { "nodelay", "reuseaddr", "reuseport", "keepalive", "fastopen_connect", "v6only" }

local function listen_with(name, value)
  return lunet.listen { backlog = 5, address = name == "v6only" and "::1" or "127.0.0.1", [name] = value }
end

-- An address of our own in 127.0.0.0/8, where no other program takes ports.
local function own_address()
  return ("127.%d.%d.%d"):format(math.random(1, 254), math.random(0, 255), math.random(1, 254))
end

setup(families.open)
teardown(families.close)
after_each(function() assert.same({}, lunet.open_handles()) end)

describe("a socket option", function()
  local made = {} -- the calls made for each line of the table, by listen and by connect

  setup(function()
    local script = {
      [[
        local lunet = require "lunet"
        local function mark(text) io.stdout:write(text, "\n"):flush() end
      ]],
    }
    for number, call in ipairs(calls) do
      script[#script + 1] = ([[
        do
          mark "listen %d"
          local target = assert(lunet.listen { address = "::1", backlog = 5, %s = %s })
          mark "nothing"
          target:close()
          target = assert(lunet.listen { address = "::1", backlog = 5 })
          mark "connect %d"
          local client = assert(lunet.connect({ target, %s = %s }, 10))
          mark "nothing"
          client:close()
          target:close()
        end
      ]]):format(number, call[1], call[2], number, call[1], call[2])
    end
    local lines, result = strace.run("setsockopt,write", table.concat(script))
    assert.equal("", result.errors)
    local present = "nothing"
    for _, line in ipairs(lines) do
      local mark = line:match 'write%(1, "(.-)\\n"'
      local call = line:match "setsockopt%(%d+, [%w_]+, (.*)%) = 0$"
      if mark then present = mark end
      made[present] = made[present] or {}
      -- By its mark lunet knows which connections came to a listener.
      if call and not call:find "^SO_MARK," then table.insert(made[present], call) end
    end
  end)

  for number, call in ipairs(calls) do
    local name, value, expected = table.unpack(call)

    it(("%s = %s is set by listen, with a mark, and SO_REUSEADDR by default"):format(name, value), function()
      local set = made["listen " .. number]
      if name ~= "reuseaddr" then
        local default = table.remove(set, set[1] == expected and 2 or 1)
        assert.equal("SO_REUSEADDR, [1], 4", default)
      end
      assert.same({ expected }, set)
    end)

    it(("%s = %s is set by connect, and nothing else"):format(name, value), function()
      assert.same({ expected }, made["connect " .. number])
    end)
  end
end)

describe("a socket option", function()
  for _, number in ipairs(numbers) do
    local name, min, max, expected = table.unpack(number)

    it(("%s takes %d to %d, and no more"):format(name, min, max), function()
      local _least <close> = assert(listen_with(name, min))
      local _most <close> = assert(listen_with(name, max))
      local _whole <close> = assert(listen_with(name, 2.0))
      local values = { min - 1, max + 1, -math.huge, math.huge, 0 / 0, tostring(min), true, {} }
      if not IN_FRACTIONS[name] then table.insert(values, 2.5) end
      for _, wrong in ipairs(values) do
        assert.error_matches(function() listen_with(name, wrong) end, ("option %s: %s, not "):format(name, expected))
      end
    end)
  end

  for _, name in ipairs(flags) do
    it(("%s is true or false"):format(name), function()
      local _on <close> = assert(listen_with(name, true))
      local _off <close> = assert(listen_with(name, false))
      for _, wrong in ipairs { 0, 1, "true", {} } do
        assert.error_matches(function() listen_with(name, wrong) end,
          ("option %s: true or false expected, not %s"):format(name, type(wrong)))
      end
    end)
  end

  it("linger is 0 or false: close(2) would wait for any longer", function()
    for _, wrong in ipairs { 1, -1, 0.5, true, "0" } do
      assert.error_matches(function() listen_with("linger", wrong) end,
        "option linger: 0 %(close sends RST%) or false expected, not .*: with a longer time close%(2%) would wait")
    end
  end)

  it("congestion is a name", function()
    for _, wrong in ipairs { 1, true, {} } do
      assert.error_matches(function() listen_with("congestion", wrong) end,
        "option congestion: a string expected, not " .. type(wrong))
    end
    assert.error_matches(function() listen_with("congestion", "reno\0") end, "congestion: a zero byte")
  end)

  it("is checked by connect, too", function()
    assert.error_matches(function() lunet.connect { port = 1, nodelay = 1 } end, "option nodelay: true or false")
    assert.error_matches(function() lunet.connect { port = 1, syncnt = 0 } end, "option syncnt: .* not 0")
  end)

  it("that the kernel refuses is named with its value", function()
    local listener, message, code = listen_with("congestion", "nosuch")
    assert.is_nil(listener)
    assert.equal("option congestion = nosuch: no such file or directory (ENOENT)", message)
    assert.equal("ENOENT", code)
    local connection
    connection, message, code = lunet.connect { port = 1, congestion = "nosuch" }
    assert.is_nil(connection)
    assert.equal("option congestion = nosuch: no such file or directory (ENOENT)", message)
    assert.equal("ENOENT", code)
  end)

  it("that the family does not have is named with its value", function()
    local listener, message, code = lunet.listen { backlog = 5, v6only = true }
    assert.is_nil(listener)
    assert.matches("option v6only = true", message)
    assert.equal("ENOPROTOOPT", code)
    listener, message, code = lunet.listen { address = families[3].address(), backlog = 5, nodelay = false }
    assert.is_nil(listener)
    assert.matches("option nodelay = false", message)
    assert.equal("EOPNOTSUPP", code)
  end)
end)

describe("reuseaddr", function()
  -- As after a server's restart: connections are left, if only in TIME_WAIT.
  it("gives a listener a port that older connections still have, unless it is false", function()
    local target = { address = own_address(), port = 7000, backlog = 5 }
    local near, far, listener = pair.open(target)
    listener:close()
    target.reuseaddr = false
    local refused, message, code = lunet.listen(target)
    assert.is_nil(refused)
    assert.equal("EADDRINUSE", code)
    assert.matches(target.address .. ":7000", message, 1, true)
    target.reuseaddr = nil
    local _again <close> = assert(lunet.listen(target))
    near:close()
    far:close()
  end)

  it("does not let two listeners share a port", function()
    local target = { address = own_address(), port = 7000, backlog = 5, reuseaddr = true }
    local _first <close> = assert(lunet.listen(target))
    assert.equal("EADDRINUSE", code_of(lunet.listen(target)))
  end)
end)

describe("reuseport", function()
  it("lets listeners share a port, if all of them have it", function()
    local target = { address = own_address(), port = 7000, backlog = 5, reuseport = true }
    local _first <close> = assert(lunet.listen(target))
    local _second <close> = assert(lunet.listen(target))
    target.reuseport = false
    assert.equal("EADDRINUSE", code_of(lunet.listen(target)))
  end)
end)

-- An IPv4 address in IPv6 clothes is the one loopback address that both families share.
describe("v6only", function()
  it("keeps IPv4 out", function()
    assert.equal("EINVAL", code_of(lunet.listen { address = "::ffff:127.0.0.1", backlog = 5, v6only = true }))
  end)

  it("lets IPv4 in when it is false", function()
    local listener <close> = assert(lunet.listen { address = "::ffff:127.0.0.1", backlog = 5, v6only = false })
    local address, port = listener:address()
    assert.equal(("[::ffff:127.0.0.1]:%d"):format(port), address)
    local near <close> = assert(lunet.connect("127.0.0.1:" .. port, BOUND))
    local far <close> = assert(listener:accept(BOUND))
    assert.equal(("[::ffff:%s]:%s"):format((near:address()):match "(.*):(.*)"), (far:peer()))
  end)
end)

describe("linger = 0", function()
  it("makes close send RST", function()
    local near, far, listener = pair.open(nil, { linger = 0 })
    near:close()
    eventually(function() return far:liveness() == "reset" end)
    far:close()
    listener:close()
  end)

  it("is inherited from the listener by the connections that it accepts", function()
    local near, far, listener = pair.open { backlog = 5, linger = 0 }
    far:close()
    eventually(function() return near:liveness() == "reset" end)
    near:close()
    listener:close()
  end)

  it("is undone by false", function()
    local near, far, listener = pair.open({ backlog = 5, linger = 0 }, { linger = false })
    near:close()
    eventually(function() return far:liveness() ~= "open" end)
    assert.equal("fin", far:liveness())
    far:close()
    listener:close()
  end)
end)

-- net/ipv4/tcp_minisocks.c, tcp_check_req(): the client's bare ACK is ignored, it waits for data.
describe("defer_accept", function()
  it("keeps a connection out of the queue until it has sent something", function()
    local listener <close> = assert(lunet.listen { backlog = 5, defer_accept = 60 })
    local near <close> = assert(lunet.connect(listener, BOUND))
    assert.equal("ESTABLISHED", near:state())
    assert.equal("TIMEOUT", code_of(listener:accept(0.001)))
    assert.equal(0, listener:queue().depth)
    assert(near:send "hello\n")
    local far <close> = assert(listener:accept(BOUND))
    assert.equal("hello", far:receive("l", BOUND))
  end)
end)

describe("sndbuf and rcvbuf", function()
  -- How many bytes send takes while nobody reads, and how many of them the peer's kernel holds.
  local function capacity(target, options)
    local near, far, listener = pair.open(target, options)
    local _, _, _, sent = near:send(MUCH, 0)
    eventually(function() return near:unsent() + far:unread() == sent end)
    local unread = far:unread()
    near:reset()
    far:close()
    listener:close()
    return sent, unread
  end

  it("bound what is sent and not read", function()
    local small, small_unread = capacity({ backlog = 5, rcvbuf = 4096 }, { sndbuf = 4096 })
    local large, large_unread = capacity({ backlog = 5, rcvbuf = 200000 }, { sndbuf = 200000 })
    assert.is_true(small < 100000)
    assert.is_true(small_unread <= 8192) -- twice what was asked for
    assert.is_true(large > 200000)
    assert.is_true(large_unread > 8192)
  end)
end)

describe("user_timeout", function()
  -- The kernel's own deadline has the kernel's own code.
  it("ends a connection whose peer takes nothing, with ETIMEDOUT", function()
    local near, far, listener = pair.open({ backlog = 5, rcvbuf = 4096 }, { user_timeout = 0.05, sndbuf = 4096 })
    local value, message, code, sent = near:send(MUCH, BOUND)
    assert.is_nil(value)
    assert.matches("send: connection timed out", message)
    assert.equal("ETIMEDOUT", code)
    assert.is_true(sent > 0)
    assert.equal("reset", near:liveness())
    assert.equal("CLOSE", near:state())
    near:close()
    far:close()
    listener:close()
  end)
end)

describe("syncnt", function()
  it("bounds how often a SYN is sent again before connect ends with ETIMEDOUT #slow", function()
    local listener <close> = assert(lunet.listen { backlog = 0 })
    local _first <close> = assert(lunet.connect(listener, BOUND))
    eventually(function() return listener:queue().depth == 1 end)
    local connection, message, code = lunet.connect({ listener, syncnt = 1 }, 30)
    assert.is_nil(connection)
    assert.equal("ETIMEDOUT", code)
    assert.matches("connect to " .. listener:address(), message, 1, true)
    assert.equal(1, listener:queue().depth)
  end)
end)
