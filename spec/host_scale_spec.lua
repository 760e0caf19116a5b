local guest = require "lunet.network.guest"
local laboratory = require "spec.support.laboratory"
local lunet = require "lunet"
local spares = require "spec.support.spares"

local HOSTS <const> = guest.here() and 200 or 1000 -- a guest of user-mode Linux needs 50 ms for one
local SLACK = 192 -- KiB in all: pages come and go, and the timeline keeps a host's name, 40 bytes

-- Makes and closes hosts in a process of its own, whose memory nobody else uses. Prints what the process holds after a
-- warm-up and at the end.
local MANY = [[
local lunet = require "lunet"

local function count_descriptors()
  local count = 0
  for number = 0, 255 do
    local info <close> = io.open("/proc/self/fdinfo/" .. number)
    if info then count = count + 1 end
  end
  return count
end

local function count_interfaces()
  local count = 0
  for _ in io.lines "/proc/thread-self/net/dev" do count = count + 1 end
  return count
end

local function resident()
  collectgarbage()
  collectgarbage()
  local status <close> = io.open "/proc/self/status"
  return status:read "a":match "VmRSS:%%s+(%%d+)"
end

local function use_two()
  local a, b = assert(lunet.host()), assert(lunet.host())
  lunet.link(a, b)
  local listener = assert(a:listen { backlog = 2 })
  local near = assert(b:connect(listener, 10))
  local far = assert(listener:accept(10))
  assert(b:connect(listener, 10))
  assert(near:send "what nobody reads")
  assert(#a:sockets() == 3)
  assert(a:counters() and a:sysctl "net.ipv4.tcp_syncookies" and far)
  a:close()
  b:close()
end

local function use(count)
  for _ = 1, count // 2 do use_two() end
  print("held", count_descriptors(), count_interfaces(), resident(), #lunet.open_handles())
end

do -- the timeline's memory is in use from here on: it keeps 16,384 events
  local listener <close> = assert(lunet.listen { backlog = 1 })
  for _ = 1, 16384 do listener:gate(1) end
end
use(800) -- so many, until the allocator's arena has its size
use(%d)
use(%d)
]]

local function write_script(text)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

-- Runs a script under lunet in a laboratory; fails if it does, or if it leaves a namespace.
local function run(limit, text)
  local path = write_script(text)
  local lab <close> = laboratory.open(limit)
  lab:start(("exec '%s' %s"):format(os.getenv "LUNET", path))
  local status, lines = lab:status()
  os.remove(path)
  assert.equal(0, status, table.concat(lines, "\n"))
  lab:wait_until_empty()
  return lines
end

after_each(function() assert.same({}, lunet.open_handles()) end)

describe("many hosts, with links and connections, #slow", function()
  it("leave no namespace, descriptor, interface or memory behind when they are closed", function()
    local held = {}
    for i, line in ipairs(run(2 * HOSTS, MANY:format(HOSTS, HOSTS))) do
      held[i] = { line:match "^held\t(%d+)\t(%d+)\t(%d+)\t(%d+)$" }
    end
    assert.same({ held[1][1], held[1][2] }, { held[3][1], held[3][2] }) -- descriptors, interfaces
    assert.equal("0", held[3][4], "handles")
    -- A leak grows each time, and pages that come once do not. The sanitizer keeps freed memory, and finds what is lost
    -- in its own way.
    local grown = math.min(held[2][3] - held[1][3], held[3][3] - held[2][3])
    if not os.getenv "LUNET_PRELOAD" then
      assert.is_true(grown < SLACK, ("%d KiB more are resident"):format(grown))
    end
  end)
end)

-- Two hosts, the first with a connection that has more to send than the other takes. With the mould and two spares
-- they are as many as the laboratory has room for: another namespace can be made when one of them has gone.
local UNSENT = spares .. [[
local lunet = require "lunet"
local a, b = assert(lunet.host "a"), assert(lunet.host "b")
lunet.link(a, b)
local listener = assert(b:listen { backlog = 1, rcvbuf = 4096 })
local connection = assert(a:connect(listener, 20))
local sent = select(4, connection:send(("x"):rep(10 * 1024 * 1024), 0.05))
local function one_is_gone() return os.execute "unshare --net true 2>/dev/null" end
assert(select(2, connection:unsent()) > 0)
await_spares(5)
assert(not one_is_gone())
]]

describe("closing a host", function()
  it("lets its namespace go though a connection has unsent data", function()
    run(5, UNSENT .. [[
      a:close()
      assert(lunet.eventually(one_is_gone, 20))]])
  end)

  it("lets a connection that was closed before send its data, and its namespace go then", function()
    run(5, UNSENT .. [[
      connection:close()
      a:close()
      assert(#listener:accept(20):receive("a", 20) == sent)
      assert(lunet.eventually(one_is_gone, 20))
      b:close()]])
  end)
end)
