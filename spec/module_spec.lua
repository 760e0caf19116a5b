-- lunet as a module of the stock interpreter: every case starts a real lua5.4.
local program = require "spec.support.program"

-- Runs a script that begins with lunet loaded; it must end well and say nothing on stderr.
local function output_of(text)
  local result = program.stock('local lunet = require "lunet"\n' .. text)
  assert.same({ 0, "" }, { result.status, result.errors })
  return result.output
end

describe("the module in a stock lua5.4", function()
  it("waits on the main thread, for connections and for time", function()
    assert.equal("hello\ttrue\ttrue\n", output_of [[
local listener = assert(lunet.listen { backlog = 4 })
local near = assert(lunet.connect(listener, 10))
local far = assert(listener:accept(10))
assert(near:send "hello\n")
local line = far:receive("l", 10)
local before = lunet.now()
print(line, lunet.sleep(0.01), lunet.now() - before >= 0.01)
]])
  end)

  it("runs tasks while the main thread waits", function()
    assert.equal("1\t2\t3\n6\n", output_of [[
local tasks, sum = {}, 0
for i = 1, 3 do
  tasks[i] = lunet.spawn(function()
    lunet.sleep(0.001 * i)
    sum = sum + i
    return i
  end)
end
local results = {}
for i = 1, 3 do results[i] = select(2, tasks[i]:join(10)) end
print(table.unpack(results))
print(sum)
]])
  end)

  it("serves", function()
    assert.equal("HELLO\nEOF\nCLOSED\n", output_of [[
local listener = assert(lunet.listen { backlog = 4 })
local server = lunet.spawn(function()
  return listener:serve(function(connection)
    for line in connection:lines() do connection:send(line:upper() .. "\n") end
    print(connection:ended())
  end)
end)
local client = assert(lunet.connect(listener, 10))
assert(client:send "hello\n")
print(client:receive("l", 10))
client:close()
assert(lunet.eventually(function() return select(2, listener:gate()) == 0 end, 10))
listener:close()
print((select(4, server:join(10))))
]])
  end)

  it("raises errors of tasks on the main thread, and can tell where they were spawned", function()
    assert.equal("true\n4\n", output_of [[
local failure = {}
local function fail() error(failure) end
lunet.spawn(fail)
local traceback
local ok, raised = xpcall(lunet.sleep, function(value)
  traceback = lunet.traceback(value)
  return value
end, 10)
print(not ok and rawequal(raised, failure))
print(traceback:match "task spawned at [^\n]*:(%d+)")
]])
  end)

  it("ends with status 1 at an error of a task", function()
    local result = program.stock [[
local lunet = require "lunet"
lunet.spawn(function() error "boom" end)
lunet.sleep(10)
]]
    assert.equal(1, result.status)
    assert.matches(":2: boom\n", result.errors)
  end)

  it("refuses a plain coroutine", function()
    assert.matches("^false\t.*a plain coroutine cannot wait", output_of [[
print(pcall(coroutine.wrap(function() lunet.sleep(0) end)))
]])
  end)

  -- The state is closed with every kind of wait pending, by each of the ways to end.
  local endings = {
    ["at the script's end"] = { "", 0 },
    ["by os.exit(7, true)"] = { "os.exit(7, true)", 7 },
    ["by os.exit(7)"] = { "os.exit(7)", 7 },
    ["by os.exit(7, true) in a task"] = { "lunet.spawn(os.exit, 7, true) lunet.sleep(10)", 7 },
    ["by an error"] = { "error 'boom'", 1, "boom" },
  }
  for how, ending in pairs(endings) do
    it("ends while tasks wait for everything there is: " .. how, function()
      local result = program.stock([[
local lunet = require "lunet"
print(require("spec.support.waits").start_all() > 0)
]] .. ending[1])
      assert.same({ ending[2], "true\n" }, { result.status, result.output })
      assert.matches(ending[3] or "^$", result.errors)
    end)
  end

  -- lua5.4 unloads its modules when it ends. Eight of 200 scripts with six captures crashed then.
  it("stays in memory until the process ends, since a thread may still end a capture", function()
    local path = os.getenv "LUNET_BUILD" .. "/lib/lua/5.4/lunet/core.so"
    assert.matches("NODELETE", program.shell("readelf --dynamic " .. path).output)
    local captures = [[
local host = assert(require "lunet".host())
for _ = 1, 6 do assert(host:capture()) end
]]
    for _ = 1, 10 do assert.equal(0, program.stock(captures).status) end
  end)

  it("can be loaded again: both share one runtime", function()
    assert.equal("true\ttrue\nhello\ttrue\n3\nboom\n0\n", output_of [[
local first_core = require "lunet.core"
for _, name in ipairs { "lunet", "lunet.core" } do package.loaded[name] = nil end
local again = require "lunet"
print(again ~= lunet, require "lunet.core" ~= first_core)

local listener = assert(lunet.listen { backlog = 4 })
local near = assert(again.connect(listener, 10))
local task = again.spawn(function() return listener:accept(10) end)
local _, far = task:join(10)
assert(near:send "hello\n")
local server = lunet.spawn(function() return listener:serve(function() end) end)
print(far:lines(10)(), again.sleep(0))
print(#again.open_handles())
lunet.spawn(function() error("boom", 0) end)
print(select(2, pcall(again.sleep, 10)))
for _, handle in ipairs { listener, near, far } do handle:close() end
print(#lunet.open_handles())
]])
  end)

  it("sets no globals", function()
    assert.equal("", output_of [[
local known = {}
for name in pairs(_G) do known[name] = true end
for _, name in ipairs { "lunet", "lunet.core" } do package.loaded[name] = nil end
require "lunet"
for name in pairs(_G) do
  if not known[name] then print(name) end
end
]])
  end)

  it("says so when a finalizer runs after it at the end", function()
    assert.matches("^false\t.*lunet is closing with its Lua state\n$", program.stock([[
local late = {}
setmetatable(late, { __gc = function() print(pcall(late.lunet.sleep, 0)) end }) -- marked first, so run last
late.lunet = require "lunet"
]]).output)
  end)
end)
