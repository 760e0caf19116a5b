local lunet = require "lunet"
local json = require "lunet.text.json"
local nobody = require "lunet.peer.nobody"
local owners = require "lunet.queues.owners"
local schema = require "spec.support.schema"
local scratch = require "lunet.peer.scratch"

local MPTCP <const> = [[
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
if sys.argv[1] == "server":
    s.bind(("127.0.0.1", 7300))
    s.listen(5)
else:
    s.connect(("127.0.0.1", 7300))
print("up", flush=True)
sys.stdin.read()
]]

local BOUND <const> = require "spec.support.bound"

describe("lunet queues", function()
  local host
  before_each(function() host = assert(lunet.host "server") end)
  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  local function queues(...)
    local process <close> = assert(host:exec { os.getenv "LUNET", "queues", stderr = "keep", ... })
    local output, errors = process.stdout:receive("a", BOUND), process.stderr:receive("a", BOUND)
    return process:wait(BOUND), output, errors
  end

  local function fill()
    local listener = assert(host:listen { address = "127.0.0.1", port = 7300, backlog = 3 })
    assert(host:listen { address = "127.0.0.1", port = 7400, backlog = 3 })
    assert(host:listen { address = "unix:@lunet", backlog = 3 })
    local clients = {}
    for i = 1, 4 do
      clients[i] = assert(host:connect(listener, BOUND))
      assert(clients[i]:send "hello")
    end
    clients[1]:close()
    clients[2]:reset()
    local there = { local_port = 7300, state = "ESTABLISHED" }
    assert(lunet.eventually(function() return #host:sockets(there) == 2 end, BOUND))
  end

  it("shows each queue, and what that means", function()
    fill()
    local status, output = queues()
    assert.equal(0, status)
    assert.matches("\n127%.0%.0%.1:7300 +%? +4 +3 +0 +1 +1 +15 +%d[%d.]* +0 +4\n", output)
    assert.matches("\n127.0.0.1:7400 ", output, 1, true)
    assert.matches("\n1 Unix listeners with empty queues are not shown", output, 1, true)
    assert.matches("\n2 of 4 clients in the queue of :7300 have gone (1 by FIN, 1 by RST); ", output, 1, true)
    assert.matches("The queue of :7300 is full: its limit is 3.", output, 1, true)
  end)

  it("prints JSON by its schema", function()
    fill()
    local place <close> = scratch.open()
    local status, output = queues "--json"
    assert.equal(0, status)
    local complaints = schema("queues.schema.json", place:write("out.json", output), true)
    assert.same({ 0, "", "" }, { complaints.status, complaints.output, complaints.errors })
    local whole = json.decode(output)
    assert.equal(3, #whole.listeners)
    assert.same({ 1, 1, 15 }, { whole.listeners[1].left_by_fin, whole.listeners[1].left_by_reset,
      whole.listeners[1].bytes })
    assert.same({ "127.0.0.1:7300", 2, 2, 10 }, { whole.clients[1].address, whole.clients[1].waiting,
      whole.clients[1].queued, whole.clients[1].bytes })
  end)

  it("shows only one port, or one program", function()
    fill()
    local _, output = queues("--json", "--port", "7400")
    local whole = json.decode(output)
    assert.same({ 1, 7400, 0 }, { #whole.listeners, whole.listeners[1].port, #whole.clients })
    _, output = queues("--json", "--program", "nobody-is-called-so")
    assert.same({ 0, 0 }, { #json.decode(output).listeners, #json.decode(output).clients })
  end)

  -- Linux 6.18 tells it everybody, older kernels only root.
  it("sees who has left a queue by MPTCP, or does not know it", function()
    if not io.open "/proc/sys/net/mptcp/enabled" or not owners.sees_all() then return end
    local servers = { host:exec { "python3", "-c", MPTCP, "server", stdin = "pipe" } }
    assert.equal("up", servers[1].stdout:receive("l", BOUND))
    servers[2] = assert(host:exec { "python3", "-c", MPTCP, "client", stdin = "pipe" })
    assert.equal("up", servers[2].stdout:receive("l", BOUND))
    servers[2].stdin:close()
    assert(lunet.eventually(function() return #host:sockets { state = "CLOSE_WAIT" } == 1 end, BOUND))
    local as_root = json.decode(select(2, queues "--json")).listeners[1]
    assert.same({ true, 1 }, { as_root.mptcp, as_root.left_by_fin })
    local process <close> = assert(host:exec(nobody.words { os.getenv "LUNET", "queues", "--json" }))
    local as_nobody = json.decode(process.stdout:receive("a", BOUND)).listeners[1]
    assert.same({ true, 1 }, { as_nobody.mptcp, as_nobody.depth })
    assert.is_true(as_nobody.left_by_fin == nil or as_nobody.left_by_fin == 1)
  end)

  it("looks again, keeps what changed, and writes for Prometheus", function()
    fill()
    local place <close> = scratch.open()
    local status, output, errors = queues("--watch", "0.1", "--looks", "3", "--json", "--log", place.path .. "/log",
      "--prometheus", place.path .. "/prom")
    assert.same({ 0, "" }, { status, errors })
    local lines = 0
    for line in output:gmatch "[^\n]+" do
      lines = lines + 1
      assert.equal(lines == 1 and json.null or 0, json.decode(line).listeners[1].drops_per_second or json.null)
    end
    assert.equal(3, lines)
    local _, changes = io.open(place.path .. "/log"):read "a":gsub('"what":"new"', "")
    assert.equal(3, changes)
    assert.matches("\nlunet_queue_left_by_reset{[^\n]+} 1\n", (io.open(place.path .. "/prom"):read "a"))
  end)

  it("ends its watch without a word at Ctrl-C", function()
    local process <close> = assert(host:exec { os.getenv "LUNET", "queues", "--watch", "0.1", stderr = "keep" })
    for _ = 1, 3 do
      assert.matches("^%d+%-", (process.stdout:receive("l", BOUND)))
      assert.equal("Nobody listens here.", process.stdout:receive("l", BOUND))
      assert.equal("", process.stdout:receive("l", BOUND))
    end
    assert(process:kill "SIGINT")
    assert.same({ 130, "" }, { process:wait(BOUND), process.stderr:receive("a", BOUND) })
  end)

  it("explains its numbers", function()
    local status, output = queues "--explain"
    assert.equal(0, status)
    assert.matches("\n  left_by_reset\n", output, 1, true)
  end)

  for name, wrong in pairs {
    ["no number"] = { "--port", "http", "option '--port' must be a whole number from 1 to 65535, not 'http'" },
    ["no port"] = { "--port", "65536", "option '--port' must be a whole number from 1 to 65535, not '65536'" },
    ["looks without an end"] = { "--looks", "3", "--looks needs --watch" },
    ["a log of one look"] = { "--log", "x", "--log needs --watch" },
    ["looks too often"] = { "--watch", "0.01", "option '--watch' must be a number of seconds from 0.1 to 86400" },
    ["no looks"] = { "--looks", "0", "option '--looks' must be a whole number from 1 on, not '0'" },
    ["no size"] = { "--log-size", "big", "option '--log-size' must be a number of MiB" },
    ["an unknown option"] = { "--ports", "80", "unknown option '--ports'" },
  } do
    it("refuses " .. name, function()
      local status, output, errors = queues(wrong[1], wrong[2])
      assert.same({ 2, "" }, { status, output })
      assert.matches("lunet: queues: " .. wrong[3], errors, 1, true)
      assert.matches("(known: --help, ", errors, 1, true)
    end)
  end
end)
