local isolation = require "lunet.run.isolation"
local lunet = require "lunet"
local experiment = require "lunet.experiment"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local function namespace()
  local pipe <close> = assert(io.popen "readlink /proc/self/ns/net")
  return pipe:read "l"
end

local function first_line(path)
  local file <close> = assert(io.open(path))
  return file:read "l"
end

local function make(run, sysctl)
  return experiment { claim = "It runs.", run = run, check = function() end, sysctl = sysctl }
end

-- A script as an ordinary user. Root becomes nobody, with a copy of the program, since its own files may be hidden.
local function as_ordinary_user(script)
  if program.shell("id -u").output ~= "0\n" then
    return program.shell(("exec %s -e '%s'"):format(os.getenv "LUNET", script))
  end
  local place <close> = scratch.open()
  return program.shell(([[
    cd %s && chmod 755 . && cp "$LUNET" lunet && cp -rL "$LUNET_BUILD/share" share &&
    setpriv --reuid=65534 --regid=65534 --clear-groups ./lunet -e '%s']]):format(place.path, script))
end

describe("a run of an experiment", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has a home host of its own, and none of it afterwards", function()
    lunet.host("first"):close() -- an ordinary user's process moves for good with its first host
    local before = namespace()
    local run = make(function() return { inside = namespace() } end)
    local one, another = run().inside, run().inside
    assert.match("^net:%[%d+%]$", one)
    assert.not_equal(before, one)
    assert.not_equal(before, another)
    assert.equal(before, namespace())
  end)

  it("goes home also when it fails", function()
    lunet.host("first"):close()
    local before = namespace()
    assert.has_error(function() make(function() error("boom", 0) end)() end, "boom")
    assert.equal(before, namespace())
  end)

  it("can listen on the same port as another at the same time", function()
    local run = make(function()
      local _listener <close> = assert(lunet.listen { port = 7000, backlog = 1 })
      return { inner = make(function()
        local _again <close> = assert(lunet.listen { port = 7000, backlog = 1 })
        return { port = 7000 }
      end)() }
    end)
    assert.same({ inner = { port = 7000 } }, (run()))
  end)

  it("finds the same sysctls on every machine, at home and on its hosts", function()
    local outcome = make(function()
      local host = assert(lunet.host "a")
      local home, away = {}, {}
      for name in pairs(isolation.SYSCTLS) do
        home[name] = first_line("/proc/sys/" .. name:gsub("%.", "/")):gsub("\t", " ")
        away[name] = tostring(host:sysctl(name)):gsub("\t", " ")
      end
      return { home = home, away = away }
    end)()
    for name, value in pairs(isolation.SYSCTLS) do
      assert.equal(tostring(value), outcome.home[name])
      assert.equal(tostring(value), outcome.away[name])
    end
  end)

  it("has the sysctls that it declares, and its hosts have them too", function()
    local outcome = make(function()
      return { home = first_line "/proc/sys/net/ipv4/tcp_syncookies",
        away = assert(lunet.host "a"):sysctl "net.ipv4.tcp_syncookies",
        own = assert(lunet.host { sysctl = { ["net.ipv4.tcp_syncookies"] = 1 } }):sysctl "net.ipv4.tcp_syncookies" }
    end, { ["net.ipv4.tcp_syncookies"] = 2 })()
    assert.same({ home = "2", away = 2, own = 1 }, outcome)
  end)

  it("leaves no sysctl to the hosts that are made after it", function()
    make(function() return {} end, { ["net.ipv4.tcp_syncookies"] = 2 })()
    local host <close> = assert(lunet.host "a")
    assert.equal(1, host:sysctl "net.ipv4.tcp_syncookies")
  end)

  it("stays on the machine's own stack with --machine", function()
    local script = os.tmpname()
    local file <close> = assert(io.open(script, "w"))
    assert(file:write [[return require "lunet.experiment" { claim = "It runs.", check = function() end,
      run = function() return { ns = io.popen("readlink /proc/self/ns/net"):read "l" } end }]])
    assert(file:close())
    local own = program.shell("readlink /proc/self/ns/net").output:match "net:%[%d+%]"
    local machine = program.shell(("%s %s --json --machine"):format(os.getenv "LUNET", script)).output
    local isolated = program.shell(("%s %s --json"):format(os.getenv "LUNET", script)).output
    os.remove(script)
    assert.equal(own, machine:match "net:%[%d+%]")
    assert.not_equal(own, isolated:match "net:%[%d+%]")
  end)
end)

describe("an ordinary user", function()
  it("makes hosts, links and rules, and changes sysctls", function()
    local result = as_ordinary_user [[
      local lunet = require "lunet"
      local a, b = assert(lunet.host "a"), assert(lunet.host "b")
      lunet.link(a, b)
      assert(a:sysctl("net.ipv4.tcp_syncookies", 0) == 0)
      local listener = assert(a:listen { backlog = 1 })
      local rule = assert(a:drop { to_port = select(2, listener:address()) })
      assert(select(3, b:connect(listener, 0.05)) == "TIMEOUT")
      rule:close()
      assert(b:connect(listener, 10))
      print "done"]]
    assert.same({ 0, "done\n", "" }, { result.status, result.output, result.errors })
  end)

  it("is refused hosts on the machine's own stack, and told why", function()
    local result = as_ordinary_user [[
      local lunet = require "lunet"
      require("lunet.run.isolation").refuse()
      print(lunet.host "a")]]
    assert.match("^nil\thost a: .*%-%-machine.*\tEPERM\n$", result.output)
    assert.equal(0, result.status)
  end)

  -- The experiment makes a host, and before that what is said there.
  local function run_on_machine(before)
    return as_ordinary_user(([[
      local lunet = require "lunet"
      local ok, run = pcall(function()
        local it = require "lunet.experiment" { claim = "It runs.", check = function() end, run = function()
          %s
          local host = assert(lunet.host "a")
          local listener = assert(host:listen { backlog = 1 })
          assert(host:connect(listener))
          return { depth = listener:queue().depth }
        end }
        return it:execute({}, { machine = true })
      end)
      print(ok, ok and run.outcome.depth or run)
      print(ok and run.note)]]):format(before))
  end

  it("has hosts with --machine, and is told that home is not on the machine then, and the command", function()
    local result = run_on_machine ""
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches("^true\t1\nleft the machine's own network stack with its first host: .* sudo ", result.output)
  end)

  it("is refused them with --machine while home has a socket there, with the command", function()
    local result = run_on_machine "local _kept <close> = assert(lunet.listen { backlog = 1 })"
    assert.matches("^false\t[^\n]*host a: %-%-machine keeps it on [^\n]*; to allow it: sudo [^\n]+\nfalse\n$",
      result.output)
  end)
end)
