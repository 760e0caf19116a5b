-- connection:lines.
local lunet = require "lunet"
local code_of = require "spec.support.code_of"
local families = require "spec.support.families"
local pair = require "spec.support.pair"

local BOUND <const> = require "spec.support.bound"

setup(families.open)
teardown(families.close)

for _, family in ipairs(families) do
  describe("lines on " .. family.name, function()
    local near, far, listener

    before_each(function()
      near, far, listener = pair.open { address = family.address(), backlog = 5 }
    end)

    after_each(function() pair.close(near, far, listener) end)

    local function lines_of(...)
      local lines = {}
      for line in far:lines(...) do lines[#lines + 1] = line end
      return lines
    end

    it("gives every line up to the end, which ended() names", function()
      assert.is_false(far:ended())
      near:send "one\n\nthree\r\npart"
      near:close()
      assert.same({ "one", "", "three\r", "part" }, lines_of(BOUND))
      assert.equal("EOF", far:ended())
    end)

    it("ends when its time for one line is over, and can go on", function()
      near:send "one\ntw"
      assert.same({ "one" }, lines_of(0.01))
      assert.equal("TIMEOUT", far:ended())
      near:send "o\n"
      near:close()
      assert.same({ "two" }, lines_of(BOUND))
      assert.equal("EOF", far:ended())
    end)

    it("ends when this side closes", function()
      near:send "one\n"
      local task = lunet.spawn(lines_of)
      assert(lunet.eventually(function() return far:unread() == 0 end, BOUND))
      far:close()
      assert.same({ "one" }, select(2, assert(task:join(BOUND))))
      assert.equal("CLOSED", far:ended())
    end)

    it("makes ended() tell of the last receive alone", function()
      assert.equal("TIMEOUT", code_of(far:receive(nil, 0)))
      assert.equal("TIMEOUT", far:ended())
      near:send "one\n"
      assert.equal("one", far:receive("l", BOUND))
      assert.is_false(far:ended())
    end)
  end)
end
