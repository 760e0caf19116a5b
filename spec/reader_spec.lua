-- connection:receive in all its forms.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local families = require "spec.support.families"
local pair = require "spec.support.pair"

local BOUND <const> = require "spec.support.bound"

-- Compares long strings: assert.equal would print both in full.
local function assert_same_bytes(expected, data)
  assert.is_string(data)
  assert.equal(#expected, #data)
  assert.is_true(expected == data)
end

local every_byte = {}
for byte = 0, 255 do every_byte[#every_byte + 1] = string.char(byte) end
every_byte = table.concat(every_byte)

-- Its length is a prime: a piece of the noise that is missing, or comes twice, is not made up for by
-- the next one.
local noise_block = {}
for position = 1, 65521 do noise_block[position] = string.char(math.random(0, 255)) end
noise_block = table.concat(noise_block)

local function noise(length)
  return noise_block:rep(length // #noise_block + 1):sub(1, length)
end

local function sysctl(name)
  local file <close> = assert(io.open("/proc/sys/net/core/" .. name))
  return file:read "n"
end

setup(families.open)
teardown(families.close)

for _, family in ipairs(families) do
  describe("receive on " .. family.name, function()
    local near, far, listener

    before_each(function() -- with room for more than 64 KiB
      near, far, listener = pair.open { address = family.address(), backlog = 5, rcvbuf = 200000 }
    end)

    after_each(function() pair.close(near, far, listener) end)

    local function deliver(data) pair.deliver(near, far, data) end

    -- A task that receives, and has begun to wait when this returns.
    local function waiting(...)
      local task = lunet.spawn(far.receive, far, ...)
      lunet.sleep(0)
      return task
    end

    local function assert_unread(kernel, held)
      assert.same({ kernel, held }, { far:unread() })
    end

    it("gives what is there", function()
      deliver "hello\nworld"
      assert.equal("hello\nworld", far:receive(nil, BOUND))
      assert_unread(0, 0)
    end)

    it("gives what comes first when nothing is there", function()
      local task = waiting(nil, BOUND)
      near:send "hello"
      local _, data = assert(task:join(BOUND))
      assert.equal("hello", data)
    end)

    it("gives at most 64 KiB of what is there", function()
      local data = noise(80000)
      deliver(data)
      local first = far:receive()
      assert_same_bytes(data:sub(1, 65536), first)
      assert_unread(80000 - 65536, 0)
      assert_same_bytes(data:sub(65537), far:receive())
    end)

    -- Once it gave everything that a failed receive had taken, whatever its size.
    it("gives at most 64 KiB also of what is held", function()
      local data = noise(80000)
      deliver(data)
      assert.equal("TIMEOUT", code_of(far:receive(80001, 0)))
      assert_unread(0, 80000)
      assert_same_bytes(data:sub(1, 65536), far:receive())
      assert_unread(0, 80000 - 65536)
      assert_same_bytes(data:sub(65537), far:receive())
    end)

    it("takes exactly n bytes", function()
      deliver "abcdefghij"
      assert.equal("abc", far:receive(3))
      assert_unread(7, 0)
      assert.equal("d", far:receive(1))
      assert.equal("efghij", far:receive(6))
      assert_unread(0, 0)
    end)

    it("waits for the last of n bytes, and holds the first meanwhile", function()
      near:send "abc"
      local task = waiting(8, BOUND)
      assert(lunet.eventually(function() return select(2, far:unread()) == 3 end, BOUND))
      near:send "def"
      assert(lunet.eventually(function() return select(2, far:unread()) == 6 end, BOUND))
      near:send "ghijk"
      local _, data = assert(task:join(BOUND))
      assert.equal("abcdefgh", data)
      assert.equal("ijk", far:receive(3, BOUND))
    end)

    it("takes n bytes of any number", function()
      local data = noise(1000001)
      local sender = lunet.spawn(near.send, near, data .. "rest", BOUND)
      assert_same_bytes(data, far:receive(#data, BOUND))
      assert(sender:join(BOUND))
      assert.equal("rest", far:receive(4, BOUND))
    end)

    it("takes 0 bytes at once, whatever is there", function()
      assert.equal("", far:receive(0))
      deliver "a"
      assert.equal("", far:receive(0))
      assert_unread(1, 0)
      near:close()
      assert.equal("a", far:receive())
      assert.equal("", far:receive(0))
    end)

    it("takes a line, and leaves the next in the kernel", function()
      deliver "one\ntwo\n\nfour"
      assert.equal("one", far:receive "l")
      assert_unread(9, 0)
      assert.equal("two\n", far:receive "L")
      assert_unread(5, 0)
      assert.equal("", far:receive "l")
      assert_unread(4, 0)
      near:close()
      assert.equal("four", far:receive("l", BOUND))
    end)

    it("takes nothing but the newline away from a line", function()
      deliver "carriage return\r\n\0zero\0\n\n"
      assert.equal("carriage return\r", far:receive "l")
      assert.equal("\0zero\0", far:receive "l")
      assert.equal("\n", far:receive "L")
    end)

    it("gives every byte unchanged, in every form", function()
      local before, after = every_byte:match "^(.-\n)(.*)$"
      deliver(every_byte:rep(4))
      assert.equal(every_byte, far:receive(256))
      assert.equal(before, far:receive "L")
      assert.equal(after, far:receive(#after))
      assert.equal(before:sub(1, -2), far:receive "l")
      near:close()
      assert_same_bytes(after .. every_byte, far:receive("a", BOUND))
    end)

    -- 4096 bytes are peeked at first, and 65536 at most.
    for _, around in ipairs { 4096, 8192, 65536, 69632, 131072 } do
      it(("takes lines of about %d bytes whole, and nothing after them"):format(around), function()
        for length = around - 2, around + 1 do
          local line = noise(length):gsub("\n", " ")
          local sender = lunet.spawn(near.send, near, line .. "\nrest", BOUND)
          assert_same_bytes(line, far:receive("l", BOUND))
          assert(sender:join(BOUND))
          assert(lunet.eventually(function() return far:unread() == 4 end, BOUND))
          assert_unread(4, 0)
          assert.equal("rest", far:receive(4))
        end
      end)
    end

    it("puts a line together that comes byte by byte", function()
      local task = waiting("L", BOUND)
      for length = 1, 4 do
        near:send(("slow"):sub(length, length))
        assert(lunet.eventually(function() return select(2, far:unread()) == length end, BOUND))
      end
      near:send "\n"
      local _, line = assert(task:join(BOUND))
      assert.equal("slow\n", line)
    end)

    it("keeps the part of a line that came in time", function()
      deliver "par"
      assert.equal("TIMEOUT", code_of(far:receive("l", 0)))
      assert_unread(0, 3)
      deliver "ti"
      assert.equal("TIMEOUT", code_of(far:receive("l", 0.001)))
      assert_unread(0, 5)
      deliver "al\nnext\n"
      assert.equal("partial", far:receive "l")
      assert_unread(5, 0)
      assert.equal("next", far:receive "l")
    end)

    it("keeps what it took for n bytes or for all, for whatever is asked next", function()
      deliver "ab"
      assert.equal("TIMEOUT", code_of(far:receive(10, 0)))
      assert_unread(0, 2)
      deliver "cd\nef\nghi"
      assert.equal("TIMEOUT", code_of(far:receive("a", 0)))
      assert_unread(0, 11)
      assert.equal("abcd", far:receive "l")
      assert.equal("ef\n", far:receive "L")
      assert_unread(0, 3)
      assert.equal("g", far:receive(1))
      deliver "jkl"
      assert.equal("hi", far:receive()) -- what is held, before what is not
      assert.equal("jkl", far:receive())
    end)

    it("takes only what it lacks behind what is held", function()
      deliver "abc"
      assert.equal("TIMEOUT", code_of(far:receive(5, 0)))
      deliver "defg"
      assert.equal("abcde", far:receive(5))
      assert_unread(2, 0)
    end)

    it("gives the last partial line at the end, then EOF", function()
      near:send "whole\npart"
      near:close()
      assert.equal("whole", far:receive("l", BOUND))
      assert.equal("part", far:receive("l", BOUND))
      for _ = 1, 2 do
        local line, message, code = far:receive("l", BOUND)
        assert.is_nil(line)
        assert.matches("receive: the peer has ended its side", message)
        assert.equal("EOF", code)
      end
    end)

    it("gives the last partial line without a newline that was not there", function()
      near:send "part"
      near:close()
      assert.equal("part", far:receive("L", BOUND))
      assert.equal("EOF", code_of(far:receive("L", BOUND)))
    end)

    it("answers EOF to n bytes when fewer are left, and holds those", function()
      near:send "abc"
      near:close()
      assert.equal("EOF", code_of(far:receive(4, BOUND)))
      assert_unread(0, 3)
      assert.equal("EOF", code_of(far:receive(4, BOUND)))
      assert.equal("abc", far:receive(nil, BOUND))
      assert.equal("EOF", code_of(far:receive(nil, BOUND)))
      assert.equal("EOF", code_of(far:receive(1, BOUND)))
    end)

    it("takes all up to the end, and nothing again and again after that", function()
      local data = noise(1000001)
      local sender = lunet.spawn(function()
        near:send(data)
        near:close()
      end)
      assert_same_bytes(data, far:receive("a", BOUND))
      assert.equal("", far:receive("a", BOUND))
      assert.equal("", far:receive("a", BOUND))
      assert(sender:join(BOUND))
    end)

    it("answers EOF to an end that comes while it waits", function()
      local task = waiting("l", BOUND)
      near:close()
      local _, line, _, code = assert(task:join(BOUND))
      assert.is_nil(line)
      assert.equal("EOF", code)
    end)

    it("answers TIMEOUT to a poll, and to a wait when its time is over, not before", function()
      for _, what in ipairs { "l", "L", "a", 1 } do
        assert.equal("TIMEOUT", code_of(far:receive(what, 0)))
      end
      local started = lunet.now()
      local data, message, code = far:receive(nil, 0.01)
      assert.is_true(lunet.now() - started >= 0.01)
      assert.is_nil(data)
      assert.matches("receive: the deadline passed", message)
      assert.equal("TIMEOUT", code)
      assert.equal("TIMEOUT", code_of(far:receive("l", 1e-9)))
      deliver "a\n"
      assert.equal("a", far:receive("l", 0))
    end)

    it("answers CLOSED to every task that waits when its own side closes", function()
      local tasks = { waiting "l", waiting(10), waiting() }
      assert.is_true(far:close())
      for _, task in ipairs(tasks) do
        local _, data, _, code = assert(task:join(BOUND))
        assert.is_nil(data)
        assert.equal("CLOSED", code)
      end
    end)

    it("serves tasks in the order of their asking, each whole", function()
      local tasks = { waiting(3, BOUND), waiting("l", BOUND), waiting(nil, BOUND), waiting("a", BOUND) }
      near:send "abcli"
      assert.equal("abc", select(2, assert(tasks[1]:join(BOUND))))
      near:send "ne\nx"
      assert.equal("line", select(2, assert(tasks[2]:join(BOUND))))
      assert.equal("x", select(2, assert(tasks[3]:join(BOUND))))
      near:send "the rest"
      near:close()
      assert.equal("the rest", select(2, assert(tasks[4]:join(BOUND))))
    end)

    it("does not overtake a task that waits", function()
      local task = waiting(3, BOUND)
      near:send "ab"
      assert(lunet.eventually(function() return select(2, far:unread()) == 2 end, BOUND))
      assert.equal("TIMEOUT", code_of(far:receive(1, 0)))
      near:send "cd"
      assert.equal("d", far:receive(1, BOUND))
      local _, data = assert(task:join(BOUND))
      assert.equal("abc", data)
    end)

    -- A receive that gave up had taken bytes for which the next one in line then waited in vain: the
    -- kernel had announced them once, and they were no longer there.
    it("hands what it took to the task behind it when it gives up", function()
      local first = lunet.spawn(far.receive, far, 100, 0.02)
      local second = lunet.spawn(far.receive, far, "l", BOUND)
      local third = lunet.spawn(far.receive, far, nil, BOUND)
      near:send "line\nmore"
      assert.equal("TIMEOUT", select(4, first:join(BOUND)))
      assert.equal("line", select(2, assert(second:join(BOUND))))
      assert.equal("more", select(2, assert(third:join(BOUND))))
    end)

    it("hands what it took to the task behind it when it is canceled", function()
      local first, second = waiting(100), waiting("l", BOUND)
      near:send "line\n"
      assert(lunet.eventually(function() return select(2, far:unread()) == 5 end, BOUND))
      first:cancel()
      assert.equal("line", select(2, assert(second:join(BOUND))))
      assert.equal("CANCELED", code_of(first:join(BOUND)))
    end)

    -- Once the reader looked through 256 pieces of 4096 bytes before others got their turn. A poll then answered
    -- that a longer line was not there.
    it("finds by a poll a line that is all there, however long", function()
      local most = math.min(3000000, sysctl "rmem_max", sysctl "wmem_max")
      local line = ("x"):rep(most // 2)
      local sender, reader, third =
        pair.open({ address = family.address(), backlog = 5, rcvbuf = most }, { sndbuf = most })
      local _sender <close> = sender
      local _reader <close> = reader
      local _third <close> = third
      assert(sender:send(line .. "\n", BOUND))
      assert(lunet.eventually(function() return reader:unread() == #line + 1 end, BOUND))
      assert_same_bytes(line, reader:receive("l", 0))
    end)
  end)
end
