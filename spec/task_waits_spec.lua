local lunet = require "lunet"
local program = require "spec.support.program"
local raised = require "spec.support.raised"

local BOUND <const> = require "spec.support.bound"

local function file_of(text)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

-- Interrupts a script when it has printed "ready". Returns what lunet prints then.
local function interrupted(text)
  local path = file_of(text)
  local process <close> = assert(lunet.exec { os.getenv "LUNET", path, stderr = "stdout" })
  local before = {}
  repeat
    before[#before + 1] = assert(process.stdout:receive("l", BOUND), table.concat(before, "\n"))
  until before[#before] == "ready"
  assert(process:kill "SIGINT")
  local output = assert(process.stdout:receive("a", BOUND))
  assert.equal(130, process:wait(BOUND))
  os.remove(path)
  return (output:gsub(path:gsub("%p", "%%%0"), "SCRIPT"))
end

local READY = " print 'ready' io.flush() "

-- The lines below "waiting:", sorted, without how long.
local function waits_in(text)
  local found = {}
  local listed = text:match "\nwaiting:\n(.-)\nstack traceback:" or ""
  for line in (listed .. "\n"):gmatch "%s*([^\n]*)\n" do
    found[#found + 1] = line:gsub(", for %d+%.%d s", ""):gsub("0%.0%.0%.0:%d+", "PORT"):gsub("%(%d+%)", "(PID)")
  end
  table.sort(found)
  return found
end

describe("an interrupted script", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("says which tasks wait in which call, on what, where", function()
    local output = interrupted([[
local lunet = require "lunet"
local host = assert(lunet.host "h")
local listener = assert(host:listen { backlog = 5 })
lunet.spawn(function() listener:serve(print) end)
lunet.spawn(function() lunet.eventually(function() return false end) end)
local napper = assert(lunet.exec { "sleep", "1000", label = "napper" }) lunet.spawn(function() napper:wait() end)
local sleeper = lunet.spawn(function() lunet.sleep(1000) end)
lunet.spawn(function() sleeper:join() end)
lunet.spawn(function() lunet.scope(function() lunet.spawn(function() listener:accept() end) end) end)
for _ = 1, 5 do lunet.sleep(0) end]] .. READY .. [[
lunet.sleep(1000)]])
    assert.matches("^lunet: SCRIPT:10: interrupted!\n", output)
    assert.same({
      "accept on listener PORT (in serve), at SCRIPT:4",
      "accept on listener PORT, at SCRIPT:9",
      "join on task spawned at SCRIPT:7, at SCRIPT:8",
      "scope, at SCRIPT:9",
      "sleep (in eventually), at SCRIPT:5",
      "sleep, at SCRIPT:7",
      "wait on process napper (PID), at SCRIPT:6",
    }, waits_in(output))
  end)

  it("says how long, and tells tasks of one line together", function()
    local output = interrupted([[
local lunet = require "lunet"
for _ = 1, 30 do lunet.spawn(function() lunet.sleep(1000) end) end
lunet.sleep(0.3)]] .. READY .. "lunet.sleep(1000)")
    local seconds = output:match "\nwaiting:\n  sleep, at SCRIPT:2, for (%d+%.%d) s, 30 tasks\nstack"
    assert.is_true(tonumber(seconds) >= 0.3, output)
  end)

  it("names at most 20 lines, and says how many tasks are left", function()
    local lines = { "local lunet, begun = require 'lunet', 0" }
    for i = 1, 25 do
      lines[i + 1] = "for _ = 1, 2 do lunet.spawn(function() begun = begun + 1 lunet.sleep(1000) end) end"
    end
    local output = interrupted(table.concat(lines, "\n") .. "\nlunet.eventually(function() return begun == 50 end)"
      .. READY .. "lunet.sleep(1000)")
    assert.equal(21, #waits_in(output))
    assert.matches("\n  and 10 more tasks elsewhere\nstack traceback:", output)
  end)

  it("says so also when Lua code was running #no_tsan", function()
    local output = interrupted([[
local lunet = require "lunet"
lunet.spawn(function() lunet.sleep(1000) end)
lunet.sleep(0)]] .. READY .. "while true do end")
    assert.same({ "sleep, at SCRIPT:2" }, waits_in(output))
  end)

  it("lists nothing when no task waits #no_tsan", function()
    assert.not_matches("waiting:", interrupted("local lunet = require 'lunet'" .. READY .. "lunet.sleep(1000)"))
    assert.not_matches("waiting:", interrupted(READY .. "while true do end"))
  end)
end)

describe("tasks that wait for each other", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  local function deadlock()
    lunet.scope(function()
      local first, second
      first = lunet.spawn(function()
        lunet.sleep(0.001)
        second:join()
      end)
      second = lunet.spawn(function() first:join() end)
    end)
  end

  it("are a deadlock, which is raised and names them", function()
    local message = raised(deadlock)
    assert.matches("^[^\n]*waits_spec.lua:%d+: deadlock: tasks wait for each other's end, and for nothing", message)
    assert.matches("\n  join on task spawned at [^\n]*waits_spec.lua:%d+, at [^\n]*waits_spec.lua:%d+, for", message)
  end)

  it("are none while one of them waits for a deadline, for ever, or for something from outside", function()
    local listener <close> = assert(lunet.listen { backlog = 1 })
    for _, wait in ipairs {
      function() lunet.sleep(0.01) end,
      function() listener:accept(0.01) end,
      function() lunet.scope(function() assert(lunet.exec { "sleep", "0.01" }):wait() end) end,
    } do
      local task = lunet.spawn(wait)
      local other = lunet.spawn(function() return task:join() end)
      assert.is_true((other:join()))
    end
    local forever <close> = lunet.spawn(function() lunet.sleep(math.huge) end)
    assert.equal("TIMEOUT", select(3, forever:join(0.01)))
    local output = interrupted("local lunet = require 'lunet' lunet.spawn(function() lunet.sleep(0.1)" .. READY
      .. "end) lunet.sleep(math.huge)")
    assert.not_matches("deadlock", output)
  end)

  it("are a deadlock under the stock interpreter, too", function()
    local result = program.stock [[
      local lunet = require "lunet"
      local task task = lunet.spawn(function() lunet.spawn(function() task:join() end) end)
      task:join()]]
    assert.matches("deadlock: tasks wait for each other's end", result.errors)
    assert.equal(1, result.status)
  end)
end)
