-- connection:receive when an error ends the stream: the bytes came before the error, so it returns them first. Once
-- every form except the plain one returned the error before them, and then "a" ended as if nothing were missing.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"
local pair = require "spec.support.pair"
local workload = require "lunet.load.workload"

local BOUND <const> = require "spec.support.bound"

local FORMS = {
  { name = "what is there" },
  { name = "a line", what = "l" },
  { name = "a line with its newline", what = "L" },
  { name = "more bytes than came", what = 100 },
  { name = "all", what = "a" },
}

-- The rows that repeated receives make: {data or false, code or false}.
local function receive_all(connection, what)
  local rows = {}
  for i = 1, 4 do
    local data, _, code = connection:receive(what, BOUND)
    rows[i] = { data or false, code or false }
  end
  return rows
end

local function cut_by(code)
  return { { "part", code }, { false, code }, { false, "EOF" }, { false, "EOF" } }
end

-- The plain form takes what is there and cannot know that an error follows.
local function assert_cut(connection, form, code)
  local rows = receive_all(connection, form.what)
  if not form.what then rows[1][2] = code end
  assert.same(cut_by(code), rows)
end

setup(families.open)
teardown(families.close)

-- Ends the stream that `near` reads by an error. A Unix peer that closes with unread bytes is one that has reset
-- (net/unix/af_unix.c, unix_release_sock).
local function break_off(family, near, far)
  if family.is_tcp then
    far:reset()
  else
    assert(near:send "never read")
    far:close()
  end
  eventually(function() return near:liveness() == "reset" end)
end

local function cut(family, near, far)
  assert(far:send "part")
  break_off(family, near, far)
end

for _, family in ipairs { families[1], families[2], families[3] } do
  describe("a stream that a reset has cut, on " .. family.name, function()
    local near, far, listener

    before_each(function() near, far, listener = pair.open { address = family.address(), backlog = 5 } end)

    after_each(function() pair.close(near, far, listener) end)

    for _, form in ipairs(FORMS) do
      it("gives its bytes, then the error once, then EOF, to who asks for " .. form.name, function()
        cut(family, near, far)
        assert_cut(near, form, "ECONNRESET")
        assert.equal("EOF", near:ended())
      end)

      it("ends likewise a receive that waits for " .. form.name, function()
        if not form.what then return end -- that has its bytes before
        local task = lunet.spawn(near.receive, near, form.what, BOUND)
        assert(far:send "pa")
        eventually(function() return select(2, near:unread()) == 2 end)
        assert(far:send "rt")
        eventually(function() return select(2, near:unread()) == 4 end)
        break_off(family, near, far)
        local _, data, message, code = assert(task:join(BOUND))
        assert.same({ "part", "ECONNRESET" }, { data, code })
        assert.matches("receive: connection reset by peer", message)
        assert.equal("ECONNRESET", near:ended())
        assert.equal("ECONNRESET", code_of(near:receive(form.what, BOUND)))
        assert.equal("EOF", code_of(near:receive(form.what, BOUND)))
      end)

      it("fails at once with the error where nothing came, for " .. form.name, function()
        break_off(family, near, far)
        assert.equal("ECONNRESET", code_of(near:receive(form.what, BOUND)))
        assert.equal("EOF", code_of(near:receive(form.what, BOUND)))
      end)

      it("keeps for later what a receive had taken when its time was over, for " .. form.name, function()
        assert(far:send "pa")
        eventually(function() return near:unread() == 2 end)
        assert.equal("TIMEOUT", code_of(near:receive(100, 0)))
        assert.same({ 0, 2 }, { near:unread() })
        assert(far:send "rt")
        eventually(function() return near:unread() == 2 end)
        break_off(family, near, far)
        local data = assert(near:receive(form.what, BOUND))
        if not form.what then data = data .. assert(near:receive(nil, BOUND)) end
        assert.equal("part", data)
        assert.equal("ECONNRESET", code_of(near:receive(form.what, BOUND)))
        assert.equal("EOF", code_of(near:receive(form.what, BOUND)))
      end)
    end

    it("gives what is whole without a mark", function()
      assert(far:send "line\nfour")
      eventually(function() return near:unread() == 9 end)
      break_off(family, near, far)
      assert.same({ "line" }, { near:receive("l", BOUND) })
      assert.same({ "four" }, { near:receive(4, BOUND) })
      assert.equal("", near:receive(0, BOUND)) -- no bytes are there, whatever has happened
      assert.equal("ECONNRESET", code_of(near:receive(1, BOUND)))
      assert.equal("EOF", code_of(near:receive(1, BOUND)))
    end)

    it("tells one of several receives that wait, and the others the end", function()
      local tasks = {}
      for i, what in ipairs { "a", "l", "a" } do tasks[i] = lunet.spawn(near.receive, near, what, BOUND) end
      assert(far:send "part")
      eventually(function() return select(2, near:unread()) == 4 end)
      break_off(family, near, far)
      local ends = {}
      for i, task in ipairs(tasks) do
        local _, data, _, code = assert(task:join(BOUND))
        ends[i] = { data or false, code }
      end
      assert.same({ { "part", "ECONNRESET" }, { false, "ECONNRESET" }, { false, "EOF" } }, ends)
    end)

    it("gives the cut line to an iteration of lines, marked, and ends it", function()
      assert(far:send "one\n")
      cut(family, near, far)
      local lines = {}
      for line, _, code in near:lines(BOUND) do lines[#lines + 1] = { line, code } end
      assert.same({ { "one" }, { "part", "ECONNRESET" } }, lines)
      assert.equal("ECONNRESET", near:ended())
    end)
  end)
end

describe("a stream whose reset a send was told", function()
  local near, far, listener

  before_each(function()
    near, far, listener = pair.open()
    cut(families[1], near, far)
    assert.equal("ECONNRESET", code_of(near:send "x"))
  end)

  after_each(function()
    near:close()
    listener:close()
    assert.same({}, lunet.open_handles())
  end)

  -- The kernel tells an error once, to whoever asks first.
  for _, form in ipairs(FORMS) do
    it("still marks as cut what it gives to who asks for " .. form.name, function()
      local rows = receive_all(near, form.what)
      if not form.what then rows[1][2] = "ECONNRESET" end
      assert.same({ { "part", "ECONNRESET" }, { false, "EOF" }, { false, "EOF" }, { false, "EOF" } }, rows)
      assert.equal("reset", near:liveness())
    end)
  end

  it("says EPIPE to the next send", function() assert.equal("EPIPE", code_of(near:send "x")) end)
end)

describe("a stream behind the peer's FIN", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("is whole, though an RST follows", function()
    local near, far, listener = pair.open()
    assert(far:send "whole")
    far:close()
    eventually(function() return near:liveness() == "fin" end)
    assert(near:send "answered by RST")
    eventually(function() return near:liveness() == "reset" end)
    assert.equal("EPIPE", code_of(near:send "x"))
    assert.same({ "whole" }, { near:receive("a", BOUND) })
    assert.same({ "" }, { near:receive("a", BOUND) })
    near:close()
    listener:close()
  end)
end)

describe("a stream that the kernel gives up", function()
  local server, client, near, listener

  before_each(function()
    server, client = assert(lunet.host "server"), assert(lunet.host "client")
    lunet.link(server, client)
    listener = assert(server:listen { port = 7000, backlog = 5 })
    near = assert(client:connect({ listener, user_timeout = 0.1 }, BOUND))
    local far = assert(listener:accept(BOUND))
    assert(far:send "part")
    eventually(function() return near:unread() == 4 end)
  end)

  after_each(function()
    server:close()
    client:close()
    assert.same({}, lunet.open_handles())
  end)

  -- tcp(7), TCP_USER_TIMEOUT; the last ICMP error, if there was one, says why (net/ipv4/tcp_timer.c, tcp_write_err).
  for _, case in ipairs { { code = "ETIMEDOUT" }, { code = "EHOSTUNREACH", reject = "host-unreachable" } } do
    for _, form in ipairs(FORMS) do
      it(("gives its bytes before %s, to who asks for %s"):format(case.code, form.name), function()
        local _rule <close> = assert(server:drop { to_port = 7000, reject = case.reject })
        assert(near:send "never acknowledged")
        eventually(function() return near:state() == "CLOSE" end)
        assert_cut(near, form, case.code)
      end)
    end
  end
end)

-- A cut line may look like a whole one: "12 0.00" of "12 0.005".
describe("clients and servers of the library", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("take a request that a reset has cut for none", function()
    local near, far, listener = pair.open()
    assert(far:send "12 0.00")
    break_off(families[1], near, far)
    assert.equal("ECONNRESET", code_of(workload.serve(near)))
    for _, handle in ipairs { near, listener } do handle:close() end
  end)

  it("take a reply that a reset has cut for none", function()
    local host <close> = assert(lunet.host())
    local listener = assert(host:listen { backlog = 5 })
    local server = lunet.spawn(function()
      local connection = assert(listener:accept(BOUND))
      assert(connection:receive("l", BOUND))
      assert(connection:send "done 1")
      connection:reset()
    end)
    local request = { number = 1, at = 0, service = 0, attempts = 0, jitter = { 0 } }
    assert.is_false(workload.clients({ host = host, target = listener, patience = BOUND }):send(request))
    assert(server:join(BOUND))
    assert.equal("ECONNRESET", request.code)
  end)
end)
