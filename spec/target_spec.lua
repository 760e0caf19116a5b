-- The addresses and ports that lunet.listen and lunet.connect take, and how they refuse wrong ones. Misuse raises
-- before anything is opened.
local lunet = require "lunet"
local families = require "spec.support.families"
local program = require "spec.support.program"

local BOUND <const> = require "spec.support.bound"

setup(families.open)
teardown(families.close)

describe("lunet.listen", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  local function refuses(target, pattern)
    assert.error_matches(function() lunet.listen(target) end, pattern)
  end

  it("refuses what is no table", function()
    refuses(nil, "table expected, not n")
    refuses(7000, "table expected, not number")
    refuses("127.0.0.1:7000", "table expected, not string")
  end)

  it("must be told the backlog", function()
    refuses({}, "backlog: a whole number from 0 to 2147483647 expected, not nil")
    refuses({ backlog = -1 }, "backlog: .* not %-1")
    refuses({ backlog = 1.5 }, "backlog: .* not 1.5")
    refuses({ backlog = 2 ^ 31 }, "backlog: .* not 2147483648")
    refuses({ backlog = "5" }, 'backlog: .* not "5"')
    refuses({ backlog = true }, "backlog: .* not true")
  end)

  it("refuses a port that there is not", function()
    refuses({ backlog = 5, port = -1 }, "port: a whole number from 0 to 65535 expected, not %-1")
    refuses({ backlog = 5, port = 65536 }, "port: .* not 65536")
    refuses({ backlog = 5, port = "7000" }, 'port: .* not "7000"')
    refuses({ backlog = 5, port = 0.5 }, "port: .* not 0.5")
  end)

  it("refuses an address that is not numeric", function()
    refuses({ backlog = 5, address = "localhost" }, '"localhost" is not numeric')
    refuses({ backlog = 5, address = "127.0.0.1:7000" }, '"127.0.0.1:7000" is not numeric.*a field of its own')
    refuses({ backlog = 5, address = "127.1" }, '"127.1" is not numeric')
    refuses({ backlog = 5, address = "[127.0.0.1]" }, "is not numeric")
    refuses({ backlog = 5, address = "" }, '"" is not numeric')
    refuses({ backlog = 5, address = 127 }, "address: a string expected, not number")
    refuses({ backlog = 5, address = "127.0.0.1\0.example" }, "address: a zero byte")
  end)

  it("refuses a port for a Unix address", function()
    refuses({ backlog = 5, address = "unix:@name", port = 7000 }, 'port: a Unix address %("unix:@name"%) has no port')
  end)

  it("refuses a label that is no text", function()
    refuses({ backlog = 5, label = 1 }, "label: a string expected, not number")
  end)

  it("refuses an unknown option, and lists those that it knows", function()
    refuses({ backlog = 5, nodely = true }, "unknown option 'nodely' %(known: address, port, backlog, label, "
      .. "protocol, nodelay, reuseaddr, reuseport, keepalive, keepidle, keepintvl, keepcnt, user_timeout, "
      .. "defer_accept, fastopen, fastopen_connect, syncnt, congestion, rto_max, linger, sndbuf, rcvbuf, v6only%)")
    refuses({ backlog = 5, from = "127.0.0.1" }, "unknown option 'from'")
    refuses({ backlog = 5, "127.0.0.1" }, "unknown option '1'")
    refuses({ backlog = 5, [true] = 1 }, "unknown option 'true'")
  end)

  it("names the script's line", function()
    local _, message = pcall(function() lunet.listen {} end)
    assert.matches("^spec/target_spec.lua:%d+: listen: backlog", message)
  end)

  it("leaves the script's table as it was", function()
    local target = { backlog = 5 }
    local _listener <close> = assert(lunet.listen(target))
    assert.same({ backlog = 5 }, target)
  end)
end)

describe("lunet.connect", function()
  local listener, port

  before_each(function()
    listener = assert(lunet.listen { backlog = 5 })
    port = select(2, listener:address())
  end)

  after_each(function()
    listener:close()
    assert.same({}, lunet.open_handles())
  end)

  local function refuses(target, pattern)
    assert.error_matches(function() lunet.connect(target, 0) end, pattern)
    assert.same({ tostring(listener) }, lunet.open_handles())
  end

  local function reaches(target, address)
    local near <close> = assert(lunet.connect(target, BOUND))
    assert.equal(address or listener:address(), (near:peer()))
    local far <close> = assert(listener:accept(BOUND))
    assert.equal((near:address()), (far:peer()))
  end

  it("takes a listener, an address, or a table with either", function()
    reaches(listener)
    reaches("127.0.0.1:" .. port)
    reaches { listener }
    reaches { "127.0.0.1:" .. port }
    reaches { address = "127.0.0.1", port = port }
    reaches { port = port }
  end)

  it("takes IPv6 addresses in brackets", function()
    listener:close()
    listener = assert(lunet.listen { address = "::1", backlog = 5 })
    port = select(2, listener:address())
    reaches(listener)
    reaches("[::1]:" .. port)
    reaches { "[::1]:" .. port }
    reaches { address = "::1", port = port }
    reaches { address = "[::1]", port = port }
    reaches("[0:0:0:0:0:0:0:1]:" .. port)
  end)

  it("takes Unix addresses, paths and abstract ones", function()
    for _, family in ipairs { families[3], families[4] } do
      listener:close()
      local address = family.address()
      listener = assert(lunet.listen { address = address, backlog = 5 })
      assert.equal(address, (listener:address()))
      reaches(listener)
      reaches(address)
      reaches { address }
      reaches { address = address }
    end
  end)

  it("takes the source's address, and then the kernel chooses the port", function()
    local near <close> = assert(lunet.connect({ listener, from = "127.0.0.2" }, BOUND))
    local far <close> = assert(listener:accept(BOUND))
    assert.matches("^127%.0%.0%.2:%d+$", (near:address()))
    assert.equal((near:address()), (far:peer()))
  end)

  -- The port is kept free for us by a listener there, with which SO_REUSEPORT lets it be shared.
  for _, host in ipairs { "127.0.0.1", "::1" } do
    it(("takes the source's port on %s"):format(host), function()
      local keeper <close> = assert(lunet.listen { address = host, backlog = 0, reuseport = true })
      local target <close> = assert(lunet.listen { address = host, backlog = 5 })
      local from = keeper:address()
      local near <close> = assert(lunet.connect({ target, from = from, reuseport = true }, BOUND))
      local far <close> = assert(target:accept(BOUND))
      assert.equal(from, (near:address()))
      assert.equal(from, (far:peer()))
    end)
  end

  it("names the source when it cannot be had", function()
    for from, expected in pairs {
      ["192.0.2.1"] = "EADDRNOTAVAIL", -- RFC 5737: nobody's
      [listener:address()] = "EADDRINUSE",
      ["[::1]:0"] = "EAFNOSUPPORT",
      ["::1"] = "EAFNOSUPPORT",
    } do
      local near, message, code = lunet.connect({ listener, from = from }, BOUND)
      assert.is_nil(near)
      assert.equal(expected, code)
      assert.matches("from " .. (from == "::1" and "[::1]" or from), message, 1, true)
    end
    assert.same({ tostring(listener) }, lunet.open_handles())
  end)

  it("refuses what is no target", function()
    refuses(nil, "connect: a listener, a table or an address expected, .*; not nil")
    refuses(80, "; not number")
    refuses(print, "; not function")
    refuses({ 80 }, "%[1%]: a listener or an address expected, not number")
    refuses({ { listener } }, "%[1%]: .* not table")
    refuses({}, "port: a whole number from 1 to 65535 expected, not nil")
    refuses({ address = "127.0.0.1", port = 0 }, "port: .* not 0")
    refuses({ address = "127.0.0.1", port = 65536 }, "port: .* not 65536")
    refuses({ address = "127.0.0.1", port = "80" }, 'port: .* not "80"')
  end)

  it("refuses an address that is not numeric, or has no port", function()
    for _, target in ipairs {
      "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1: 80",
      "127.0.0.1:80 ", "127.0.0.1:080000", ":80", "::1:80", "[::1]", "[::1:80", "[127.0.0.1]:80", "", "unix:", "80",
      "127.0.0.256:80", "unix:/" .. ("x"):rep(107),
    } do
      refuses(target, '^connect: target: "' .. target:gsub("%p", "%%%0") .. '" is not an address like "127.0.0.1:80"')
      refuses({ target }, "^connect: target: ")
    end
    refuses("127.0.0.1:80\0", "target: a zero byte")
    refuses({ address = "localhost", port = 80 }, 'address: "localhost" is not numeric')
    refuses({ address = "unix:" .. ("x"):rep(108) }, "address: .* a path of 1 to 107 bytes expected")
    refuses({ address = "unix:/path", port = 80 }, "port: a Unix address")
    refuses({ address = 127, port = 80 }, "address: a string expected, not number")
  end)

  -- They were ignored once, and a connection went elsewhere than its port said.
  it("refuses an address or a port beside [1]", function()
    refuses({ listener, port = 80 }, "port: %[1%] already gives the target")
    refuses({ "127.0.0.1:80", port = 80 }, "port: %[1%] already gives the target")
    refuses({ listener, address = "127.0.0.1" }, "address: %[1%] already gives the target")
  end)

  it("refuses a source or a label that is none", function()
    refuses({ listener, from = "localhost" }, 'from: "localhost" is not an address')
    refuses({ listener, from = "127.0.0.1:x" }, 'from: "127.0.0.1:x" is not an address')
    refuses({ listener, from = "unix:/path" }, "from: a Unix client has no address to choose")
    refuses({ listener, from = 4000 }, "from: a string expected, not number")
    refuses({ listener, label = {} }, "label: a string expected, not table")
  end)

  it("refuses an unknown option, and lists those that it knows", function()
    refuses({ listener, nodely = true }, "unknown option 'nodely' %(known: %[1%], address, port, from, label, "
      .. "protocol, nodelay, reuseaddr, reuseport, keepalive, keepidle, keepintvl, keepcnt, user_timeout, "
      .. "defer_accept, fastopen, fastopen_connect, syncnt, congestion, rto_max, linger, sndbuf, rcvbuf, v6only%)")
    refuses({ listener, backlog = 5 }, "unknown option 'backlog'")
    refuses({ listener, "second" }, "unknown option '2'")
  end)

  it("refuses what is no timeout", function()
    assert.error_matches(function() lunet.connect(listener, -1) end, "seconds, 0 or more")
    assert.error_matches(function() lunet.connect(listener, "1 s") end, "seconds, 0 or more; not string")
    assert.error_matches(function() lunet.connect(listener, {}) end, "seconds, 0 or more; not table")
  end)
end)

it("a failure without a socket names where the call was going", function()
  local result = program.shell(("ulimit -n 24; exec '%s' -e '%s'"):format(os.getenv "LUNET", [[
    local lunet = require "lunet"
    local files = {}
    repeat
      local file = io.open "/dev/null"
      files[#files + 1] = file
    until not file
    print(select(2, lunet.listen { port = 7000, backlog = 5 }))
    print(select(2, lunet.connect("127.0.0.1:7000", 5)))
  ]]))
  assert.same({ status = 0, errors = "", output = "listen on 127.0.0.1:7000: too many open files (EMFILE)\tEMFILE\n"
    .. "connect to 127.0.0.1:7000: too many open files (EMFILE)\tEMFILE\n" }, result)
end)
