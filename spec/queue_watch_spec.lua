-- Queues of listeners that lunet has not opened, looked at for as long as a script asks.
local core = require "lunet.core"
local lunet = require "lunet"
local raised = require "spec.support.raised"
local strace = require "spec.support.strace"
local timeline = require "lunet.recording.timeline"
local told = require "spec.support.told"

local BOUND <const> = require "spec.support.bound"
local PORT <const> = 7300

after_each(function()
  assert.same({}, lunet.open_handles())
end)

-- A program that listens and never accepts.
local function start_server(host, address, backlog)
  local text = ("assert(require 'lunet'.listen { %s, backlog = %d }) print 'up' io.flush() io.read()")
    :format(address, backlog)
  local process = assert(host:exec { os.getenv "LUNET", "-e", text, stdin = "pipe", stderr = "null" })
  assert.equal("up", process.stdout:receive("l", BOUND))
  return process
end

local AT_PORT <const> = ("address = '0.0.0.0', port = %d"):format(PORT)

local function queue_events(first)
  local found = {}
  for _, e in ipairs((core.events(first))) do
    if e.kind == "queue" or e.kind == "found" or e.kind == "gone" then found[#found + 1] = e end
  end
  return found
end

describe("a watched queue", function()
  local host

  before_each(function() host = assert(lunet.host "server") end)
  after_each(function()
    core.record(false)
    host:close()
  end)

  it("has a peak, also when it is empty again and nothing is recorded", function()
    local process <close> = start_server(host, AT_PORT, 3)
    local watch <close> = assert(host:watch(PORT, 0.001))
    local clients = {}
    for i = 1, 3 do clients[i] = assert(host:connect({ address = "127.0.0.1", port = PORT }, BOUND)) end
    assert(lunet.eventually(function() return assert(watch:peak()).depth == 3 end, BOUND))
    process:close()
    assert(lunet.eventually(function()
      return #assert(host:sockets { local_port = PORT, state = "LISTEN" }) == 0
    end, BOUND))
    local peak = assert(watch:peak())
    peak.looks = nil
    assert.same({ depth = 3, limit = 3, drops = 0 }, peak)
    for _, client in ipairs(clients) do client:close() end
  end)

  it("may be one of the home host", function()
    local listener <close> = assert(lunet.listen { port = 0, backlog = 3 })
    local watch <close> = assert(lunet.watch(listener, 0.001))
    local client <close> = assert(lunet.connect(listener, BOUND))
    assert(lunet.eventually(function() return assert(watch:peak()).depth == 1 end, BOUND))
    assert.equal(3, assert(watch:peak()).limit)
    assert.is_truthy(client)
  end)

  it("looks by itself", function()
    local watch <close> = assert(host:watch(PORT, 0.001))
    assert(lunet.eventually(function()
      local before = assert(watch:peak()).looks
      lunet.sleep(0.05) -- asks nothing
      return assert(watch:peak()).looks > before + 1
    end, BOUND))
  end)

  it("counts what the kernel drops for it", function()
    local process <close> = start_server(host, AT_PORT, 0)
    local watch <close> = assert(host:watch(PORT))
    local client <close> = assert(host:connect({ address = "127.0.0.1", port = PORT }, BOUND))
    assert.equal("TIMEOUT", (select(3, host:connect({ address = "127.0.0.1", port = PORT }, 0.05))))
    local peak = assert(watch:peak())
    assert.same({ 1, 0 }, { peak.depth, peak.limit })
    assert.is_true(peak.drops > 0)
    assert.is_truthy(client and process)
  end)

  it("is in the timeline for as long as it is watched", function()
    local process <close> = start_server(host, AT_PORT, 3) -- before the recording: nobody else looks for its listener
    local first = core.record(true)
    local watch = assert(host:watch(PORT, 0.001))
    local client <close> = assert(host:connect({ address = "127.0.0.1", port = PORT }, BOUND))
    assert(lunet.eventually(function()
      local found = queue_events(first)
      return #found > 0 and found[#found].depth == 1
    end, BOUND))
    watch:close()
    local seen = {}
    for i, e in ipairs(queue_events(first)) do seen[i] = { e.kind, e.label, e.local_port, e.depth, e.limit } end
    assert.same({ { "found", "server", PORT }, { "queue", "server", PORT, 0, 3 }, { "queue", "server", PORT, 1, 3 } },
      seen)
    local again <close> = assert(host:connect({ address = "127.0.0.1", port = PORT }, BOUND))
    lunet.note "Nobody watches."
    assert.equal(3, #queue_events(first))
    assert.is_truthy(process and client and again)
  end)

  it("is told with its drops", function()
    local run = told(function()
      local server = assert(lunet.host "app")
      local process <close> = start_server(server, AT_PORT, 0)
      local _watch <close> = assert(server:watch(PORT, 0.001))
      local _client <close> = assert(server:connect({ address = "127.0.0.1", port = PORT }, BOUND))
      assert.equal("TIMEOUT", (select(3, server:connect({ address = "127.0.0.1", port = PORT }, 0.05))))
      assert(process:kill())
    end)
    local words = {}
    for _, line in ipairs(run:rows()) do words[#words + 1] = timeline.words(line) end
    assert.match("1 waits to be accepted at 0.0.0.0:7300, [1-9]%d* dropped so far", table.concat(words, "\n"))
  end)

  it("keeps its place in the timeline if that has it already", function()
    local first = core.record(true)
    local listener <close> = assert(host:listen { backlog = 3 })
    local watch <close> = assert(host:watch(listener, 0.001))
    local also <close> = assert(host:watch((select(2, listener:address())), 0.001))
    local client <close> = assert(host:connect(listener, BOUND))
    assert(lunet.eventually(function() return assert(watch:peak()).depth == 1 end, BOUND))
    local seen = {}
    for i, e in ipairs(queue_events(first)) do seen[i] = { e.kind, e.depth } end
    assert.same({ { "queue", 0 }, { "queue", 1 } }, seen)
    assert.is_truthy(also and client)
  end)

  it("is the program's again when the watch ends", function()
    local first = core.record(true)
    local watch = assert(host:watch(PORT, 0.001))
    local process <close> = start_server(host, AT_PORT, 3)
    -- Meanwhile lunet looks many times for the program's listeners, too.
    assert(lunet.eventually(function() return assert(watch:peak()).looks > 100 end, BOUND))
    watch:close()
    assert(lunet.eventually(function()
      for _, e in ipairs(queue_events(first)) do
        if e.kind == "found" and e.label == "lunet" then return true end
      end
    end, BOUND))
    assert.is_truthy(process)
  end)

  it("may be that of a Unix listener", function()
    local process <close> = start_server(host, "address = 'unix:@lunet'", 3)
    local watch <close> = assert(host:watch("unix:@lunet", 0.001))
    local client <close> = assert(host:connect({ address = "unix:@lunet" }, BOUND))
    local peak = assert(watch:peak())
    assert.same({ 1, 3, 0 }, { peak.depth, peak.limit, peak.drops })
    assert.equal("watch unix:@lunet", tostring(watch))
    assert.is_truthy(process and client)
  end)

  it("is closed by its owner, its scope or its host", function()
    local watch = assert(host:watch(PORT))
    assert.equal("watch port 7300", tostring(watch))
    assert.is_true(watch:close())
    assert.is_true(watch:close())
    assert.equal("CLOSED", (select(3, watch:peak())))
    lunet.scope(function() watch = assert(host:watch(PORT)) end)
    assert.equal("CLOSED", (select(3, watch:peak())))
    watch = assert(host:watch(PORT))
    host:close()
    assert.equal("CLOSED", (select(3, watch:peak())))
  end)

  it("is none if lunet has no descriptor for its timer", function()
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    assert(file:write [[print(assert(require "lunet".host()):watch(80)) print(#require "lunet".open_handles())]])
    file:close()
    local result = strace.inject("timerfd_create", 2, "EMFILE", path) -- the first one is the loop's
    os.remove(path)
    assert.same({ 0, "nil\twatch: too many open files (EMFILE)\tEMFILE\n1\n" }, { result.status, result.output })
  end)

  it("is given by a listener of the host, a port or a path", function()
    local other <close> = assert(lunet.host "other")
    local elsewhere <close> = assert(other:listen { backlog = 1 })
    local closed = assert(host:listen { backlog = 1 })
    closed:close()
    for _, target in ipairs { 0, 65536, 1.5, "7300", "127.0.0.1:7300", "", {}, true, elsewhere, closed, host } do
      assert.has_error(function() host:watch(target) end)
    end
    assert.has_error(function() host:watch() end)
    for _, every in ipairs { 0, -1, 0 / 0, 1 / 0, "often" } do
      assert.has_error(function() host:watch(PORT, every) end)
    end
    assert.matches('watch: a listener, a port or "unix:/path" expected, not "80"',
      raised(function() host:watch "80" end), 1, true)
    assert.matches("watch: the listener is on another host", raised(function() host:watch(elsewhere) end), 1, true)
  end)
end)
