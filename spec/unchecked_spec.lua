-- Each look at the kernel can fail: the process may have no descriptor or no memory left. A script that uses the
-- result at once then says "attempt to index a nil value" and not what failed.

local tree = require "spec.support.tree"

-- The calls and how their result is used without a check. %b() is the call's arguments.
local UNCHECKED <const> = {
  "([%w_.%]]+:counters%b())", -- the result is subtracted or indexed later, if not here
  "([%w_.%]]+:queue%b())[.%[]",
  "([%w_.%]]+:sockets%b())[.%[]",
  "([%w_.%]]+:info%b())[.%[]",
}

-- The lines of a script that use a result without assert.
local function unchecked(name, text)
  local found, number = {}, 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    local code = line:gsub("%-%-.*", ""):gsub("^function .*", ""):gsub("assert%b()", "")
    for _, pattern in ipairs(UNCHECKED) do
      local call = code:match(pattern)
      if call then found[#found + 1] = ("%s:%d: %s"):format(name, number, call) end
    end
  end
  return found
end

describe("a look at the kernel that fails", function()
  it("is told with its error by every script of the repository", function()
    local count = 0
    local paths = tree.files("experiments", "%.lua$")
    table.move(tree.files("lua/lunet", "%.lua$"), 1, 1000, #paths + 1, paths)
    for _, name in ipairs(paths) do
      local file <close> = assert(io.open(name))
      assert.same({}, unchecked(name, file:read "a"))
      count = count + 1
    end
    assert.is_true(count > 40)
  end)

  it("is found in a script that uses the result at once", function()
    local text = [[
      local moved = host:counters() - before
      local checked = assert(host:counters()) - before
      return place.listener:queue().depth
      local first = host:sockets({ state = "LISTEN" })[1]
      local list = host:sockets { state = "LISTEN" }
      for _, socket in ipairs(assert(host:sockets(filter(1)))) do count(socket) end
    ]]
    assert.same({ "x:1: host:counters()", "x:3: place.listener:queue()", 'x:4: host:sockets({ state = "LISTEN" })' },
      unchecked("x", text))
  end)
end)
