-- Sockets of lunet's that a program gets. Perl is in every Debian, and accepts by plain accept(2).
local lfs = require "lfs"
local lunet = require "lunet"
local exec = require "spec.support.exec"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"
local sh = exec.sh

after_each(function()
  assert.same({}, lunet.open_handles())
end)

-- Answers each client with its own number, as often as `count` says; says when it is about to accept.
local ACCEPTING = [[use Socket; $| = 1; open(my $l, "+<&=", 3) or die $!; print "ready\n";
  for (1 .. $ARGV[0]) { accept(my $c, $l) or die "accept: $!\n"; syswrite $c, "served by $ARGV[1]\n" }]]

local function perl(count, name, options)
  options = options or {}
  table.move({ "perl", "-e", ACCEPTING, count, name }, 1, 5, 1, options)
  options.stderr = "stdout"
  return options
end

-- O_NONBLOCK is 04000 in fdinfo's flags (proc(5)).
local function is_nonblocking(process, number)
  local file <close> = assert(io.open(("/proc/%d/fdinfo/%d"):format(process:pid(), number)))
  return tonumber(file:read "a":match "flags:%s+(%d+)", 8) & tonumber("4000", 8) ~= 0
end

-- How many descriptors lunet's epoll sets have (proc(5), fdinfo).
local function watched()
  local count = 0
  for name in lfs.dir "/proc/self/fdinfo" do
    local file = io.open("/proc/self/fdinfo/" .. name)
    local text = file and file:read "a" or ""
    if file then file:close() end
    for _ in text:gmatch "tfd:" do count = count + 1 end
  end
  return count
end

describe("a listener that a program gets", function()
  it("is the program's queue, and of its successor", function()
    local host <close> = assert(lunet.host "server")
    local listener <close> = assert(host:listen { backlog = 5 })
    local clients = {}
    for i = 1, 4 do clients[i] = assert(host:connect(listener, BOUND)) end
    for _, name in ipairs { "first", "second" } do
      local process <close> = assert(host:exec(perl(2, name, { fds = { [3] = listener } })))
      assert.equal(0, process:wait(BOUND))
    end
    for i, name in ipairs { "first", "first", "second", "second" } do
      assert.equal("served by " .. name, clients[i]:receive("l", BOUND))
    end
    assert.equal(0, assert(listener:queue()).depth)
  end)

  it("blocks in the program unless `nonblocking` is set", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    for _, nonblocking in ipairs { false, true } do
      local process <close> = assert(lunet.exec { "sleep", "1000", fds = { [3] = listener },
        nonblocking = nonblocking })
      assert.equal(nonblocking, is_nonblocking(process, 3))
    end
    local process <close> = assert(lunet.exec(perl(1, "perl", { fds = { [3] = listener }, nonblocking = true })))
    assert.match("accept: Resource temporarily unavailable", assert(process.stdout:receive("a", BOUND)))
  end)

  it("is told to the program as systemd does, and it gets no other descriptors", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    local other <close> = assert(lunet.listen { backlog = 5 })
    local text = 'echo $LISTEN_FDS; [ "$LISTEN_PID" = $$ ] && echo mine; ls /proc/self/fd' -- 5 is the directory itself
    local output = exec.run(sh(text, { fds = { [3] = listener, [4] = other }, limits = { nofile = 16 } }))
    assert.equal("2\nmine\n0\n1\n2\n3\n4\n5\n", output)
    assert.equal("unset\n", (exec.run(sh "echo ${LISTEN_FDS-unset}")))
  end)

  it("comes at its number, however many there are", function()
    local fds, wanted = {}, {}
    for i = 1, 20 do
      local listener = assert(lunet.listen { backlog = 5 })
      fds[23 - i] = listener -- so that descriptors and numbers cross
    end
    local process <close> = assert(lunet.exec { "sleep", "1000", fds = fds })
    local given = {}
    for number = 3, 22 do
      wanted[number] = select(2, fds[number]:address())
      local pipe <close> = assert(io.popen(("readlink /proc/%d/fd/%d"):format(process:pid(), number)))
      local inode = tonumber(pipe:read "a":match "%d+")
      for _, socket in ipairs(assert(lunet.sockets { state = "LISTEN", local_port = wanted[number] })) do
        if socket.inode == inode then given[number] = socket.local_port end
      end
    end
    assert.same(wanted, given)
    for _, listener in pairs(fds) do listener:close() end
  end)

  -- lunet knows a TCP queue's depth without accept4, but not a Unix one's.
  for family, address in pairs { TCP = "127.0.0.1", Unix = "unix:@lunet-shared " .. tagged.new() } do
    it("still accepts in lunet, which never waits for it in a call: " .. family, function()
      local listener <close> = assert(lunet.listen { address = address, backlog = 5 })
      local process <close> = assert(lunet.exec { "sleep", "1000", fds = { [3] = listener } })
      assert.is_false(is_nonblocking(process, 3))
      assert.equal("TIMEOUT", (select(3, listener:accept(0))))
      assert.equal("TIMEOUT", (select(3, listener:accept(0.01))))
      local waiting = lunet.spawn(listener.accept, listener, BOUND)
      lunet.sleep(0)
      local client <close> = assert(lunet.connect(listener, BOUND))
      local ok, connection = waiting:join(BOUND)
      assert.is_true(ok)
      assert(connection:send "hello\n")
      assert.equal("hello", client:receive("l", BOUND))
      connection:close()
    end)
  end

  it("is accepted from by both, each connection by one", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    local COUNT = 200
    local process <close> = assert(lunet.exec(perl(COUNT, "perl", { fds = { [3] = listener } })))
    assert.equal("ready", process.stdout:receive("l", BOUND))
    local acceptor = lunet.spawn(function()
      while true do
        local connection = listener:accept()
        if not connection then return end
        connection:send "served by lunet\n"
        connection:close()
      end
    end)
    local served = { perl = 0, lunet = 0 }
    for _ = 1, COUNT do
      local client <close> = assert(lunet.connect(listener, BOUND))
      local name = assert(client:receive("l", BOUND)):match "^served by (%a+)$"
      served[name] = served[name] + 1
    end
    assert.equal(COUNT, served.perl + served.lunet)
    listener:close()
    acceptor:join(BOUND)
  end)

  it("lives on in the program when lunet closes its own, and does not wake lunet any more", function()
    local host <close> = assert(lunet.host "server")
    local listener = assert(host:listen { backlog = 5 })
    local _, port = listener:address()
    local process <close> = assert(host:exec(perl(1, "perl", { fds = { [3] = listener } })))
    assert.equal("ready", process.stdout:receive("l", BOUND)) -- its stdout is watched from now on
    local before = watched()
    local acceptor = lunet.spawn(function() return listener:accept(BOUND) end)
    assert.is_true(lunet.eventually(function() return watched() == before + 1 end, BOUND))
    listener:close()
    assert(acceptor:join(BOUND))
    assert.equal(before, watched())
    local client <close> = assert(host:connect({ address = "127.0.0.1", port = port }, BOUND))
    assert.equal("served by perl", client:receive("l", BOUND))
    assert.equal(0, process:wait(BOUND))
    assert.same({}, assert(host:sockets { state = "LISTEN" }))
  end)
end)

describe("a connection that a program gets", function()
  it("is read and written by it, and lunet's own calls still do not block", function()
    local listener <close> = assert(lunet.listen { backlog = 5 })
    local client <close> = assert(lunet.connect(listener, BOUND))
    local connection <close> = assert(listener:accept(BOUND))
    local process <close> = assert(lunet.exec(sh("exec cat <&3 >&3", { fds = { [3] = connection } })))
    assert.is_false(is_nonblocking(process, 3))
    assert(client:send "hello\n")
    assert.equal("hello", client:receive("l", BOUND))
    assert(process:freeze())
    assert.equal("TIMEOUT", (select(3, connection:receive(1, 0))))
    local _, _, code = connection:send(("x"):rep(1 << 24), 0)
    assert.equal("TIMEOUT", code)
  end)
end)

describe("what a program gets", function()
  it("is given by 3, 4, ..., with sockets of lunet's that are open", function()
    local listener = assert(lunet.listen { backlog = 5 })
    local wrong = {
      { fds = listener }, { fds = 3 }, { fds = { listener } }, { fds = { [4] = listener } },
      { fds = { [2] = listener } },
      { fds = { [3] = listener, [5] = listener } }, { fds = { [3] = "listener" } }, { fds = { [3] = 7 } },
      { fds = { [3] = io.stdout } }, { fds = { [3.5] = listener } }, { fds = { ["3"] = listener } },
      { fds = { [3] = listener }, nonblocking = 1 }, { nonblocking = true },
    }
    for i, options in ipairs(wrong) do
      options[1] = "true"
      assert.has_error(function() lunet.exec(options) end, nil, i)
    end
    local many = {}
    for number = 3, 67 do many[number] = listener end
    assert.has_error(function() lunet.exec { "true", fds = many } end)
    many[67] = nil
    local _, status = exec.run { "true", fds = many }
    assert.equal(0, status)
    assert.has_error(function() lunet.exec { "true", fds = { [4] = listener } } end,
      "exec: fds: the numbers 3, 4, ... without a gap, 64 at most, expected; there is 4")
    assert.has_error(function() lunet.exec { "true", fds = { [3] = true } } end,
      "exec: fds[3]: a listener or a connection expected, not boolean")
    listener:close()
    assert.has_error(function() lunet.exec { "true", fds = { [3] = listener } } end,
      "exec: fds[3]: the listener is closed")
  end)

  it("may be closed by a finalizer while the call reads its arguments", function()
    local mode = collectgarbage "incremental"
    local pause, multiplier = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
    local told = {}
    for i = 1, 60 do
      local listener = assert(lunet.listen { backlog = 5 })
      setmetatable({}, { __gc = function() listener:close() end })
      local _garbage = table.pack(string.byte(("x"):rep(i), 1, i)) -- so that the finalizer runs elsewhere each time
      local ok, result = pcall(lunet.exec, { "true", fds = { [3] = listener } })
      if ok then
        assert(result):close()
      else
        told[result] = true
      end
      listener:close()
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
    collectgarbage(mode)
    told["exec: fds[3]: the listener is closed"] = nil
    assert.same({}, told)
  end)
end)
