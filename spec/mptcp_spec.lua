-- Connections by MPTCP, as servers and clients in Go make them: their TCP socket says ESTABLISHED and empty, whatever
-- has come, and whether or not the client is there.
local lunet = require "lunet"
local eventually = require "spec.support.eventually"
local recording = require "lunet.recording.recording"
local run_of = require("lunet.run.run").of

local BOUND <const> = require "spec.support.bound"

-- Listens by a family (2 or 10) and an address; then at each line accepts one and prints what it reads first.
local SERVER = [[
import socket, sys
s = socket.socket(int(sys.argv[1]), socket.SOCK_STREAM, 262)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[2], 7000))
s.listen(5)
held = []
for line in sys.stdin:
    connection, address = s.accept()
    held.append(connection)
    print(connection.recv(100).decode(), flush=True)
]]

-- Connects, sends its second argument, and leaves at the end of its input.
local CLIENT = [[
import socket, sys
s = socket.socket(int(sys.argv[1]), socket.SOCK_STREAM, int(sys.argv[4]))
s.connect((sys.argv[2], 7000))
if sys.argv[3]: s.send(sys.argv[3].encode())
print(s.getsockname()[1], flush=True)
sys.stdin.read()
]]

local function has_mptcp()
  local file = io.open "/proc/sys/net/mptcp/enabled"
  if file then file:close() end
  return file ~= nil
end

for name, family in pairs { IPv4 = { "2", "0.0.0.0", "ipv4" }, IPv6 = { "10", "::", "ipv6" } } do
  describe("a connection by MPTCP on " .. name, function()
    if not has_mptcp() then return end
    local server, client, link, program

    before_each(function()
      server, client = assert(lunet.host "server"), assert(lunet.host "client")
      link = lunet.link(server, client)
      program = assert(server:exec { "python3", "-c", SERVER, family[1], family[2], stdin = "pipe" })
      eventually(function() return #server:sockets { state = "LISTEN" } == 1 end)
    end)

    after_each(function()
      server:close()
      client:close()
      assert.same({}, lunet.open_handles())
    end)

    -- Returns the program and the port of a client, once all that it sent has come.
    local function connect(text, protocol)
      local process = assert(client:exec { "python3", "-c", CLIENT, family[1], link:address(server, family[3]), text,
        protocol or "262", stdin = "pipe" })
      local port = math.tointeger(process.stdout:receive("l", BOUND))
      local function has_come()
        local socket = server:sockets({ peer_port = port })[1]
        return socket and socket.receive_queue >= #text
      end
      eventually(has_come)
      return process, port
    end

    local function find(port) return server:sockets({ peer_port = port })[1] end

    it("shows in the queue what has come, as TCP does", function()
      local _, port = connect "hello"
      local socket = find(port)
      assert.same({ "ESTABLISHED", 5, 0, false, false, true },
        { socket.state, socket.receive_queue, socket.send_queue, socket.fin, socket.owned, socket.mptcp })
      assert.is_nil(socket.info)
      assert.is_number(server:sockets({ peer_port = port, info = true })[1].info.tcpi_rtt)
    end)

    it("shows in the queue a client that has left, and is found by that", function()
      local process, port = connect "hello"
      process.stdin:close()
      eventually(function() return find(port).fin end)
      local socket = find(port)
      assert.same({ "CLOSE_WAIT", 6, false }, { socket.state, socket.receive_queue, socket.owned })
      assert.equal(1, #server:sockets { state = "CLOSE_WAIT", owned = false })
      assert.equal(0, #server:sockets { state = "ESTABLISHED" })
    end)

    it("shows one that sent nothing and left", function()
      local process, port = connect ""
      assert.equal(0, find(port).receive_queue)
      process.stdin:close()
      eventually(function() return find(port).fin end)
      assert.equal(1, find(port).receive_queue)
    end)

    it("shows an accepted one as the program's, with nothing unread", function()
      local process, port = connect "hello"
      process.stdin:close()
      eventually(function() return find(port).fin end)
      assert(program.stdin:send "accept\n")
      assert.equal("hello", program.stdout:receive("l", BOUND))
      eventually(function() return find(port).receive_queue == 0 end)
      local socket = find(port)
      assert.same({ "CLOSE_WAIT", true, true }, { socket.state, socket.owned, socket.mptcp })
    end)

    it("is told apart from those by TCP at the same listener", function()
      local _, plain = connect("hi", "6")
      local _, port = connect "hello"
      assert.same({ true }, { find(port).mptcp, find(plain).mptcp })
      assert.same({ 2, 5 }, { find(plain).receive_queue, find(port).receive_queue })
      local listening = server:sockets({ state = "LISTEN" })[1]
      assert.same({ true, 2 }, { listening.mptcp, listening.queue.depth })
    end)

    it("is in the timeline as what it is", function()
      local recorder <close> = recording.start "kernel"
      local process, port = connect "hello"
      process.stdin:close()
      eventually(function() return find(port).fin end)
      lunet.note "It has left."
      local last
      for _, line in ipairs(run_of({ events = recorder:peek() }):rows()) do
        if line.is_kernel and line.what:find "unaccepted" then last = line.what end
      end
      assert.matches("unaccepted: CLOSE_WAIT, 5 bytes unread", last)
    end)
  end)
end
