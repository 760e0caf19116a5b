local identity = require "lunet.sweep.identity"
local scratch = require "lunet.peer.scratch"

describe("a hash", function()
  it("is the same for the same text, and another for any change of it", function()
    local text = ("local lunet = require 'lunet'\n"):rep(20)
    local hash, seen = identity.hash(text), {}
    assert.matches("^%x+$", hash)
    assert.equal(16, #hash)
    assert.equal(hash, identity.hash(text))
    for i = 1, #text do
      local before, behind = text:sub(1, i - 1), text:sub(i + 1)
      for _, changed in ipairs { before .. "~" .. behind, before .. behind } do
        if not seen[changed] then
          assert.is_nil(seen[identity.hash(changed)])
          assert.not_equal(hash, identity.hash(changed))
          seen[changed], seen[identity.hash(changed)] = true, true
        end
      end
    end
  end)

  it("tells zero bytes at the end from none", function()
    assert.not_equal(identity.hash "", identity.hash "\0")
    assert.not_equal(identity.hash "a", identity.hash "a\0\0")
  end)
end)

describe("the identity of runs", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  it("has the script, its modules, lunet and the kernel", function()
    local files = { script = place:write("a.lua", "return 1"), ["module b"] = place:write("b.lua", "return 2") }
    local one = identity.of(files)
    assert.matches("^Linux %d", one.kernel)
    assert.matches("^%d.* %(%x+%)$", one.lunet)
    assert.same({ identity.hash "return 1", identity.hash "return 2" }, { one.script, one["module b"] })
    assert.is_nil(identity.difference(one, identity.of(files)))
  end)

  it("differs, in words, when a file of it has changed, has come or has gone", function()
    local path = place:write("a.lua", "return 1")
    local before = identity.of { script = path }
    place:write("a.lua", "return 2")
    local now = identity.of { script = path }
    assert.equal(("script was %s, and is %s"):format(before.script, now.script), identity.difference(before, now))
    local more = identity.of { script = path, ["module b"] = path }
    assert.equal(("module b was not there, and is %s"):format(now.script), identity.difference(now, more))
    assert.equal(("module b was %s, and is not there"):format(now.script), identity.difference(more, now))
  end)
end)
