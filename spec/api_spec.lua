local api = require "spec.api"
local lunet = require "lunet"
local pair = require "spec.support.pair"
local program = require "spec.support.program"
local raised_by = require "spec.support.raised"
local room = require "spec.support.room"
local waits = require "spec.support.waits"

local BOUND = 10

-- Names of the functions in a table, sorted.
local function functions_of(holder)
  local names = {}
  for name, value in pairs(holder) do
    if type(value) == "function" and not name:find "^__" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function names_in_api(class)
  local names = {}
  for name in pairs(api[class]) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Where fields are looked up besides, the methods are the first upvalue of the function that does it.
local function methods_of(object)
  local index = debug.getmetatable(object).__index
  if type(index) == "function" then index = select(2, debug.getupvalue(index, 1)) end
  return functions_of(index)
end

local function read_file(name)
  local file = assert(io.open(name))
  local text = file:read "a"
  file:close()
  return text
end

after_each(function()
  assert.same({}, lunet.open_handles())
end)

describe("the table of the API", function()
  it("lists every function of lunet, and none that is not there", function()
    assert.same(functions_of(lunet), names_in_api "lunet")
  end)

  it("lists every method of a listener and a connection, and none that is not there", function()
    local near, far, listener = pair.open()
    near:close()
    far:close()
    listener:close()
    assert.same(methods_of(listener), names_in_api "listener")
    assert.same(methods_of(near), names_in_api "connection")
    assert.same(methods_of(far), names_in_api "connection")
  end)

  it("lists every method of a task, and none that is not there", function()
    local task <close> = lunet.spawn(function() end)
    assert.same(methods_of(task), names_in_api "task")
  end)

  it("lists every method of a host, and of what belongs to one, and none that is not there", function()
    local host <close> = assert(lunet.host "a")
    local other <close> = assert(lunet.host "b")
    local rule <close> = assert(host:drop { port = 7 })
    local network <close> = lunet.link(host, other)
    assert.same(methods_of(host), names_in_api "host")
    local process <close> = assert(host:exec { "true" })
    assert.same(methods_of(process), names_in_api "process")
    assert.same(methods_of(rule), names_in_api "rule")
    local watch <close> = assert(host:watch(7))
    assert.same(methods_of(watch), names_in_api "watch")
    local capture <close> = assert(host:capture())
    assert.same(methods_of(capture), names_in_api "capture")
    assert.same(methods_of(network), names_in_api "network")
  end)

  it("lists no type that is not there", function()
    local classes = {}
    for class in pairs(api) do classes[#classes + 1] = class end
    table.sort(classes)
    assert.same(
      { "capture", "connection", "host", "listener", "lunet", "network", "process", "rule", "task", "watch" }, classes)
  end)
end)

describe("the documentation", function()
  -- types/ declares the calls of the core; calls that are written in Lua are documented in their own files.
  local text = ""
  for _, name in ipairs { "types/capture", "types/connection", "types/host", "types/listener", "types/lunet",
    "types/process", "types/rule", "types/task", "types/watch", "init", "network/host", "network/network",
    "network/link", "network/lan", "network/rule" } do
    text = text .. "\n" .. read_file("lua/lunet/" .. name .. ".lua")
  end

  -- Calls that have another name in their own file.
  local written_as = {
    ["lunet.host"] = "host.new", ["lunet.link"] = "link.join", ["lunet.lan"] = "lan.join",
    ["lunet.drop"] = "rule.drop_at_home", ["host.drop"] = "rule.drop",
  }
  local holders = { host = "methods", network = "net" }

  -- The comment above the declaration of a function, or nil.
  local function documentation(class, name)
    local at
    local alias = written_as[class .. "." .. name]
    if alias then at = text:find("\nfunction " .. alias .. "(", 1, true) end
    for _, declaration in ipairs { "function %s.%s(", "function %s:%s(", "function core.%s:%s(" } do
      at = at or text:find("\n" .. declaration:format(class, name), 1, true)
      at = at or text:find("\n" .. declaration:format(holders[class] or class, name), 1, true)
    end
    if not at then return nil end
    local lines = {}
    for line in text:sub(1, at - 1):gmatch "[^\n]*" do lines[#lines + 1] = line end
    local comment = {}
    for i = #lines, 1, -1 do
      if not lines[i]:find "^%-%-%-" then break end
      table.insert(comment, 1, lines[i])
    end
    return table.concat(comment, "\n")
  end

  for class, functions in pairs(api) do
    for name, entry in pairs(functions) do
      it("describes " .. class .. "." .. name .. ", what it returns, and whether it waits", function()
        local comment = documentation(class, name)
        assert.is_string(comment)
        assert.matches("^%-%-%- %u", comment)
        assert.matches("%-%-%-@return ", comment)
        if entry.wait then assert.matches("[Ww]aits", comment) end
        if entry.takes_timeout then assert.matches("%-%-%-@param timeout", comment) end
      end)
    end
  end
end)

waits.each(function(name, entry)
  describe(name .. " waiting", function()
    local place

    before_each(function() place = room.open() end)
    after_each(function() place:close() end)

    if entry.takes_timeout then
      for _, timeout in ipairs { 0, 1e-9, 0.002 } do
        it(("gives TIMEOUT after %g seconds, in the main script and in a task"):format(timeout), function()
          local before = lunet.now()
          local result, message, code = entry.wait(place, timeout)
          assert.is_true(lunet.now() - before >= timeout)
          assert.is_nil(result)
          assert.is_string(message)
          assert.equal("TIMEOUT", code)
          assert.equal("TIMEOUT", select(4, lunet.spawn(entry.wait, place, timeout):join(BOUND)))
        end)
      end

      it("refuses what is no timeout", function()
        for _, timeout in ipairs { -1, 0 / 0, "1", {}, true } do
          assert.matches("a timeout is a number of seconds, 0 or more; not ", raised_by(entry.wait, place, timeout))
        end
      end)
    end

    if entry.handle then
      it("gives CLOSED when another task closes what it waits on", function()
        local task = waits.start(entry, place)
        place[entry.handle]:close()
        local _, result, message, code = task:join(BOUND)
        assert.is_nil(result)
        assert.is_string(message)
        assert.equal("CLOSED", code)
      end)

      it("gives CLOSED in the main script when a task closes what it waits on", function()
        local closer = lunet.spawn(function() place[entry.handle]:close() end)
        assert.equal("CLOSED", select(3, entry.wait(place)))
        assert(closer:join(BOUND))
      end)

      it("gives CLOSED at once when it is closed already, also after collection", function()
        place[entry.handle]:close()
        collectgarbage()
        assert.equal("CLOSED", select(3, entry.wait(place)))
        assert.equal("CLOSED", select(3, entry.wait(place, 0)))
      end)
    end

    it("raises CANCELED when the task is canceled, and leaves nothing open", function()
      local handles = #lunet.open_handles()
      local raised
      local task = waits.start({ wait = function()
        raised = raised_by(entry.wait, place)
        error(raised, 0)
      end }, place)
      assert.is_nil(raised)
      task:cancel()
      assert.equal("CANCELED", select(3, task:join(BOUND)))
      assert.equal("CANCELED", raised.code)
      assert.equal(handles, #lunet.open_handles())
    end)

    it("goes on waiting through a collection", function()
      local task = waits.start(entry, place)
      collectgarbage()
      collectgarbage()
      assert.equal("TIMEOUT", select(3, task:join(0.001)))
      task:cancel()
      assert.equal("CANCELED", select(3, task:join(BOUND)))
    end)

    if entry.finish then
      it("ends with its results when what it waits for happens, also after a collection", function()
        local task = waits.start(entry, place)
        collectgarbage()
        collectgarbage()
        local wanted = table.pack(true, entry.finish(place))
        assert.same(wanted, table.pack(task:join(BOUND)))
      end)
    end

    it("is refused in a plain coroutine, before anything starts", function()
      local handles = lunet.open_handles()
      local refusal = "a plain coroutine cannot wait: start it with lunet%.spawn"
      assert.matches(refusal, raised_by(coroutine.wrap(entry.wait), place))
      local task = lunet.spawn(function() return raised_by(coroutine.wrap(entry.wait), place) end)
      assert.matches(refusal, select(2, task:join(BOUND)))
      assert.same(handles, lunet.open_handles())
    end)

    it("is refused to a task inside a sort callback, before anything starts", function()
      local handles = lunet.open_handles()
      local message
      local task = lunet.spawn(table.sort, { 2, 1 }, function()
        message = raised_by(entry.wait, place)
      end)
      assert(task:join(BOUND))
      assert.matches("a task cannot wait here", message)
      assert.same(handles, lunet.open_handles())
    end)
  end)
end)

describe("a program that ends while everything waits", function()
  local endings = {
    ["at its end"] = { "", 0 },
    ["by os.exit(0, true)"] = { "os.exit(0, true)", 0 },
    ["by os.exit(7, true) in a task"] = { "lunet.spawn(os.exit, 7, true) lunet.sleep(10)", 7 },
    ["by os.exit(7)"] = { "os.exit(7)", 7 },
    ["by an error"] = { "error 'boom'", 1, "boom" },
    ["by an error in a task"] = { "lunet.spawn(error, 'boom') lunet.sleep(10)", 1, "boom" },
  }
  local waiting = 0
  waits.each(function() waiting = waiting + 1 end)

  for how, ending in pairs(endings) do
    it("keeps its status and says nothing else: " .. how, function()
      local result = program.lunet([[
local lunet = require "lunet"
print(require("spec.support.waits").start_all())
]] .. ending[1])
      assert.same({ ending[2], waiting .. "\n" }, { result.status, result.output })
      assert.matches(ending[3] or "^$", result.errors)
    end)
  end
end)
