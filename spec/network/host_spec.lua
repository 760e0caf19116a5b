local core = require "lunet.core"
local lunet = require "lunet"
local count_descriptors = require "spec.support.descriptors"
local program = require "spec.support.program"
local raised = require "spec.support.raised"

describe("a host", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has the name it was given, or one of its own", function()
    local server <close> = assert(lunet.host "server")
    local other <close> = assert(lunet.host { name = "other" })
    local nameless <close> = assert(lunet.host())
    local nameless_too <close> = assert(lunet.host {})
    assert.equal("server", server:name())
    assert.equal("other", other:name())
    assert.not_equal(nameless:name(), nameless_too:name())
    assert.equal("host server", tostring(server))
    assert.equal("host server", lunet.open_handles()[1])
  end)

  it("has no name with a zero byte in it, where the name would end", function()
    assert.equal("host: a zero byte in its name", raised(lunet.host, "a\0b"))
  end)

  it("listens and connects, by IPv4 and IPv6", function()
    local host <close> = assert(lunet.host())
    for _, address in ipairs { "127.0.0.1", "0.0.0.0", "::1", "::" } do
      local listener = assert(host:listen { address = address, backlog = 1 })
      local near = assert(host:connect(listener, 10))
      local far = assert(listener:accept(10))
      assert(near:send "hello\n")
      assert.equal("hello", far:receive("l", 10))
      assert.equal(near:address(), far:peer())
    end
  end)

  it("listens on any address when none is given", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 1, port = 7000 })
    assert.equal("0.0.0.0:7000", listener:address())
  end)

  it("takes the options that lunet.connect takes", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 8 })
    local connection = assert(host:connect({ listener, from = "127.0.0.7", nodelay = true }, 10))
    assert.matches("^127%.0%.0%.7:", (connection:address()))
    local _, port = listener:address()
    assert(host:connect({ address = "127.0.0.1", port = port }, 10))
    assert(host:connect("127.0.0.1:" .. port, 10))
    local _, _, code = host:connect("10.0.0.1:7000", 10)
    assert.equal("ENETUNREACH", code)
  end)

  it("sees nothing of another one", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    local before = b:counters()
    local on_a = assert(a:listen { port = 7000, backlog = 1 })
    local connection, _, code = b:connect("127.0.0.1:7000", 10)
    assert.is_nil(connection)
    assert.equal("ECONNREFUSED", code)
    local on_b = assert(b:listen { port = 7000, backlog = 1 }) -- the same port, on another host
    local near = assert(a:connect("127.0.0.1:7000", 10))
    assert.equal(near:address(), assert(on_a:accept(10)):peer())
    assert.equal(0, on_b:queue().depth)
    assert.equal(0, #b:sockets { state = "ESTABLISHED" })
    assert.equal(1, (b:counters() - before).ActiveOpens) -- the refused one
  end)

  it("sees nothing of the home host, nor the home host of it", function()
    local host <close> = assert(lunet.host())
    local listener <close> = assert(lunet.listen { backlog = 1 })
    local _, port = listener:address()
    local _, _, code = host:connect("127.0.0.1:" .. port, 10)
    assert.equal("ECONNREFUSED", code)
    local on_host <close> = assert(host:listen { port = port, backlog = 1 })
    assert.equal(1, on_host:queue().limit)
    local inode = host:sockets({ local_port = port })[1].inode
    for _, socket in ipairs(lunet.sockets()) do assert.not_equal(inode, socket.inode) end
  end)

  it("does not connect to a listener that it cannot reach", function()
    local host <close> = assert(lunet.host "a")
    local other <close> = assert(lunet.host "b")
    local at_home <close> = assert(lunet.listen { backlog = 1 })
    local on_other = assert(other:listen { backlog = 1 })
    local on_loopback = assert(other:listen { address = "127.0.0.1", backlog = 1 })
    local on_loopback6 = assert(other:listen { address = "::1", backlog = 1 })
    assert.matches("the listener is on another host", raised(host.connect, host, at_home, 1), 1, true)
    assert.matches("the listener is on another host", raised(lunet.connect, on_other, 1), 1, true)
    assert.matches("the listener is on another host", raised(lunet.connect, { on_other }, 1), 1, true)
    assert.matches("a and b share no network", raised(host.connect, host, on_other, 1), 1, true)
    assert.matches("a and b share no network", raised(host.connect, host, { on_other }, 1), 1, true)
    assert.matches(" itself reaches its ", raised(host.connect, host, on_loopback, 1), 1, true)
    assert.matches(" itself reaches its ", raised(host.connect, host, on_loopback6, 1), 1, true)
  end)

  it("shares Unix paths with every other, and reads their queues", function()
    local path = os.tmpname()
    os.remove(path)
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local listener = assert(a:listen { address = "unix:" .. path, backlog = 3 })
    local _near <close> = assert(a:connect(listener, 10))
    local _far <close> = assert(b:connect(listener, 10))
    local _home <close> = assert(lunet.connect(listener, 10))
    assert.same({ depth = 3, limit = 3 }, listener:queue())
  end)

  it("keeps abstract Unix names for itself", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local listener = assert(a:listen { address = "unix:@lunet", backlog = 3 })
    local _near <close> = assert(a:connect(listener, 10))
    assert.equal(1, listener:queue().depth)
    local _, _, code = b:connect("unix:@lunet", 10)
    assert.equal("ECONNREFUSED", code)
  end)
end)

describe("a host's sysctls", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("are its own", function()
    local a <close> = assert(lunet.host())
    local b <close> = assert(lunet.host())
    local before = assert(b:sysctl "net.ipv4.tcp_syn_retries")
    assert.equal(before + 1, a:sysctl("net.ipv4.tcp_syn_retries", before + 1))
    assert.equal(before + 1, a:sysctl "net.ipv4.tcp_syn_retries")
    assert.equal(before, b:sysctl "net.ipv4.tcp_syn_retries")
  end)

  it("can be given when it is made", function()
    local host <close> = assert(lunet.host {
      name = "pinned",
      sysctl = { ["net.core.somaxconn"] = 5, ["net.ipv4.tcp_congestion_control"] = "reno" },
    })
    assert.equal(5, host:sysctl "net.core.somaxconn")
    assert.equal("reno", host:sysctl "net.ipv4.tcp_congestion_control")
    local listener = assert(host:listen { backlog = 100 })
    assert.equal(5, listener:queue().limit)
  end)

  it("may be of several numbers", function()
    local host <close> = assert(lunet.host())
    assert.equal("5000\t6000", host:sysctl("net.ipv4.ip_local_port_range", "5000 6000"))
    local listener = assert(host:listen { backlog = 1 })
    local _, port = assert(host:connect(listener, 10)):address()
    assert.is_true(port >= 5000 and port <= 6000)
  end)

  it("take a number however it is written", function()
    local host <close> = assert(lunet.host())
    assert.equal(4, host:sysctl("net/ipv4/tcp_syn_retries", 4.0))
    assert.equal(3, host:sysctl("net.ipv4.tcp_syn_retries", "3"))
  end)

  it("say what was wrong with a name or a value", function()
    local host <close> = assert(lunet.host())
    local value, message, code = host:sysctl "net.ipv4.no_such_thing"
    assert.is_nil(value)
    assert.equal("ENOENT", code)
    assert.equal("sysctl net.ipv4.no_such_thing: this host has no such setting (ENOENT)", message)
    value, message, code = host:sysctl("net.ipv4.no_such_thing", 1)
    assert.is_nil(value)
    assert.equal("ENOENT", code)
    assert.matches("no_such_thing = 1", message, 1, true)
    value, message, code = host:sysctl("net.ipv4.tcp_syncookies", "perhaps")
    assert.is_nil(value)
    assert.equal("EINVAL", code)
    assert.equal("sysctl net.ipv4.tcp_syncookies = perhaps: the kernel refuses this value (EINVAL)", message)
    value, message, code = host:sysctl("net.ipv4.tcp_ehash_entries", 1)
    assert.is_nil(value)
    assert.equal("EACCES", code)
    assert.matches("nobody may write it", message, 1, true)
  end)

  it("leave no host behind when one cannot be set", function()
    local host, message, code = lunet.host { sysctl = { ["net.ipv4.no_such_thing"] = 1 } }
    assert.is_nil(host)
    assert.equal("ENOENT", code)
    assert.matches("no_such_thing = 1", message, 1, true)
  end)

  it("are only those of its network", function()
    local host <close> = assert(lunet.host())
    assert.matches("'vm.swappiness'", raised(host.sysctl, host, "vm.swappiness"), 1, true)
    assert.matches("'net.'", raised(host.sysctl, host, "net."), 1, true)
    assert.matches("'nil'", raised(host.sysctl, host), 1, true)
    assert.matches("not boolean", raised(host.sysctl, host, "net.ipv4.tcp_syncookies", true), 1, true)
    assert.matches("'vm.swappiness'", raised(lunet.host, { sysctl = { ["vm.swappiness"] = 1 } }), 1, true)
    assert.matches("not table", raised(lunet.host, { sysctl = { ["net.ipv4.tcp_syncookies"] = {} } }), 1, true)
  end)

  -- A host gets a small table of sockets; the kernel would derive these two from its size.
  it("do not follow from the size of its table of sockets", function()
    local host <close> = assert(lunet.host())
    local entries = math.abs(host:sysctl "net.ipv4.tcp_ehash_entries")
    local buckets = host:sysctl "net.ipv4.tcp_max_tw_buckets"
    assert.is_true(entries <= 4096, "a large table")
    assert.is_true(buckets > entries / 2, "few buckets")
  end)
end)

describe("closing a host", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("can be done twice, and leaves its name", function()
    local host = assert(lunet.host "server")
    assert.is_true(host:close())
    assert.is_true(host:close())
    assert.equal("server", host:name())
    assert.equal("host server (closed)", tostring(host))
  end)

  it("resets what is open on it", function()
    local client <close> = assert(lunet.host())
    local server = assert(lunet.host())
    lunet.link(client, server)
    local listener = assert(server:listen { backlog = 2 })
    local accepted = assert(client:connect(listener, 10))
    local served = assert(listener:accept(10))
    local queued = assert(client:connect(listener, 10))
    assert(served:send(("x"):rep(100000), 10))
    server:close()
    assert.equal("ECONNRESET", select(3, accepted:receive("a", 10)))
    assert.equal("ECONNRESET", select(3, queued:receive(1, 10)))
    assert.equal("CLOSED", select(3, served:receive()))
    assert.equal("CLOSED", select(3, listener:queue()))
    assert.equal(2, #lunet.open_handles() - 1) -- the client's two, and its host
  end)

  it("wakes who waits on it", function()
    local host = assert(lunet.host())
    local listener = assert(host:listen { backlog = 1 })
    local near = assert(host:connect(listener, 10))
    local accepting = lunet.spawn(function()
      assert(listener:accept())
      return listener:accept()
    end)
    local receiving = lunet.spawn(function() return near:receive() end)
    assert(lunet.eventually(function() return listener:queue().depth == 0 end, 10))
    host:close()
    assert.equal("CLOSED", select(4, accepting:join(10)))
    assert.equal("CLOSED", select(4, receiving:join(10)))
  end)

  it("comes with the end of its scope", function()
    local host
    lunet.scope(function()
      host = assert(lunet.host())
      local listener = assert(host:listen { backlog = 1 })
      assert(host:connect(listener, 10))
    end)
    assert.matches("the host is closed", raised(host.sockets, host), 1, true)
  end)

  it("leaves the others as they are", function()
    local a, b = assert(lunet.host()), assert(lunet.host())
    local listener = assert(b:listen { backlog = 1 })
    a:close()
    assert(b:connect(listener, 10))
    b:close()
  end)

  it("makes every other call on it raise", function()
    local open <close> = assert(lunet.host())
    local host = assert(lunet.host())
    host:close()
    local calls = {
      function() host:listen { backlog = 1 } end,
      function() host:connect("127.0.0.1:7000", 1) end,
      function() host:sysctl "net.ipv4.tcp_syncookies" end,
      function() host:sysctl("net.ipv4.tcp_syncookies", 1) end,
      function() host:counters() end,
      function() host:sockets() end,
    }
    for i, call in ipairs(calls) do
      assert.matches("the host is closed", raised(call), 1, true, "call " .. i)
    end
    assert.matches("is closed", raised(lunet.link, open, host), 1, true)
    assert.matches("is closed", raised(lunet.lan, { open, host }), 1, true)
  end)

  it("leaves no descriptor", function()
    assert(lunet.host()):close() -- the first opens what all of them use
    local before = count_descriptors()
    for _ = 1, 100 do
      local a, b = assert(lunet.host()), assert(lunet.host())
      local listener = assert(a:listen { backlog = 1 })
      assert(a:connect(listener, 10))
      assert(listener:accept(10))
      a:sockets()
      a:close()
      b:close()
    end
    assert.equal(before, count_descriptors())
  end)
end)

describe("a host as the home host", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("is where lunet listens and connects, and can be left again", function()
    local host <close> = assert(lunet.host())
    local before = assert(core.set_home(host))
    local listener = assert(lunet.listen { backlog = 1 })
    local near = assert(lunet.connect(listener, 10))
    local seen = #host:sockets()
    local is_back = core.set_home(before)
    listener:close()
    near:close()
    assert.is_true(is_back)
    assert.equal(3, seen)
  end)

  it("may be closed before it is left", function()
    local host = assert(lunet.host())
    local before = assert(core.set_home(host))
    host:close()
    local other <close> = assert(lunet.host())
    local listener = assert(lunet.listen { backlog = 1 })
    local near = lunet.connect(listener, 10)
    assert.is_true(core.set_home(before))
    listener:close()
    assert(near):close()
    assert.equal(0, #other:sockets())
  end)
end)

describe("the first host of a process", function()
  -- Under a root that is one in its user namespace only, begun with these words of a shell command.
  local function first_host(words)
    return program.shell(([[exec unshare --user --map-root-user %s "$LUNET" -e 'print(require("lunet").host("a"))']])
      :format(words)).output
  end

  it("is made where the user namespace gives privileges, but not over its own network #no_tsan", function()
    assert.equal("host a\n", first_host(""))
  end)

  it("is refused to a root that cannot be mapped into a user namespace, who could not come back", function()
    assert.match("^nil\thost a: this root has neither CAP_SYS_ADMIN nor CAP_SETFCAP.* %(EPERM%).*\tEPERM\n$",
      first_host("setpriv --bounding-set=-setfcap,-sys_admin"))
  end)
end)

describe("a process", function()
  -- The second keeps the processor awake; a process that has it cannot be moved into a user namespace any more.
  it("has one thread before its first host, and two from then on #no_tsan", function()
    local result = program.lunet [[
      local lunet = require "lunet"
      local function count_threads()
        local file <close> = assert(io.open "/proc/self/status")
        print(file:read "a":match "\nThreads:%s+(%d+)")
      end
      lunet.sleep(0.001)
      count_threads()
      for _ = 1, 2 do
        assert(lunet.host())
        count_threads()
      end]]
    assert.same({ "1\n2\n2\n", "" }, { result.output, result.errors })
  end)
end)

describe("lunet.host", function()
  it("refuses what it does not know", function()
    assert.matches("unknown option 'color' (known: name, sysctl)", raised(lunet.host, { color = 1 }), 1, true)
    assert.matches("name or table expected", raised(lunet.host, 5), 1, true)
    assert.matches("host: name: a string expected, not 5", raised(lunet.host, { name = 5 }), 1, true)
    assert.matches("sysctl: a table", raised(lunet.host, { sysctl = "net.core.somaxconn=5" }), 1, true)
    assert.same({}, lunet.open_handles())
  end)

  it("gives methods that want a host", function()
    local host <close> = assert(lunet.host())
    for _, method in ipairs { "listen", "connect", "sysctl", "counters", "sockets", "name", "close" } do
      assert.is_string(raised(host[method], {}), method)
    end
  end)
end)
