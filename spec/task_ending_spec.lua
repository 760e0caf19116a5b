-- How a program with tasks ends: every case starts a real process.
local program = require "spec.support.program"

describe("a program", function()
  local prelude = [[
local lunet = require "lunet"
local function closing(name) return setmetatable({}, { __close = function() print(name) end }) end
]]

  it("ends with status 1 and says where the failed task was spawned", function()
    local result = program.lunet [[
local lunet = require "lunet"
local function fail()
  error "boom"
end
lunet.spawn(fail)
lunet.sleep(10)
]]
    assert.equal(1, result.status)
    assert.matches("^lunet: [^\n]*:3: boom\n", result.errors)
    assert.is_truthy(result.errors:find("task spawned at " .. result.script .. ":5\n", 1, true))
    assert.is_truthy(result.errors:find(result.script .. ":6: in main chunk", 1, true))
  end)

  it("names every task that an error came through, the innermost first", function()
    local result = program.lunet [[
local lunet = require "lunet"
lunet.spawn(function()
  lunet.spawn(function()
    lunet.spawn(function() error "boom" end)
    lunet.sleep(10)
  end)
  lunet.sleep(10)
end)
lunet.sleep(10)
]]
    assert.equal(1, result.status)
    local lines = {}
    for line in result.errors:gmatch "task spawned at [^\n]*:(%d+)\n" do lines[#lines + 1] = line end
    assert.same({ "4", "3", "2" }, lines)
  end)

  it("fails with the error of a task that nobody waited for", function()
    local result = program.lunet(prelude .. "lunet.spawn(function() error 'boom' end)\nprint 'over'\n")
    assert.equal(1, result.status)
    assert.equal("over\n", result.output)
    assert.matches(":3: boom\n.*task spawned at [^\n]*:3", result.errors)
  end)

  it("tells an error value that is no text by its type", function()
    local result = program.lunet(prelude .. "lunet.spawn(function() error {} end)\n")
    assert.equal(1, result.status)
    assert.matches("^lunet: %(error object is a table value%)\n", result.errors)
  end)

  it("ends while tasks wait: they are canceled, and their <close> values run", function()
    local result = program.lunet(prelude .. [[
local began = 0
for _, name in ipairs { "first", "second" } do
  lunet.spawn(function()
    local _closed <close> = closing(name)
    lunet.spawn(function()
      local _closed <close> = closing(name .. " child")
      began = began + 1
      lunet.sleep(math.huge)
    end)
    lunet.sleep(math.huge)
  end)
end
repeat lunet.sleep(0) until began == 2
print "over"
]])
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.equal("over\nfirst\nsecond\nfirst child\nsecond child\n", result.output)
  end)

  it("ends while a task loops around coroutine.yield or sleep(0)", function()
    local result = program.lunet(prelude .. [[
lunet.spawn(function()
  local _closed <close> = closing "yielded"
  while true do coroutine.yield() end
end)
lunet.spawn(function()
  local _closed <close> = closing "slept"
  while true do lunet.sleep(0) end
end)
lunet.sleep(0)
]])
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.equal("yielded\nslept\n", result.output)
  end)

  it("lets a task that was spawned last begin", function()
    local result = program.lunet(prelude .. "lunet.spawn(print, 'began')\n")
    assert.same({ 0, "began\n", "" }, { result.status, result.output, result.errors })
  end)

  it("fails when the cleanup of a canceled task does", function()
    local result = program.lunet(prelude .. [[
lunet.spawn(function()
  local _closed <close> = setmetatable({}, { __close = function() error "no cleanup" end })
  lunet.sleep(math.huge)
end)
lunet.sleep(0)
]])
    assert.equal(1, result.status)
    assert.matches("no cleanup", result.errors)
  end)

  it("that fails still cancels its tasks", function()
    local result = program.lunet(prelude .. [[
lunet.spawn(function()
  local _closed <close> = closing "closed"
  lunet.sleep(math.huge)
end)
lunet.sleep(0)
error "boom"
]])
    assert.same({ 1, "closed\n" }, { result.status, result.output })
    assert.matches("boom", result.errors)
  end)

  -- Once the results of a task that never resumed were not freed: an accepted connection, and received bytes.
  it("may be ended by os.exit in a task while others have results to come", function()
    local result = program.lunet(prelude .. [[
local listener = assert(lunet.listen { backlog = 50 })
local near, far, accepters, connected = {}, {}, {}, false
for i = 1, 20 do
  near[i] = assert(lunet.connect(listener))
  far[i] = assert(listener:accept(10))
  accepters[i] = assert(lunet.listen { backlog = 1 })
  lunet.spawn(function()
    far[i]:receive()
    print "told"
  end)
  lunet.spawn(function()
    accepters[i]:accept()
    print "told"
  end)
end
lunet.spawn(function()
  while not connected do coroutine.yield() end
  os.exit(7, true)
end)
lunet.sleep(0)
for i = 1, 20 do
  assert(near[i]:send "hello")
  assert(lunet.connect(accepters[i]))
end
connected = true
lunet.sleep(10)
]])
    assert.same({ 7, "", "" }, { result.status, result.output, result.errors })
  end)

  it("may be ended by os.exit in a finalizer, a <close> value, or a child of a scope", function()
    for _, place in ipairs {
      "setmetatable({}, { __gc = function() os.exit(7, true) end }) collectgarbage()",
      "local _closed <close> = setmetatable({}, { __close = function() os.exit(7, true) end })",
      "lunet.scope(function() lunet.spawn(os.exit, 7, true) lunet.sleep(10) end)",
    } do
      local result = program.lunet(prelude .. ([[
local _listener <close> = assert(lunet.listen { backlog = 1 })
lunet.spawn(function()
  lunet.sleep(0.001)
  %s
end)
lunet.sleep(10)
]]):format(place))
      assert.same({ 7, "", "" }, { result.status, result.output, result.errors })
    end
  end)

  it("runs finalizers that use what is closed already, or try to wait", function()
    local result = program.lunet(prelude .. [[
local listener = assert(lunet.listen { backlog = 1 })
local connection = assert(lunet.connect(listener))
setmetatable({}, { __gc = function()
  print(pcall(lunet.sleep, 0))
  print(connection:close(), listener:close(), select(3, connection:receive()))
end })
lunet.spawn(function() os.exit(7, true) end)
lunet.sleep(10)
]])
    assert.equal(7, result.status)
    assert.equal("", result.errors)
    assert.matches("^false\t", result.output)
  end)
end)
